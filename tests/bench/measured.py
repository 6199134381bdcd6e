"""One line of what a bench has measured."""

from typing import NamedTuple


class Measured(NamedTuple):
    """What was measured, the figure, the aim in words, and whether the figure meets it."""

    what: str
    figure: str
    aim: str
    is_met: bool
