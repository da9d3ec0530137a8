"""What one fitted model answers. A task needs one or several of them: a regression one for its value and one a quantile."""

from dataclasses import dataclass

CLASSES, VALUE, QUANTILE, RANK = "classes", "value", "quantile", "rank"


@dataclass(frozen=True)
class Goal:
    kind: str
    # Of CLASSES: how many.
    classes: int = 0
    # Of QUANTILE: the probability below it.
    quantile: float = 0.0

    @property
    def says_chances(self) -> bool:
        """Whether the scores go through a sigmoid or softmax; else they are the answer."""
        return self.kind == CLASSES

    @property
    def title(self) -> str:
        return f"quantile {self.quantile:g}: " if self.kind == QUANTILE else ""
