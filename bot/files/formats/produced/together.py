"""The images that the files of a repository name together: what Bake and Compose files name hangs on their builds.

A variable's default counts where a build of the file is found that does not set it. Where none is found, or where
the value cannot be told, the name is weak evidence, with the reason.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from bot.domain.images.claims import NamedImage
from bot.domain.repositories.usage import SourceProblem
from bot.files.formats import bake
from bot.files.formats.azure_pipelines import KIND as AZURE_PIPELINES
from bot.files.formats.builds import FileBuild
from bot.files.formats.compose.builds import ENVIRONMENT
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.dotenv.variables import variables
from bot.files.formats.finding import is_text, kind_in
from bot.files.formats.produced.file_builds import FileBuilds, Variables
from bot.files.formats.produced.placeholders import hidden
from bot.files.formats.produced.reading import MOST_NAMES, Named, names_in
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.text import decode
from bot.files.formats.workflows import KIND as WORKFLOW

MOST_CALLS = 50
"""Of scripts and actions of one repository, each with other variables."""
MOST_BUILDS = 20
"""Of one file, each with other variables."""
_TOO_MANY = (
    f"scripts and actions are called with more than {MOST_CALLS} sets of variables, and what the rest builds of "
    "Bake and Compose files is not read; say under produces in the repository's own file, or in the settings under "
    "images, which images it pushes"
)
_ACTIONS = ("action.yml", "action.yaml")

Contents = Mapping[str, bytes]
"""Bytes by path."""
Reader = Callable[[str, Variables], FileBuilds]
"""Tells what a file builds of others where these variables are set."""
ValuesOf = Callable[[str], Mapping[str, str]]
"""Tells the values of a Bake file's variables."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A file's names by one build."""

    build: FileBuild
    named: tuple[Named, ...]


def values_in(files: Contents) -> ValuesOf:
    """The values of the variables of each Bake file, which is read once however many others it stands beside."""

    @cache
    def of(path: str) -> Mapping[str, str]:
        is_bake = kind_in(path, files[path]) == bake.KIND and is_text(files[path])
        return bake.values(path, hidden(decode(files[path]))) if is_bake else {}

    return of


def names_together(
    path: str, files: Contents, alone: Sequence[Named], builds: Sequence[FileBuild], values_of: ValuesOf
) -> list[NamedImage]:
    """The images that one Bake or Compose file names, by all `builds` of the repository; `alone` is what it names
    by itself."""
    mine = [build for build in builds if path in build.files]
    pushing = [build for build in mine if build.pushes]
    readings: list[_Reading] = []
    for build in _different(pushing or mine, files[path]):
        if sum(len(reading.named) for reading in readings) < MOST_NAMES:
            readings.append(_reading(path, build, files, values_of))
    built = {target_name.target for reading in readings for target_name in reading.named}
    generated = any(reading.build.generated for reading in readings)
    judged = [
        _judge_name(path, target_name, reading, readings, files)
        for reading in readings
        for target_name in reading.named
    ]
    images = [replace(each, is_pushed=bool(pushing)) for each in judged]
    for lone_name in alone:
        if lone_name.target not in built and not generated:
            why = (
                "nothing is found here that builds it and pushes"
                if mine
                else "nothing is found here that builds it"
            )
            image = _weak(path, lone_name, why) if lone_name.defaults else lone_name.image
            images.append(replace(image, is_pushed=False))
    return images


def _different(builds: Sequence[FileBuild], data: bytes) -> list[FileBuild]:
    """Those that may name a file's images otherwise than each other, with only the variables that it mentions: to
    read a file once more takes a while."""
    text = decode(data)
    builds_by_reading: dict[FileBuild, FileBuild] = {}
    for build in builds:
        variables = tuple((name, value) for name, value in build.variables if name in text)
        reading_key = replace(build, path="", line=0, variables=variables)
        builds_by_reading.setdefault(reading_key, replace(build, variables=variables))
    return list(builds_by_reading.values())[:MOST_BUILDS]


def builds_in(files: Contents, read: Reader) -> tuple[list[FileBuild], tuple[SourceProblem, ...]]:
    """All builds of Bake and Compose files that the workflows and pipelines of a repository ask for, themselves or
    through its scripts and actions; and a problem at the first file of which calls are too many to follow."""
    kinds = {path: kind_in(path, data) for path, data in files.items()}
    callees: dict[str, list[str]] = {}
    for path, kind in kinds.items():
        if kind == SHELL:
            callees.setdefault(posixpath.basename(path), []).append(path)
        elif _is_action(path):
            callees.setdefault(path, []).append(path)
    waiting: list[tuple[str, Variables]] = [
        (path, ()) for path, kind in kinds.items() if kind in (WORKFLOW, AZURE_PIPELINES) and not _is_action(path)
    ]
    asked_first = len(waiting)
    reached = set(waiting)
    builds: dict[FileBuild, None] = {}
    unread: SourceProblem | None = None
    for here in waiting:
        file_builds = read(*here)
        builds |= dict.fromkeys(file_builds.builds)
        for call in file_builds.calls:
            for path in callees.get(call.callee, ()):
                called = (path, call.variables)
                if called in reached:
                    continue
                if len(waiting) - asked_first < MOST_CALLS:
                    reached.add(called)
                    waiting.append(called)
                elif unread is None:
                    unread = SourceProblem(here[0], 1, _TOO_MANY)
    return list(builds), () if unread is None else (unread,)


def hangs_on_builds(path: str, data: bytes, alone: Sequence[Named]) -> bool:
    """Whether what a file names hangs on who builds it; `alone` is what it names by itself."""
    kind = kind_in(path, data)
    return kind == bake.KIND or (kind == COMPOSE and bool(alone))


def environment_of(path: str, files: Contents, build: FileBuild | None = None) -> dict[str, str]:
    """What the files of variables that count for a Compose file set; `UNKNOWN` for those not written out."""
    beside = posixpath.join(posixpath.dirname(path), ENVIRONMENT)
    files_named = build.environment_files if build is not None else None
    values: dict[str, str] = {}
    for place in files_named if files_named is not None else (beside,):
        data = files.get(place)
        if data is not None and is_text(data):
            values |= {name: value.text for name, value in variables(hidden(decode(data))).items()}
    return values


def _is_action(path: str) -> bool:
    return posixpath.basename(path) in _ACTIONS


def _reading(path: str, build: FileBuild, files: Contents, values_of: ValuesOf) -> _Reading:
    build = replace(build, variables=_with_other_files(path, build, files, values_of))
    return _Reading(build, names_in(path, files[path], build, environment_of(path, files, build)))


def _with_other_files(path: str, build: FileBuild, files: Contents, values_of: ValuesOf) -> Variables:
    """What a build sets, over what the Bake files that it puts together with this one say: the last one wins."""
    others = [each for each in build.files if each in files]
    settings: dict[str, str] = {}
    if kind_in(path, files[path]) == bake.KIND:
        for other in others[others.index(path) + 1 :]:
            settings |= values_of(other)
    return tuple(sorted((settings | dict(build.variables)).items()))


def _judge_name(
    path: str, target_name: Named, reading: _Reading, readings: Sequence[_Reading], files: Contents
) -> NamedImage:
    if not target_name.defaults:
        return target_name.image
    unread = [each for each in reading.build.environment_files or () if each not in files]
    if unread:
        source = "a file" if UNKNOWN in unread[0] else unread[0]
        return _weak(
            path,
            target_name,
            f"{reading.build.path}:{reading.build.line} takes it from {source}, which is not read",
        )
    for other in readings:
        if any(name in target_name.defaults for name, _ in other.build.variables) and _builds(other, target_name):
            return _weak(path, target_name, f"{other.build.path}:{other.build.line} sets it")
    environment = environment_of(path, files, reading.build)
    if (
        kind_in(path, files[path]) == COMPOSE
        and "*" in target_name.image.tag
        and not set(target_name.defaults) <= environment.keys()
    ):
        return _weak(path, target_name, f"{reading.build.path}:{reading.build.line} does not show what sets it")
    return target_name.image


def _builds(reading: _Reading, target_name: Named) -> bool:
    return any(each.target == target_name.target for each in reading.named)


def _weak(path: str, target_name: Named, why: str) -> NamedImage:
    names = " and ".join(target_name.defaults[:3])
    return replace(target_name.image, weakness=f"its name or tag is the default of {names} in {path}, and {why}")


def each_once(images: Iterable[NamedImage]) -> Iterator[NamedImage]:
    """Each name and tag of a file once for each file that it is built from, by strong evidence where there is
    any."""
    images_by_key: dict[tuple[object, ...], NamedImage] = {}
    for image in images:
        key = (image.path, image.name, image.tag, image.built_from, image.branches)
        earlier = images_by_key.get(key)
        if earlier is None or (earlier.weakness and not image.weakness):
            images_by_key[key] = image
    yield from list(images_by_key.values())[:MOST_NAMES]
