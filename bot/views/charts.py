"""What charts are drawn of, whichever page shows them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its upper left corner; `kind` gives its colour, `title` is told to whoever points at it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str
