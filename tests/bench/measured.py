"""One line of what a bench has measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, the figure, the aim in words, and whether the figure meets it; without an aim, neither."""

    what: str
    figure: str
    aim: str = ""
    is_met: bool | None = None

    def __post_init__(self) -> None:
        if bool(self.aim) == (self.is_met is None):
            raise ValueError(f"whether an aim is met is told for each that has one, and for no other: {self.what}")

    def __str__(self) -> str:
        mark = {None: "      ", True: "met   ", False: "MISSED"}[self.is_met]
        return f"{mark}  {self.what}: {self.figure}{self.aim and f' (aim: {self.aim})'}"
