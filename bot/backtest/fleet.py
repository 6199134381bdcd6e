"""Whose images stand on the bases: read from a file, or made up from a seed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from bot.domain.bases.followed_base import followed_base
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base, InvalidReference, Reference
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from bot.domain.tags.tag import Tag
from bot.domain.wording.misfits import misfit
from bot.upstream.dotnet.releases import family_name
from bot.upstream.history.log import read_lines

REBUILD_WORKFLOW = "weekly-rebuild.yml"
_NO_DIGEST = f"sha256:{'0' * 64}"
_FAMILY_WEIGHTS = {"aspnet": 6, "runtime": 3, "runtime-deps": 1}
_PLATFORMS = (("linux/amd64",), ("linux/amd64",), ("linux/amd64", "linux/arm64"), ())
"""What the made-up repositories build for; the empty one builds for whatever the base offers."""


@dataclass(frozen=True, slots=True)
class ReplayedRepository:
    """`workflows` are the file names of those that can be dispatched."""

    name: str
    workflows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Use:
    """One usage in one repository."""

    repository: ReplayedRepository
    usage: Usage


@dataclass(frozen=True, slots=True)
class ReplayedFleet:
    """Repositories with the bases that they use."""

    repositories: tuple[ReplayedRepository, ...] = ()
    uses: Mapping[Base, tuple[Use, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, uses: Iterable[Use]) -> "ReplayedFleet":
        """Usages that follow no base (a digest without a tag) are left out."""
        repositories: dict[str, ReplayedRepository] = {}
        by_base: dict[Base, list[Use]] = {}
        for use in uses:
            repositories[use.repository.name] = use.repository
            base = followed_base(use.usage.reference)
            if base is not None:
                by_base.setdefault(base, []).append(use)
        return cls(tuple(repositories.values()), {base: tuple(uses) for base, uses in by_base.items()})

    def uses_of(self, base: Base) -> tuple[Use, ...]:
        return self.uses.get(base, ())


_DOCKERFILE = Kind("dockerfile")
_Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class _UsageRow(BaseModel):
    """A row of `scan --format json` with the repository that it was found in as `source`."""

    source: _Name
    reference: _Name
    file: Annotated[str, StringConstraints(max_length=1024)] = "Dockerfile"
    kind: Annotated[Kind, StringConstraints(min_length=1, max_length=32)] = _DOCKERFILE
    line: Annotated[int, Field(ge=1)] = 1
    start: int | None = 0
    role: Role = Role.FINAL_STAGE
    platforms: Annotated[list[_Name], Field(max_length=64)] = []
    workflows: Annotated[list[_Name], Field(max_length=256)] = []


def read_fleet(path: Path) -> ReplayedFleet:
    """JSON Lines, one usage a line: `source` (the repository) and `reference`; also `platforms`, `workflows`
    (file names of those that can be dispatched), `file`, `kind`, `line`, `role`, and `start`, which is null where
    the reference is implied and so cannot be edited. Raises `Failure` naming the line.
    """
    usages: list[tuple[str, Usage]] = []
    workflows: dict[str, set[str]] = {}
    for where, line in read_lines(path):
        row = _row(where, line)
        usages.append((row.source, _usage(where, row)))
        workflows.setdefault(row.source, set()).update(row.workflows)
    repositories = {name: ReplayedRepository(name, frozenset(files)) for name, files in workflows.items()}
    return ReplayedFleet.of(Use(repositories[name], usage) for name, usage in usages)


def synthetic_fleet(bases: Mapping[Base, int], *, seed: int = 1, size: int = 100) -> ReplayedFleet:
    """Repositories that nobody owns, the same for the same seed and bases.

    `bases` says how often each moved: one that moved often is chosen often. Each repository builds on one base and,
    where there is one, with the SDK image of the same version and distribution; a third pins by digest, two thirds
    can be dispatched.
    """
    random = Random(seed)  # noqa: S311 - reproducible on purpose, nothing secret depends on it
    candidates = sorted(
        base for base in bases if family_name(base) in _FAMILY_WEIGHTS and not Tag.parse(base.tag).is_prerelease
    )
    weights = [_FAMILY_WEIGHTS[family_name(base)] * bases[base] for base in candidates]
    uses: list[Use] = []
    for number in range(1, size + 1 if candidates else 1):
        base = _pick(random, candidates, weights)
        pinned, dispatched = random.random() < 1 / 3, random.random() < 2 / 3
        platforms = _PLATFORMS[int(random.random() * len(_PLATFORMS))]
        workflows = frozenset({REBUILD_WORKFLOW}) if dispatched else frozenset[str]()
        repository = ReplayedRepository(f"example/app-{number:04}", workflows)
        stages = [(base, Role.FINAL_STAGE), (_sdk_for(base, bases), Role.BUILD_STAGE)]
        uses += [
            Use(repository, _stage(stage, role, pinned, platforms)) for stage, role in stages if stage is not None
        ]
    return ReplayedFleet.of(uses)


def one_each(bases: Iterable[Base]) -> ReplayedFleet:
    """A repository for each base, to count what a base alone asks for."""
    workflows = frozenset({REBUILD_WORKFLOW})
    return ReplayedFleet.of(
        Use(ReplayedRepository(str(base), workflows), _stage(base, Role.FINAL_STAGE, False, ()))
        for base in sorted(bases)
    )


def _row(where: str, line: bytes) -> _UsageRow:
    try:
        return _UsageRow.model_validate_json(line)
    except ValidationError as error:
        advice = "one usage a line, with `source` and `reference`"
        raise Failure(Trouble.MALFORMED, misfit(error), where=where, advice=advice) from None


def _usage(where: str, row: _UsageRow) -> Usage:
    try:
        reference = Reference.parse(row.reference)
    except InvalidReference as error:
        raise Failure(Trouble.MALFORMED, str(error), where=where, advice="write it as Docker would") from None
    span = _whole(reference) if row.start is not None else None
    return Usage(row.file, row.kind, row.line, reference, row.role, span, platforms=tuple(row.platforms))


def _stage(base: Base, role: Role, pinned: bool, platforms: tuple[str, ...]) -> Usage:
    reference = Reference(base.name, base.tag, _NO_DIGEST if pinned else None)
    return Usage("Dockerfile", _DOCKERFILE, 1, reference, role, _whole(reference), platforms=platforms)


def _whole(reference: Reference) -> Span:
    """Returns a span over all of a reference: planning asks whether there is a place to edit, not where."""
    return Span(0, len(str(reference)))


def _sdk_for(base: Base, bases: Mapping[Base, int]) -> Base | None:
    """The SDK image of the same channel, on the same distribution if there is one, else on the default one."""
    repository = base.repository.rpartition("/")[0]
    tag = Tag.parse(base.tag)
    version = base.tag.partition("-")[0]
    tags = (f"{version}-{tag.system}", f"{version}-{tag.system}-slim", version)
    sdks = (Base(base.registry, f"{repository}/sdk", candidate) for candidate in tags)
    return next((sdk for sdk in sdks if sdk in bases), None)


def _pick(random: Random, candidates: Sequence[Base], weights: Sequence[int]) -> Base:
    """Spelled out with `random()` alone, whose sequence Python promises not to change."""
    mark = random.random() * sum(weights)
    for candidate, weight in zip(candidates, weights, strict=True):
        mark -= weight
        if mark < 0:
            return candidate
    return candidates[-1]
