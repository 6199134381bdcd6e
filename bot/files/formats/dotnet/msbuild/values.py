"""What a property is set to, where, and what keeps it from being decided."""

from dataclasses import dataclass

from bot.files.formats.source.spanned import Spanned

LONGEST_VALUE = 1024
"""Characters; a longer value is not the name of an image, and properties that double each other end here."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A property's value and the place that set it."""

    value: Spanned
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class UndecidedValue:
    """A property whose value the texts do not tell; `why` continues the sentence "X is undecided: …"."""

    why: str
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """One element of the file `path` that sets the property we look for, whether or not it comes to count.

    `is_ruled_out` says that it does not, whatever a build is given.
    """

    path: str
    start: int
    written: Spanned
    value: Spanned | UndecidedValue
    condition: str
    applies: bool | None
    is_ruled_out: bool = False
