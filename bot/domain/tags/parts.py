"""The parts of a tag behind its version, sorted: numbers, dates, source revisions, and words."""

import re
from datetime import datetime

from bot.domain.tags.words import names_product, names_system

BUILD_NUMBER = "#"
"""Stands among the words where a number was, behind the letters that were glued to it: `r12` is `r#`."""
COMMIT = r"(?:g[0-9a-f]{7,64}|g(?=[0-9a-f]*[0-9])[0-9a-f]{5,6}|(?=[0-9a-f]*[0-9])[0-9a-f]{7,64})"

PART = re.compile(r"x86_64|[^-_]+", re.A | re.I)
NUMBER = re.compile(r"(?:kb|post)?([0-9]+(?:\.[0-9]+)*)", re.A | re.I)
_COMMIT = re.compile(COMMIT, re.A | re.I)
_SHORT_COMMIT = 7
_COUNTED = re.compile(
    r"(?P<what>r|rev|ls|b|build|p|patch|sp|cu(?![0-9]{3})|k3s|rke2r|eksbuild)\.?(?P<number>[0-9]+)", re.A
)
"""Counts what was changed or built again since the version: Alpine's and Bitnami's `r0`, SQL Server's `CU11`.
`cu121` is CUDA 12.1, and so another variant than `cu118`."""
_DATED = re.compile(r"(?P<stamp>(?:19|20)[0-9]{6}(?:t?(?:[0-9]{4}|[0-9]{6}))?)z?(?P<count>\.[0-9]+)?", re.A | re.I)
_FORMATS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


class TagParts:
    """Takes the parts of a tag one after the other, and keeps each as what it is: number, date, commit or word."""

    def __init__(self) -> None:
        self.revisions: list[tuple[int, ...]] = []
        self.builds: list[tuple[int, ...]] = []
        self.words: list[str] = []
        self.stamp: str | None = None
        self.commit: str | None = None

    def read(self, rest: str) -> "TagParts":
        for part in PART.findall(rest.lower().removeprefix(".")):
            self._sort(part)
        return self

    def _sort(self, part: str) -> None:
        number = NUMBER.fullmatch(part)
        if (dated := _DATED.fullmatch(part)) and (stamp := stamp_of(dated["stamp"])):
            self.stamp = stamp
            if dated["count"]:
                self._count("", dated["count"][1:])
        elif number is None and _COMMIT.fullmatch(part):
            self.commit = part
        elif counted := _COUNTED.fullmatch(part):
            self._count(counted["what"], counted["number"])
        elif number is None:
            self.words.append(part)
        elif part.isdigit() and len(part) == _SHORT_COMMIT:
            # `git describe` shortens to seven digits, and a hash in 27 has no letter among them.
            self.commit = part
        elif not self.words:
            self.revisions.append(numbers(number[1]))
        elif names_system(self.words[-1]) or names_product(self.words[-1]):
            self.words.append(part)
        else:
            self._count("", number[1])

    def _count(self, prefix: str, number: str) -> None:
        self.builds.append(numbers(number))
        self.words.append(prefix + BUILD_NUMBER)


def stamp_of(text: str) -> str | None:
    """The digits of a day, perhaps with the time: `20240105`, `20240105T1200`, `20240105120000`."""
    digits = text.lower().replace("t", "")
    form = _FORMATS.get(len(digits))
    if form is None or not digits.isdigit() or digits[:2] not in ("19", "20"):
        return None
    try:
        datetime.strptime(digits, form)
    except ValueError:
        return None
    return digits


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split("."))
