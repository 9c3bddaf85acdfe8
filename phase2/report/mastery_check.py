"""A row of the mastery table."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """One thing to master: understood (conceptual), built (coding) or measured (research), and what shows it."""

    part: str
    kind: Literal["conceptual", "coding", "research"]
    check: str
    tests: tuple[str, ...] = ()
    derivations: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """All that shows it: kind and name of each."""
        sources = (("test", self.tests), ("derivation", self.derivations), ("figure", self.figures))
        return [(kind, name) for kind, names in sources for name in names]
