"""Whose word counts of which repository produces which image, where several say so."""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TypeVar

from bot.domain.images.claims import Claim, ImageRules, NamedImage, Source, TagKind, TagRule, filled, name_and_tag
from bot.domain.reference import Base, InvalidReference, Reference

T = TypeVar("T")

MOST_CLAIMS = 100
"""Images of one repository."""
_NO_TAG = re.compile(r"[^A-Za-z0-9._-]+")
"""What a tag may not have, which docker/metadata-action writes as a hyphen: `release/10` is `release-10`."""
_GLOB = re.compile(r"(\*\*|\*)")
_OTHER_GLOB = re.compile(r"[?+\[]")
_LONGEST_PATTERNS = 2_000
"""Characters of all patterns of branches of one workflow."""


def claims_of(
    repository: str,
    branch: str,
    rules: ImageRules,
    produces: Sequence[str],
    named_images: Iterable[NamedImage],
    naming: Collection[str] = (),
) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """The images that a repository produces, each by whoever has most weight, and what of it does not count, a
    sentence each. `naming` are the files that name a base: an image may be built from one of these.

    Where the operator says it, nobody else is asked. Of several tags that a build pushes an image under the first
    fixed one is taken: it costs one request to look at. One of weak evidence is taken only where there is no other.
    Tags that have a build each are images of their own.
    """
    builds = [
        _weaken_where_tags_differ(group)
        for group in _group_by_image(_pushed_builds(named_images, repository, branch, naming))
    ]
    ruled = [rule for rule in rules.rules if fnmatchcase(repository.lower(), rule.match.lower())]
    if ruled:
        ruled_claims = [
            Claim(filled(rule.image, repository), rule.tag, Source.SETTINGS)
            for rule in ruled
            if rule.image is not None
        ]
        return _place_at_builds(_weightiest_claims(ruled_claims), builds), ()
    own_claims: list[Claim] = []
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
            own_claims.append(claim)
    chosen = [min(group, key=_weight) for group in builds]
    return _place_at_builds(_weightiest_claims([*own_claims, *chosen]), builds), tuple(refused)


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
    """Reads `registry/name`, or `registry/name:tag` with any kind of tag; None where it is no image name."""
    return _claim(*name_and_tag(text), Source.PRODUCES)


@dataclass(frozen=True, slots=True)
class _Build:
    """What one build claims, in a variant of its job's matrix."""

    claim: Claim
    variant: str = ""


def _pushed_builds(
    named_images: Iterable[NamedImage], repository: str, branch: str, naming: Collection[str]
) -> list[_Build]:
    """The claims of builds; of what files only name, those of images that no other file pushes."""
    built = [
        (each.is_pushed, _Build(claim, each.variant))
        for each in named_images
        if (claim := _claim_of_build(each, repository, branch, naming)) is not None
    ]
    pushed = {build.claim.name for is_pushed, build in built if is_pushed}
    return [build for is_pushed, build in built if is_pushed or build.claim.name not in pushed]


def _group_by_image(builds: Iterable[_Build]) -> Iterator[list[Claim]]:
    """The claims of each image. Tags of one name are images of their own where each has a build of its own: another
    file that it is built from, or another variant of one workflow's matrix. One that several push joins these."""
    by_name: dict[str, list[_Build]] = {}
    for build in builds:
        by_name.setdefault(build.claim.name, []).append(build)
    for mine in by_name.values():
        sure = [build for build in mine if not build.claim.weakness]
        is_known = all(build.claim.built_from for build in sure)
        is_one_file = len({build.claim.path for build in sure}) == 1
        keys: dict[tuple[str, str], list[Claim]] = {}
        for build in sure:
            own = (build.claim.built_from if is_known else "", build.variant if is_known or is_one_file else "")
            keys.setdefault(own, []).append(build.claim)
        groups = list(joined([*keys.values()], lambda claim: claim.tag))
        if len(groups) > 1:
            yield from groups
        else:
            yield [build.claim for build in mine]


def _claim_of_build(image: NamedImage, repository: str, branch: str, naming: Collection[str]) -> Claim | None:
    name = filled(image.name, repository).replace("{branch}", branch)
    tag = filled(image.tag, repository).replace("{branch}", _NO_TAG.sub("-", branch))
    claim = _claim(name.lower(), tag, Source.BUILD)
    if claim is None:
        return None
    file = next((path for path in image.built_from if path in naming), "")
    weakness = image.weakness
    if image.branches and not are_of(branch, image.branches):
        branch_names = ", ".join(image.branches)[:100]
        weakness = weakness or f"only pushes to {branch_names} build it, and rebuilds are of {branch}"
    claim = replace(claim, path=image.path, line=image.line, pulls=image.pulls, weakness=weakness)
    return replace(claim, built_from=file)


def _weaken_where_tags_differ(builds: Sequence[Claim]) -> list[Claim]:
    """The claims of an image's builds, of which a tag counts only where each file that pushes it pushes that: a
    rebuild runs one of them, and of two candidates none is acted upon."""
    tags: dict[str, set[str]] = {}
    for claim in builds:
        if not claim.weakness:
            tags.setdefault(claim.path, set()).add(claim.tag.text)
    common = set[str].intersection(*tags.values()) if tags else set()
    difference = _word_difference(tags)
    return [
        claim if claim.weakness or claim.tag.text in common else replace(claim, weakness=difference)
        for claim in builds
    ]


def _word_difference(tags: Mapping[str, Collection[str]]) -> str:
    examples = [f"{path} pushes it as {min(tag_texts)}" for path, tag_texts in sorted(tags.items())[:2]]
    return f"{' and '.join(examples)[:300]}: which of them a rebuild moves is not known"


def _place_at_builds(claims: Iterable[Claim], builds: Sequence[Sequence[Claim]]) -> tuple[Claim, ...]:
    """The claims with the one file that every build of their image is built from, and those of somebody's word with
    the place of the first build."""
    by_name: dict[str, list[Claim]] = {}
    own: dict[tuple[str, TagRule], list[Claim]] = {}
    for group in builds:
        by_name.setdefault(group[0].name, []).extend(group)
        for tag in {build.tag for build in group}:
            own.setdefault((group[0].name, tag), []).extend(group)
    placed_claims = []
    for claim in claims:
        mine = own.get((claim.name, claim.tag)) or by_name.get(claim.name, [])
        build = claim if claim.path or not mine else mine[0]
        files = {each.built_from for each in mine}
        placed_claim = replace(claim, path=build.path, line=build.line, pulls=build.pulls)
        placed_claims.append(replace(placed_claim, built_from=files.pop() if len(files) == 1 else ""))
    return tuple(placed_claims)


def _claim(name: str, tag: str, source: Source) -> Claim | None:
    try:
        base: Base = Reference.parse(name).base
        return Claim(base.name, TagRule.parse(tag), source)
    except (InvalidReference, ValueError):
        return None


def _weightiest_claims(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims by the weightiest word for each name, each of its tags once."""
    best: dict[str, dict[str, Claim]] = {}
    for claim in claims:
        by_tag = best.setdefault(claim.name, {})
        rank = next((each.source.rank for each in by_tag.values()), claim.source.rank)
        if claim.source.rank < rank:
            by_tag.clear()
        if claim.source.rank <= rank:
            by_tag.setdefault(claim.tag.text, claim)
    return tuple(claim for by_tag in best.values() for claim in by_tag.values())[:MOST_CLAIMS]


def _weight(claim: Claim) -> tuple[int, bool, int]:
    return claim.source.rank, bool(claim.weakness), list(TagKind).index(claim.tag.kind)


def joined(groups: Sequence[Sequence[T]], key: Callable[[T], Hashable]) -> Iterator[list[T]]:
    """The groups, of which those that share a key, also by way of others, are one; in their order.

    Goes through each thing twice, however many groups there are.
    """
    holders: dict[Hashable, list[int]] = {}
    for number, group in enumerate(groups):
        for each in group:
            holders.setdefault(key(each), []).append(number)
    visited: set[int] = set()
    for first in range(len(groups)):
        together: set[int] = set()
        waiting = [first]
        while waiting:
            number = waiting.pop()
            if number not in visited:
                visited.add(number)
                together.add(number)
                waiting += (other for each in groups[number] for other in holders.pop(key(each), ()))
        if together:
            yield [each for number in sorted(together) for each in groups[number]]


@lru_cache(maxsize=1_000)
def are_of(branch: str, patterns: tuple[str, ...]) -> bool:
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
