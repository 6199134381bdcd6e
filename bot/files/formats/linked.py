"""Files that decide about each other: Dockerfiles with the values that builds hand to them, and Compose files with
the variables of an `.env`.

Several builds of one Dockerfile count all. Its defaults count beside them: whoever builds it by hand gets these.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from bot.domain.repositories.usage import FileLine, Findings, Kind, Role, SourceProblem, Span, Usage
from bot.files.formats import bake
from bot.files.formats.builds import BakeOverride, Builds, DockerBuild, DotnetPublish, places
from bot.files.formats.compose import builds as compose_builds
from bot.files.formats.compose import finder as compose
from bot.files.formats.dockerfile import KIND as DOCKERFILE
from bot.files.formats.dockerfile import finder as dockerfile
from bot.files.formats.dotenv import KIND as ENVIRONMENT
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.rewrite import marker
from bot.files.formats.source.placing import located, placed, placed_later
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import Lines
from bot.files.formats.table import format_of

MOST_BUILDS_OF_ONE = 50
"""Builds of the same Dockerfile that are read with their values."""

Files = Mapping[str, tuple[Kind, str]]
"""Kind and text by path."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The findings of files that decide about each other, and the .NET publishes that all of them ask for.

    `findings` are those of files that cannot be read alone, by the file that is read: usages in them may stand in
    another one. `dotnet` is what all files ask of the .NET SDK.
    """

    findings: Mapping[str, Findings] = field(default_factory=dict)
    dotnet: tuple[DotnetPublish, ...] = ()
    groups: tuple[frozenset[str], ...] = ()
    """Paths that decide about each other; no path is in two of them."""
    _argument_spans: frozenset[tuple[str, Span | None]] = frozenset()
    _built: frozenset[tuple[str, str]] = frozenset()

    def kept(self, usages: Iterable[Usage]) -> list[Usage]:
        """Leaves out what a file alone takes for an image, and what is none or known better from elsewhere.

        A build argument is the base of a stage; an image of a Compose file may be what a sibling file builds.
        """
        return [
            usage
            for usage in usages
            if not (usage.role is Role.BUILD_ARGUMENT and (usage.path, usage.span) in self._argument_spans)
            and not (usage.kind == compose.KIND and self._is_built(usage))
        ]

    def _is_built(self, usage: Usage) -> bool:
        return usage.role is Role.IMAGE and (posixpath.dirname(usage.path), str(usage.reference)) in self._built


def is_linked(kind: Kind) -> bool:
    """Whether files of a kind may decide about others, or others about them."""
    return kind in (DOCKERFILE, ENVIRONMENT) or format_of(kind).builds is not None


def link(files: Files) -> Linked:
    """Links files that hand values to each other's builds. Never raises: reading a file tells what is broken."""
    environments = _environments(files)
    builds_by_path = {path: _builds(path, files, environments) for path in files}
    findings: dict[str, Findings] = {}
    groups: list[frozenset[str]] = []
    for path, sources in environments.items():
        values, used = _values(sources, files)
        if values:
            findings[path] = _with_environment(path, values, used, files)
            groups.append(frozenset((path, *used)))
    argument_spans: set[tuple[str, Span | None]] = set()
    overridden = Builds(
        docker=tuple(_override_builds((each for all_ in builds_by_path.values() for each in all_.bake), files))
    )
    for path, builds in _by_dockerfile((*builds_by_path.values(), overridden), files).items():
        dockerfile_findings = _with_builds(path, builds, files)
        findings[path] = dockerfile_findings
        groups.append(frozenset((path, *(name for build in builds for name in (build.path, *build.sources)))))
        argument_spans.update(
            (usage.path, usage.span) for usage in dockerfile_findings.usages if usage.path != path
        )
    built = {
        (posixpath.dirname(build.path), build.image)
        for file_builds in builds_by_path.values()
        for build in file_builds.docker
        if build.image is not None and build.kind == compose.KIND
    }
    dotnet = tuple(publish for each in builds_by_path.values() for publish in each.dotnet)
    return Linked(findings, dotnet, tuple(_apart(groups)), frozenset(argument_spans), frozenset(built))


def _apart(groups: Iterable[frozenset[str]]) -> list[frozenset[str]]:
    """Groups with a path in common as one."""
    joined_groups: list[frozenset[str]] = []
    for group in groups:
        touched = [other for other in joined_groups if not other.isdisjoint(group)]
        joined_groups = [other for other in joined_groups if other.isdisjoint(group)]
        joined_groups.append(group.union(*touched))
    return joined_groups


def _environments(files: Files) -> dict[str, tuple[str, ...]]:
    """Where each Compose file takes variables from: what an `include` names for it, else the `.env` beside it."""
    composed = {path: text for path, (kind, text) in files.items() if kind == compose.KIND and "$" in text}
    sources_by_path: dict[str, tuple[str, ...]] = {
        path: (beside,)
        for path in composed
        if (beside := posixpath.join(posixpath.dirname(path), compose_builds.ENVIRONMENT)) in files
    }
    for path, (kind, text) in files.items():
        if kind == compose.KIND:
            included_files = compose_builds.environment_files(path, text)
            sources_by_path |= {included: sources for included, sources in included_files if included in composed}
    return sources_by_path


def _values(sources: tuple[str, ...], files: Files) -> tuple[dict[str, Spanned], tuple[str, ...]]:
    """The variables with places behind those of the file that uses them, and the files that they stand in."""
    source_files = tuple(path for path in sources if path in files and files[path][0] == ENVIRONMENT)
    values: dict[str, Spanned] = {}
    for number, path in enumerate(source_files, start=1):
        values |= {name: placed_later(value, number) for name, value in variables(files[path][1]).items()}
    return values, source_files


def _builds(path: str, files: Files, environments: Mapping[str, tuple[str, ...]]) -> Builds:
    kind, text = files[path]
    read = format_of(kind).builds
    if read is None:
        return Builds()
    try:
        if kind == compose.KIND and path in environments:
            return compose_builds.builds(path, text, *_values(environments[path], files))
        return read(path, text)
    except Exception:
        return Builds()


def _override_builds(overrides: Iterable[BakeOverride], files: Files) -> Iterator[DockerBuild]:
    """The builds of Bake's targets with what commands set for them, which wins over the Bake file's own values."""
    targets: dict[str, list[tuple[str, DockerBuild]]] = {}
    for override in overrides:
        for path in (path for path in override.files if path in files and files[path][0] == bake.KIND):
            if path not in targets:
                targets[path] = bake.targets(path, files[path][1])
            for target, build in targets[path]:
                overriding_args = {
                    argument.name: argument for pattern, argument in override.args if fnmatchcase(target, pattern)
                }
                own_args = (each for each in build.args if each.name not in overriding_args)
                args = (
                    *overriding_args.values(),
                    *(replace(each, value=placed_later(each.value, 1)) for each in own_args),
                )
                if overriding_args:
                    yield replace(
                        build, path=override.path, args=args, sources=(path,), statement=override.statement
                    )


def _by_dockerfile(builds_of_files: Iterable[Builds], files: Files) -> dict[str, list[DockerBuild]]:
    """The builds with values of each Dockerfile that there is."""
    builds_by_path: dict[str, list[DockerBuild]] = {}
    for builds in builds_of_files:
        for build in builds.docker:
            path = next((path for path in build.dockerfiles if path in files), None)
            if path is not None and build.args and files[path][0] == DOCKERFILE:
                builds_by_path.setdefault(path, []).append(build)
    return builds_by_path


def _with_environment(path: str, values: Mapping[str, Spanned], sources: tuple[str, ...], files: Files) -> Findings:
    _, text = files[path]
    findings = compose.find(path, text, values)
    reader = _Reader(path, (path, *sources), files)
    return _mark_usages(Findings(tuple(map(reader.usage, findings.usages)), findings.problems), files)


def _with_builds(path: str, builds: list[DockerBuild], files: Files) -> Findings:
    """What the Dockerfile names by itself and with the values of each build."""
    _, text = files[path]
    alone = dockerfile.find(path, text)
    usages = {_key_of(usage): usage for usage in alone.usages}
    problems = set(alone.problems)
    for build in builds[:MOST_BUILDS_OF_ONE]:
        args = {each.name: placed_later(each.value, 1) for each in build.args}
        shared = {each.name for each in build.args if each.is_shared}
        findings = dockerfile.find(path, text, args, shared)
        reader = _Reader(path, places(path, build.path, *build.sources), files, build.statement)
        for usage in map(reader.usage, findings.usages):
            usages.setdefault(_key_of(usage), usage)
        problems &= set(findings.problems)
    common_problems: list[SourceProblem] = [problem for problem in alone.problems if problem in problems]
    return _mark_usages(Findings(tuple(usages.values()), tuple(common_problems)), files)


def _key_of(usage: Usage) -> tuple[object, ...]:
    """What tells one usage from another, whichever build it was read for."""
    return usage.path, usage.span, usage.reference, usage.role, usage.stage, usage.statement or usage.line


class _Reader:
    """Usages of one file with places in several → usages with places in each."""

    def __init__(self, path: str, paths: tuple[str, ...], files: Files, statement: int | None = None) -> None:
        self._path = path
        self._paths = paths
        self._files = files
        self._statement = statement
        self._lines: dict[str, Lines] = {}

    def usage(self, usage: Usage) -> Usage:
        named_at = FileLine(self._path, usage.statement or self._line(usage))
        placed_usage = placed(usage, lambda place: located(place, self._paths), self._lines_of, named_at)
        if placed_usage.path == self._path:
            return replace(
                placed_usage,
                statement=None if placed_usage.statement == placed_usage.line else placed_usage.statement,
            )
        line = None if self._statement is None else self._lines_of(self._paths[1]).at(self._statement)
        statement = line if placed_usage.path == self._paths[1] and line != placed_usage.line else None
        return replace(placed_usage, kind=self._files[placed_usage.path][0], statement=statement)

    def _line(self, usage: Usage) -> int:
        return min(usage.line, len(self._lines_of(self._path)))

    def _lines_of(self, path: str) -> Lines:
        if path not in self._lines:
            self._lines[path] = Lines(self._files[path][1])
        return self._lines[path]


def _mark_usages(findings: Findings, files: Files) -> Findings:
    """Gives each usage the marker that stands above it in its file."""
    by_path: dict[str, list[Usage]] = {}
    for usage in findings.usages:
        by_path.setdefault(usage.path, []).append(usage)
    marked = [usage for path, usages in by_path.items() for usage in marker.attached(usages, files[path][1])]
    return replace(findings, usages=tuple(marked))
