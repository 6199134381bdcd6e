"""What a file asks of builds elsewhere: a Dockerfile to be built with values for its ARGs, or a project to be
published with properties of the command line."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.repositories.usage import Kind
from bot.files.formats.source.spanned import Spanned

MOST_BUILDS = 200
"""Of one file."""
DOCKERFILE = "Dockerfile"
FURTHEST_QUOTE = 2
"""Characters from the `=` to its value, which a quote may stand between."""


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """What a file has put into it before it runs, as it names that, and where; `place` is where it is in the same
    repository, None where it is elsewhere."""

    path: str
    line: int
    name: str
    place: str | None


@dataclass(frozen=True, slots=True)
class Argument:
    """A value for an ARG. `is_shared` says that a variable supplies it, which may feed other ends too."""

    name: str
    value: Spanned
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class DockerBuild:
    """A build that the file `path` asks for, of the first of `dockerfiles` that there is.

    Places in `args` are counted through the file itself and `sources`, as `bot.files.formats.source.placing` does.
    `image` is the name that the result gets, where it is told. `statement` is a place in the line that a comment
    can stand above, where it is not the one of a value itself.
    """

    path: str
    kind: Kind
    dockerfiles: tuple[str, ...]
    args: tuple[Argument, ...]
    image: str | None = None
    sources: tuple[str, ...] = ()
    statement: int | None = None


@dataclass(frozen=True, slots=True)
class BakeOverride:
    """What a command of Bake sets for targets: `--set TARGET.args.NAME=VALUE`.

    `files` are the Bake files that it may mean, `args` have the target's name, or a pattern with `*`.
    """

    path: str
    kind: Kind
    files: tuple[str, ...]
    args: tuple[tuple[str, Argument], ...]
    statement: int | None = None


@dataclass(frozen=True, slots=True)
class FileBuild:
    """A command or an action that builds what Bake or Compose files name.

    `files` are those that it may mean, in the order in which they are put together; `variables` what it sets, with
    `UNKNOWN` for what only a run tells; `tags` the names that it gives to targets, or patterns of them, instead of
    the file's. `targets` are those that it builds, None for those that are built where none is named.
    `environment_files` are what `--env-file` names, None where the `.env` counts; `generated` are the targets whose
    names another step writes.
    """

    path: str
    line: int
    files: tuple[str, ...]
    variables: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] | None = None
    environment_files: tuple[str, ...] | None = None
    generated: tuple[str, ...] = ()
    pushes: bool = False


@dataclass(frozen=True, slots=True)
class BuiltName:
    """A name that a target of Bake or a service of Compose gets: its place, the Dockerfiles of which the first that
    there is is built, and the variables whose own or default value in the file counted in it."""

    target: str
    name: str
    place: int
    dockerfiles: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DotnetPublish:
    """A `dotnet publish`, `build` or `msbuild` that the file `path` asks for in `line`.

    `target` is the project, solution or folder from the repository's root on, None where the text leaves it open.
    `properties` are those with a value that is written out, with its places in that file; the names of the others
    are in `undecided`. `is_container` says that an image is asked for: the target PublishContainer, or the profile
    DefaultContainer.
    """

    path: str
    kind: Kind
    line: int
    target: str | None
    properties: tuple[tuple[str, Spanned], ...] = ()
    undecided: tuple[str, ...] = ()
    is_container: bool = False
    os: str | None = None
    architecture: str | None = None


Asked = DockerBuild | DotnetPublish | BakeOverride


@dataclass(frozen=True, slots=True)
class Builds:
    """What the files of a repository ask builds to do, by the tool that builds."""

    docker: tuple[DockerBuild, ...] = ()
    dotnet: tuple[DotnetPublish, ...] = ()
    bake: tuple[BakeOverride, ...] = ()

    @classmethod
    def of(cls, builds: Iterable[Asked]) -> "Builds":
        first = list(dict.fromkeys(builds))[:MOST_BUILDS]
        return cls(
            tuple(each for each in first if isinstance(each, DockerBuild)),
            tuple(each for each in first if isinstance(each, DotnetPublish)),
            tuple(each for each in first if isinstance(each, BakeOverride)),
        )


def below(folder: str | None, *parts: str) -> str | None:
    """A path from the repository's root on; None where it leads out of it or is an address."""
    if folder is None or any("://" in part or part.startswith(("git@", "~")) for part in parts):
        return None
    joined = posixpath.normpath(posixpath.join("/", folder, *(part.replace("\\", "/") for part in parts)))
    depth = 0
    for part in posixpath.join(folder, *(part.replace("\\", "/") for part in parts)).split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(part, 1)
        if depth < 0:
            return None
    return joined.lstrip("/")


def places(*paths: str | None) -> tuple[str, ...]:
    """Returns the paths that are known, each once, in the order given."""
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def arguments(settings: Sequence[Spanned]) -> tuple[Argument, ...]:
    """Reads settings `NAME=value`; one without a value comes from the environment and is left out."""
    arguments_with_value: list[Argument] = []
    for setting in settings:
        name, equals, value = setting.text.partition("=")
        if equals and name.strip():
            begin = len(name) + 1
            near = setting.places[begin] - setting.places[begin - 1] if value else 0
            is_own = setting.span(begin, len(setting)) is not None and 0 < near <= FURTHEST_QUOTE
            arguments_with_value.append(
                Argument(name.strip(), setting.part(begin, len(setting)), is_shared=not is_own)
            )
    return tuple(arguments_with_value)
