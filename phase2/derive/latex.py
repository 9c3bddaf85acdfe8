"""Derivations as LaTeX for the report's appendix: the claim, then each step with its formula and how it was checked."""

from phase2.derive.catalog import USED
from phase2.derive.derivation import Derivation, Remark, Step


def to_latex(derivation: Derivation, ways: list[str]) -> str:
    """A subsection; `ways` is what `Derivation.check` returned."""
    cites = rf"~\cite{{{','.join(derivation.cites)}}}" if derivation.cites else ""
    steps = [_step(step, way) for step, way in zip(derivation.steps, ways, strict=True)]
    return "\n".join(
        [
            rf"\subsection{{{derivation.title}}}\label{{sec:derive:{derivation.name}}}",
            rf"\begin{{quote}}\emph{{Claim.}} {derivation.claim}{cites}\end{{quote}}",
            where(derivation.name),
            r"\begin{enumerate}",
            *steps,
            r"\end{enumerate}",
        ]
    )


def where(name: str) -> str:
    """What of the library rests on a derivation, as a sentence in LaTeX; "" where nothing is named."""
    modules = [rf"\texttt{{{module}}}".replace("_", r"\_") for module in USED.get(name, ())]
    return f"Used in {', '.join(modules)}." if modules else ""


def _step(step: Step, way: str) -> str:
    if isinstance(step, Remark):
        return rf"\item {step.text}"
    return "\n".join([rf"\item {step.text} \checked{{{way}}}", rf"\[ {step.formula} \]"])
