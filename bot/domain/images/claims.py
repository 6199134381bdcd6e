"""What settings, files and builds say of the images that a repository produces, and which tag a build leaves
behind."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeVar

LONGEST_TAG = 128
_PART = re.compile(r"\{(?P<name>sha|short_sha|run_number|date:(?P<format>[^{}]{1,32}))\}")
_WILD = re.compile(r"[*?\[]")
_TEXT = re.compile(r"[A-Za-z0-9_.*?\[\]-]*")
_NUMBER = re.compile(r"[0-9]+")
_MOST_SHAPES = 5
_SHORT = 7
"""Digits of a short commit, as git and docker/metadata-action write them."""


class TagKind(StrEnum):
    """How the tag of the newest build is found."""

    FIXED = "fixed"
    TEMPLATE = "template"
    PATTERN = "pattern"


def name_and_tag(text: str) -> tuple[str, str]:
    """Splits `registry/name:tag` with any kind of tag, of which a date's format has a colon too; `latest` where
    there is none."""
    path, slash, last = text.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{path}{slash}{name}", tag or "latest"


@dataclass(frozen=True, slots=True)
class Build:
    """What names the tag of one build: the commit, the number of the run, and when it began."""

    sha: str | None = None
    run_number: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TagRule:
    """`latest`, `{sha}`, `{short_sha}`, `{run_number}`, `{date:%Y%m%d}` with any text around, or a glob."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "TagRule":
        """Reads the rule in a text; raises `ValueError` that says what of it is no tag."""
        dates = [part["format"] for part in _PART.finditer(text) if part["format"] is not None]
        wrong = next((each for form in dates for each in _wrong_in(form)), None)
        if wrong is not None:
            raise ValueError(
                f"{text[:80]!r} is no tag: {wrong[:8]!r} is no part of a date; write such as %Y, %m, %d, %H or %V"
            )
        bare = _PART.sub("", text)
        if not text or len(text) > LONGEST_TAG or not _TEXT.fullmatch(bare):
            raise ValueError(
                f"{text[:80]!r} is no tag; write one such as latest, {{sha}}, {{short_sha}}, {{run_number}}, "
                "{date:%Y%m%d}, or a pattern such as v*"
            )
        return cls(text)

    @property
    def kind(self) -> TagKind:
        if _WILD.search(_PART.sub("", self.text)):
            return TagKind.PATTERN
        return TagKind.TEMPLATE if _PART.search(self.text) else TagKind.FIXED

    def filled(self, build: Build) -> str | None:
        """The tag that a build leaves behind; None where the build does not tell it."""
        if self.kind is TagKind.PATTERN:
            return None
        missing = False

        def value(part: re.Match[str]) -> str:
            nonlocal missing
            part_text = _value(part, build)
            missing = missing or part_text is None
            return part_text or ""

        text = _PART.sub(value, self.text)
        return None if missing else text

    @property
    def pattern(self) -> str:
        """A glob that every tag of the rule fits."""
        return _PART.sub(lambda part: _GLOBS.get(part["name"]) or _glob_of_date(part["format"]), self.text)

    def fitting(self, tags: Iterable[str]) -> list[str]:
        pattern = self.pattern
        return [tag for tag in tags if fnmatchcase(tag, pattern)]

    def fits(self, tag: str) -> bool:
        """Whether a build of the rule leaves that tag behind."""
        return fnmatchcase(tag, self.pattern)

    def __str__(self) -> str:
        return self.text


Tagged = TypeVar("Tagged")


def of_tag(tag: str, by_rule: Mapping[str, Tagged]) -> Tagged | None:
    """Of what is known by rules for tags of one name, that of the rule that a tag fits: the very one, else the
    longest; None where it fits none."""
    if tag in by_rule:
        return by_rule[tag]
    fitting = [rule for rule in by_rule if TagRule(rule).fits(tag)]
    return by_rule[max(fitting, key=len)] if fitting else None


def likely_newest(tags: Collection[str], most: int) -> list[str] | None:
    """Of tags that count up (dates, runs, versions), the highest of each shape, `most` in all; all where they are
    no more. None where they do not count up, such as commits: the newest may be any of them."""
    if len(tags) <= most:
        return list(tags)
    shapes: dict[str, list[str]] = {}
    for tag in tags:
        shapes.setdefault(_NUMBER.sub("#", tag), []).append(tag)
    if len(shapes) > _MOST_SHAPES:
        return None
    return [
        tag
        for alike in shapes.values()
        for tag in sorted(alike, key=lambda tag: tuple(map(int, _NUMBER.findall(tag))))[-(most // len(shapes)) :]
    ]


_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3, "V": 2, "U": 2, "W": 2}
"""How many digits each part of a date has."""
_HEX = "[0-9a-f]"
_GLOBS = {"sha": _HEX * 40, "short_sha": _HEX * _SHORT, "run_number": "[0-9]*"}


_DATE_LETTERS = "aAbBdfGHIjmMpSuUVwWyY"
"""Those of strftime that make what a tag may have."""
_DATE_PART = re.compile(rf"%[{_DATE_LETTERS}]")
_NO_TAG = re.compile(r"%.?|[^A-Za-z0-9_.-]")


def _wrong_in(form: str) -> list[str]:
    """What is neither a part of a date nor may stand in a tag."""
    return _NO_TAG.findall(_DATE_PART.sub("", form))


def _glob_of_date(form: str) -> str:
    return re.sub(r"%(.)", lambda part: "[0-9]" * _DIGITS.get(part[1], 0) or "*", form)


def _value(part: re.Match[str], build: Build) -> str | None:
    match part["name"]:
        case "sha":
            return build.sha
        case "short_sha":
            return build.sha[:_SHORT] if build.sha else None
        case "run_number":
            return str(build.run_number) if build.run_number is not None else None
        case _:
            return build.at.strftime(part["format"]) if build.at is not None else None


CLAIMABLE = "*/{name}"
"""What a repository's own file may claim, unless the operator allows other paths: one that ends in its name."""


class Source(StrEnum):
    """Who says that a repository produces an image, the weightiest first."""

    SETTINGS = "settings"
    PROVENANCE = "provenance"
    PRODUCES = "produces"
    LABEL = "label"
    BUILD = "build"

    @property
    def rank(self) -> int:
        return list(Source).index(self)


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as a build in a repository's files names it. `name` and `tag` may have the parts `{owner}`, `{name}`
    and `{branch}`; `tag` those of `TagRule` too. It is built from the first of the files `built_from` that there
    is; nothing tells that where there are none. `weakness` is why its name or tag may be another one.
    `branches` are patterns of those of which pushes alone build it; none where any may. `is_pushed` is False where
    a file only says what it is called, and no build is found that pushes it so. `variant` are the values of the
    job's matrix in which it is built: each builds one of its own in the same run."""

    name: str
    tag: str
    path: str
    line: int
    pulls: bool | None = None
    built_from: tuple[str, ...] = ()
    weakness: str = ""
    branches: tuple[str, ...] = ()
    is_pushed: bool = True
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """Says that a repository produces an image. `name` is `registry/repository`; `path` and `line` are where a
    build names it, as far as one does, whoever says so."""

    name: str
    tag: TagRule
    source: Source
    path: str = ""
    line: int = 0
    pulls: bool | None = None
    """Whether the build there asks the registry for the newest base; None where that does not show."""
    built_from: str = ""
    """The Dockerfile or project that it is built from; empty where nothing tells, or where several may be it."""
    weakness: str = ""
    """Why the evidence is too weak to act upon; empty where it is not."""

    @property
    def registry(self) -> str:
        return self.name.partition("/")[0]

    @property
    def repository(self) -> str:
        return self.name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ImageRule:
    """The operator's word: repositories that fit `match`, a glob, produce `image`, in which `{owner}` and `{name}`
    stand for theirs. A rule without an image says that they produce none."""

    match: str
    image: str | None
    tag: TagRule = TagRule("latest")


@dataclass(frozen=True, slots=True)
class ImageRules:
    """What the operator says; `claimable` are globs of the names that repositories may claim for themselves."""

    rules: tuple[ImageRule, ...] = ()
    claimable: tuple[str, ...] = (CLAIMABLE,)

    def __str__(self) -> str:
        """Changes with everything in it."""
        rules = (f"{rule.match} {rule.image} {rule.tag}" for rule in self.rules)
        return "\n".join((*rules, *self.claimable))

    def may_claim(self, repository: str, name: str) -> bool:
        """Whether a repository's own file may say that it produces `name`."""
        return any(fnmatchcase(name, filled(glob, repository)) for glob in self.claimable)


def filled(text: str, repository: str) -> str:
    """The text with a repository's owner and name in their places, in lower case: registries take no other."""
    owner, _, name = repository.lower().partition("/")
    return text.replace("{owner}", owner).replace("{name}", name)
