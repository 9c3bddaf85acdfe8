"""How a loss becomes one number."""

from phase2.errors import UserError, unknown

REDUCTIONS = ("mean", "sum", "none")


def checked_reduction(loss: str, reduction: str, size_average: object, reduce: object) -> str:
    """`reduction`; raises `UserError` if it is none of `REDUCTIONS`, or for the two arguments that it has replaced."""
    for name, value in (("size_average", size_average), ("reduce", reduce)):
        if value is not None:
            raise UserError(f"{loss}: {name}={value} is not supported: use reduction=")
    if reduction not in REDUCTIONS:
        raise unknown("reduction", reduction, REDUCTIONS)
    return reduction
