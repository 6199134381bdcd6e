"""Reads an image tag: version, precision, operating system, variant, architecture, date and pre-release.

No specification says what a tag means. The reading follows what publishers do: .NET's tagging policy
(`10.0.4-1-noble-chiseled-extra`), Docker Hub's official images (`3.6.3-alpine3.6`), Java's build numbers
(`17.0.2_8-jre`), Windows updates (`1803-KB4487017`), and names that `git describe --long` makes.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from packaging.version import Version

from bot.domain.tags.words import WINDOWS, names_architecture, names_commit, names_product, names_system

LONGEST_TAG = 128
"""Docker's own limit; a longer text carries no version for us."""
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

_PREFIX = r"(?P<prefix>(?:[a-z]+\.|(?!v[0-9])[a-z][a-z0-9.]*[-_])*+v?)"
_VERSIONED = re.compile(rf"{_PREFIX}(?P<release>[0-9]+(?:\.[0-9]+)*)(?P<rest>.*)", re.A | re.I | re.S)
_MOMENT = re.compile(
    rf"{_PREFIX}(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})"
    r"(?:T(?P<time>[0-9]{2}-[0-9]{2}-[0-9]{2})Z)?(?P<rest>(?:[-_.].*)?)",
    re.A | re.I | re.S,
)
_COMPACT_MOMENT = re.compile(
    rf"{_PREFIX}(?P<day>[0-9]{{8}})T(?P<time>[0-9]{{4}}(?:[0-9]{{2}})?)Z?(?P<rest>(?:[-_.].*)?)",
    re.A | re.I | re.S,
)
_PRERELEASE = re.compile(
    r"[-_.]?(?P<label>alpha|beta|milestone|preview|pre|rc|dev|nightly|snapshot|canary|unstable|ea"
    r"|(?:(?<![-_])[abc])(?=[0-9])|(?<=[-_.])(?:m|cr)(?=[0-9]))"
    r"(?P<number>(?:[-.]?[0-9]+(?:\.[0-9]+)*)?)(?=[-_.]|\Z)",
    re.A | re.I,
)
_JOIN = re.compile(r"[-_.]")
_BRANCH_AND_COMMIT = re.compile(
    rf"(?P<branch>(?:[a-z][a-z0-9.]*[-_])+?)(?P<commit>{COMMIT}|(?<=sha[-_]|git[-_])[0-9a-f]{{7,64}})(?P<rest>(?:[-_].*)?)",
    re.A | re.I | re.S,
)
_DOTTED_COMMIT = re.compile(r"(?P<count>-[0-9]+)?\.(?P<commit>g[0-9a-f]{5,64})(?=[-_]|\Z)", re.A | re.I)
_SEMANTIC = 3
"""How many numbers a semantic version has."""
_HALF_YEAR = re.compile(r"[0-9]{2}h[12]", re.A)
"""Windows releases are numbered so: `20H2`."""
_SHORTEST_COUNTER = 5
"""Digits: a single number as long as that counts runs or seconds, and no major version is as high."""
_ARTIFACT = re.compile(r"sha(?:256|512)-[0-9a-f]{64,}(?:\..+)?", re.A | re.I | re.S)
# Ranks follow SemVer's alphabetical order, which .NET keeps: preview comes before rc. PEP 440, and with it
# `packaging`, reads `preview` as another spelling of `rc`, so only the release numbers are compared with it.
_ORDER = (("ea",), ("alpha", "a"), ("beta", "b"), ("m", "milestone", "pre", "preview"), ("rc", "c", "cr"))
_RANKS = {label: rank for rank, labels in enumerate(_ORDER, start=1) for label in labels}


@dataclass(frozen=True, slots=True)
class Prerelease:
    """`label` in lower case; without `numbers` it is a channel that moves (`10.0-preview`, `1.0-nightly`)."""

    label: str
    numbers: tuple[int, ...] = ()

    @property
    def rank(self) -> tuple[int, tuple[int, ...]]:
        return _RANKS.get(self.label, 0), self.numbers

    def __str__(self) -> str:
        return ".".join((self.label, *map(str, self.numbers)))


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag taken apart; `str()` gives it back as it was written.

    `version` is the dotted release number alone. `revisions` are the numbers that follow it
    (`10.0.4-1-noble`, `7.2-0.3`, `17.0.2_8`, `1803-KB4487017`) and `builds` those further on
    (`3.10-master-777`). A moment is a version too: `2025-01-20T14-49-07Z` is `20250120.144907`.
    `words` are the rest in lower case and order, with `#` where a build number stood.
    `stamp` is a calendar date as digits, perhaps with the time, `commit` a source revision. An `artifact` is a
    signature, attestation or bill of materials that belongs to another image, never an image to build on.
    """

    text: str
    prefix: str = ""
    version: str | None = None
    prerelease: Prerelease | None = None
    revisions: tuple[tuple[int, ...], ...] = ()
    complete: bool = False
    """A `_build` follows the version, which says that nothing of it was left out however short it is."""
    stamp: str | None = None
    commit: str | None = None
    words: tuple[str, ...] = ()
    builds: tuple[tuple[int, ...], ...] = ()
    artifact: bool = False

    @classmethod
    def parse(cls, text: str) -> "Tag":
        """Reads a tag; one that cannot be read has no version, and so is never compared. Never raises."""
        return _parse(text)

    @property
    def is_versioned(self) -> bool:
        return self.version is not None

    @property
    def release(self) -> Version | None:
        return Version(self.version) if self.version is not None else None

    @property
    def parts(self) -> tuple[int, ...]:
        """The release numbers as written, trailing zeros kept; their count is the tag's precision."""
        return numbers(self.version) if self.version is not None else ()

    @property
    def precision(self) -> int:
        return len(self.parts)

    @property
    def is_dated(self) -> bool:
        return self.stamp is not None

    @property
    def names_one_build(self) -> bool:
        """Whether a tag is by convention never moved: it has a date, a commit, a build or a pre-release number."""
        return bool(
            self.artifact
            or self.stamp
            or self.commit
            or self.revisions
            or self.builds
            or (self.prerelease is not None and self.prerelease.numbers)
            or (self.precision == 1 and len(self.version or "") >= _SHORTEST_COUNTER)
        )

    @property
    def is_floating(self) -> bool:
        """Microsoft's way of naming what moves: a channel or `latest`, for all architectures."""
        if self.architecture is not None or self.names_one_build:
            return False
        return self.precision == 2 or self.text == "latest"

    @property
    def is_prerelease(self) -> bool:
        return self.prerelease is not None

    @property
    def system(self) -> str | None:
        """The operating system with its release: `noble`, `alpine3.22`, `windowsservercore-ltsc2022`."""
        system_name = "-".join(word for word, kind in _classified(self.words) if kind == "system")
        before = self.prefix.rstrip("-_")
        return system_name or (before if names_system(before) else None)

    @property
    def variant(self) -> tuple[str, ...]:
        """What is neither system nor architecture: `("chiseled", "extra")`, `("slim",)`."""
        return tuple(word for word, kind in _classified(self.words) if kind == "variant")

    @property
    def architecture(self) -> str | None:
        before = PART.findall(self.prefix)
        return next((word for word in (*before, *self.words) if names_architecture(word)), None)

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=16384)
def _parse(text: str) -> Tag:
    if _ARTIFACT.fullmatch(text):
        return Tag(text, artifact=True)
    if len(text) > LONGEST_TAG:
        return Tag(text, words=tuple(PART.findall(text[:LONGEST_TAG].lower())))
    if _COMMIT.fullmatch(text) and not text.isdigit():
        return Tag(text, commit=text.lower())
    branch = _BRANCH_AND_COMMIT.fullmatch(text)
    if branch is not None and (not branch["commit"].isdigit() or names_commit(branch["branch"].rstrip("-_"))):
        return _from_branch(text, branch)
    moment = _MOMENT.fullmatch(text) or _COMPACT_MOMENT.fullmatch(text)
    if moment is not None and _is_real(moment):
        return _at_a_moment(text, moment)
    head = _VERSIONED.fullmatch(text)
    if head is None or _ends_in_windows(head["prefix"]):
        return _unversioned(text)

    version, rest = _without_dotted_commit(head["release"], head["rest"])
    prerelease = _PRERELEASE.match(rest)
    if prerelease is not None:
        rest = rest[prerelease.end() :]
    elif rest and not _JOIN.match(rest):
        # Letters glued to the number (`8u292`, `2nd`): the whole is one word with no version in it.
        return _unversioned(text)
    tag_parts = TagParts().read(rest)
    return Tag(
        text,
        prefix=head["prefix"].lower(),
        version=version,
        prerelease=_prerelease(prerelease) if prerelease else None,
        revisions=tuple(tag_parts.revisions),
        complete=re.match(r"_[0-9]+(?=[-_.]|\Z)", rest) is not None,
        stamp=tag_parts.stamp or stamp_of(version.partition(".")[0]),
        commit=tag_parts.commit,
        words=tuple(tag_parts.words),
        builds=tuple(tag_parts.builds),
    )


def _unversioned(text: str) -> Tag:
    return Tag(text, words=tuple(PART.findall(text.lower())))


def _from_branch(text: str, branch: re.Match[str]) -> Tag:
    """A branch and a commit, perhaps with a number that grows: `main-0a1b2c3-1704412800`, `sha-0a1b2c3`."""
    rest = branch["rest"]
    without = _parse(f"{branch['branch']}{rest[1:]}" if rest else branch["branch"].rstrip("-_"))
    return replace(without, text=text, commit=branch["commit"].lower())


def _is_real(moment: re.Match[str]) -> bool:
    return stamp_of("".join((moment["day"], moment["time"] or "")).replace("-", "")) is not None


def _at_a_moment(text: str, moment: re.Match[str]) -> Tag:
    """ISO 8601 with hyphens for the colons that a tag cannot hold: `2025-01-20`, `RELEASE.2025-01-20T14-49-07Z`."""
    day, time = moment["day"].replace("-", ""), (moment["time"] or "").replace("-", "")
    tag_parts = TagParts().read(moment["rest"])
    return Tag(
        text,
        prefix=moment["prefix"].lower(),
        version=f"{day}.{time}" if time else day,
        revisions=tuple(tag_parts.revisions),
        stamp=day,
        commit=tag_parts.commit,
        words=tuple(tag_parts.words),
        builds=tuple(tag_parts.builds),
    )


def _without_dotted_commit(release: str, rest: str) -> tuple[str, str]:
    """`git describe` with dots, as package versions write it: `1.2.3.8.g8d771eb` reads as `1.2.3-8-g8d771eb`."""
    dotted = _DOTTED_COMMIT.match(rest)
    if dotted is None:
        return release, rest
    count = dotted["count"] or ""
    if not count and release.count(".") == _SEMANTIC:
        release, _, last = release.rpartition(".")
        count = f"-{last}"
    return release, f"{count}-{dotted['commit']}{rest[dotted.end() :]}"


def _prerelease(match: re.Match[str]) -> Prerelease:
    number = match["number"].lstrip("-.")
    return Prerelease(match["label"].lower(), numbers(number) if number else ())


def _classified(words: tuple[str, ...]) -> list[tuple[str, str]]:
    kinds: list[tuple[str, str]] = []
    for word in words:
        follows_system = bool(kinds) and kinds[-1][1] == "system"
        if names_system(word) or (follows_system and _is_system_release(word)):
            kinds.append((word, "system"))
        elif names_architecture(word):
            kinds.append((word, "architecture"))
        elif not word.endswith(BUILD_NUMBER):
            kinds.append((word, "variant"))
    return kinds


def _is_system_release(word: str) -> bool:
    return NUMBER.fullmatch(word) is not None or word.startswith("ltsc") or _HALF_YEAR.fullmatch(word) is not None


def _ends_in_windows(prefix: str) -> bool:
    """`nanoserver-1809`: the number is a Windows release, so moving it would change the system."""
    return prefix.lower().rstrip("-_").rpartition("-")[2] in WINDOWS


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
