"""Which repository produces which image, as far as anybody says so, and whose word counts."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from bot.domain.images.tags import TagKind, TagRule, name_and_tag
from bot.domain.reference import Base, InvalidReference, Reference

MOST_CLAIMS = 100
"""Images of one repository."""
_NO_TAG = re.compile(r"[^A-Za-z0-9._-]+")
"""What a tag may not have, which docker/metadata-action writes as a hyphen: `release/10` is `release-10`."""
_GLOB = re.compile(r"(\*\*|\*)")
_OTHER_GLOB = re.compile(r"[?+\[]")
_LONGEST_PATTERNS = 2_000
"""Characters of all patterns of branches of one workflow."""
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
    a file only says what it is called, and no build is found that pushes it so."""

    name: str
    tag: str
    path: str
    line: int
    pulls: bool | None = None
    built_from: tuple[str, ...] = ()
    weakness: str = ""
    branches: tuple[str, ...] = ()
    is_pushed: bool = True


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
    tag: TagRule = TagRule("latest")  # noqa: RUF009 - frozen


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
        return any(fnmatchcase(name, _filled(glob, repository)) for glob in self.claimable)


def claims_of(
    repository: str,
    branch: str,
    rules: ImageRules,
    produces: Sequence[str],
    named: Iterable[NamedImage],
    naming: Collection[str] = (),
) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """The images that a repository produces, each by whoever has most weight, and what of it does not count, a
    sentence each. `naming` are the files that name a base: an image may be built from one of these.

    Where the operator says it, nobody else is asked. Of several tags that a file pushes an image under the first
    fixed one is taken: it costs one request to look at. One of weak evidence is taken only where there is no other.
    """
    builds = _agreed(_pushed(named, repository, branch, naming))
    ruled = [rule for rule in rules.rules if fnmatchcase(repository.lower(), rule.match.lower())]
    if ruled:
        said = [
            Claim(_filled(rule.image, repository), rule.tag, Source.SETTINGS)
            for rule in ruled
            if rule.image is not None
        ]
        return _as_built(_each_once(said), builds), ()
    found: list[Claim] = []
    refused: list[str] = []
    for text in produces:
        claim = _own_claim(text)
        if claim is None:
            refused.append(f"produces: {text[:100]!r} is no image name")
        elif not rules.may_claim(repository, claim.name):
            refused.append(
                f"produces: {claim.name} is not one that this repository may claim; see images.claimable"
            )
        else:
            found.append(claim)
    return _as_built(_each_once([*found, *builds]), builds), tuple(refused)


def contested(claims: Iterable[tuple[int, Claim]]) -> frozenset[tuple[int, str]]:
    """The pairs of repository and image name that do not count, since another repository's claim weighs as much or
    more. One of weak evidence weighs less than another of the same source."""
    ranks: dict[str, list[tuple[tuple[int, bool], int]]] = {}
    for repository, claim in claims:
        rank = (claim.source.rank, bool(claim.weakness))
        ranks.setdefault(claim.name, []).append((rank, repository))
    lost: set[tuple[int, str]] = set()
    for name, claimants in ranks.items():
        best = min(rank for rank, _ in claimants)
        winners = {repository for rank, repository in claimants if rank == best}
        lost |= {(repository, name) for _, repository in claimants if repository not in winners or len(winners) > 1}
    return frozenset(lost)


def _own_claim(text: str) -> Claim | None:
    """`registry/name`, or `registry/name:tag` with any kind of tag."""
    return _claim(*name_and_tag(text), Source.PRODUCES)


def _pushed(named: Iterable[NamedImage], repository: str, branch: str, naming: Collection[str]) -> list[Claim]:
    """The claims of builds; of what files only name, those of images that no other file pushes."""
    built = [
        (each.is_pushed, claim) for each in named if (claim := _built(each, repository, branch, naming)) is not None
    ]
    pushed = {claim.name for is_pushed, claim in built if is_pushed}
    return [claim for is_pushed, claim in built if is_pushed or claim.name not in pushed]


def _built(named: NamedImage, repository: str, branch: str, naming: Collection[str]) -> Claim | None:
    name = _filled(named.name, repository).replace("{branch}", branch)
    tag = _filled(named.tag, repository).replace("{branch}", _NO_TAG.sub("-", branch))
    claim = _claim(name.lower(), tag, Source.BUILD)
    if claim is None:
        return None
    file = next((path for path in named.built_from if path in naming), "")
    weakness = named.weakness
    if named.branches and not _are_of(branch, named.branches):
        some = ", ".join(named.branches)[:100]
        weakness = weakness or f"only pushes to {some} build it, and rebuilds are of {branch}"
    claim = replace(claim, path=named.path, line=named.line, pulls=named.pulls, weakness=weakness)
    return replace(claim, built_from=file)


def _agreed(builds: Sequence[Claim]) -> list[Claim]:
    """The claims of builds, of which a tag counts only where each file that pushes its image pushes it: a rebuild
    runs one of them, and of two candidates none is acted upon."""
    tags: dict[str, dict[str, set[str]]] = {}
    for claim in builds:
        if not claim.weakness:
            tags.setdefault(claim.name, {}).setdefault(claim.path, set()).add(claim.tag.text)
    common = {name: set[str].intersection(*by_file.values()) for name, by_file in tags.items()}
    return [
        claim
        if claim.weakness or claim.tag.text in common[claim.name]
        else replace(claim, weakness=_difference(tags[claim.name]))
        for claim in builds
    ]


def _difference(tags: Mapping[str, Collection[str]]) -> str:
    some = [f"{path} pushes it as {min(said)}" for path, said in sorted(tags.items())[:2]]
    return f"{' and '.join(some)[:300]}: which of them a rebuild moves is not known"


@lru_cache(maxsize=1_000)
def _are_of(branch: str, patterns: tuple[str, ...]) -> bool:
    """Whether a branch fits patterns of GitHub's workflows, of which the last that fits counts: `*` takes no slash,
    and one after a `!` takes branches out. What else patterns may have, and very many, are taken to fit."""
    if sum(map(len, patterns)) > _LONGEST_PATTERNS:
        return True
    fits = False
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if _OTHER_GLOB.search(bare) or _fits(branch, bare):
            fits = bare == pattern
    return fits


def _fits(branch: str, pattern: str) -> bool:
    """Goes through the pattern once with all places that it may have reached: a regular expression would try each
    way of each star, which takes for ever on what somebody writes to that end."""
    reached = {0}
    for part in filter(None, _GLOB.split(pattern)):
        if part == "**":
            reached = set(range(min(reached), len(branch) + 1)) if reached else reached
        elif part == "*":
            further: set[int] = set()
            for place in sorted(reached):
                if place not in further:
                    slash = branch.find("/", place)
                    further |= set(range(place, (slash if slash >= 0 else len(branch)) + 1))
            reached = further
        else:
            reached = {place + len(part) for place in reached if branch.startswith(part, place)}
    return len(branch) in reached


def _as_built(claims: Iterable[Claim], builds: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims with the one file that every build of their image is built from, and those of somebody's word with
    the place of the first build."""
    files: dict[str, set[str]] = {}
    first: dict[str, Claim] = {}
    for build in builds:
        files.setdefault(build.name, set()).add(build.built_from)
        first.setdefault(build.name, build)
    single = {name: next(iter(some)) for name, some in files.items() if len(some) == 1}
    found = []
    for claim in claims:
        build = claim if claim.path else first.get(claim.name, claim)
        known = replace(claim, path=build.path, line=build.line, pulls=build.pulls)
        found.append(replace(known, built_from=single.get(claim.name, "")))
    return tuple(found)


def _claim(name: str, tag: str, source: Source) -> Claim | None:
    try:
        base: Base = Reference.parse(name).base
        return Claim(base.name, TagRule.parse(tag), source)
    except (InvalidReference, ValueError):
        return None


def _filled(text: str, repository: str) -> str:
    """Registries take lower case only, whatever the repository is called."""
    owner, _, name = repository.lower().partition("/")
    return text.replace("{owner}", owner).replace("{name}", name)


def _each_once(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    best: dict[str, Claim] = {}
    for claim in claims:
        known = best.get(claim.name)
        if known is None or _weight(claim) < _weight(known):
            best[claim.name] = claim
    return tuple(best.values())[:MOST_CLAIMS]


def _weight(claim: Claim) -> tuple[int, bool, int]:
    return claim.source.rank, bool(claim.weakness), list(TagKind).index(claim.tag.kind)
