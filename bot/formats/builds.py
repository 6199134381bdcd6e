"""What a file asks of builds elsewhere: a Dockerfile to be built with values for its ARGs, or a project to be
published with properties of the command line."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.usage import Kind
from bot.formats.source.spanned import Spanned

MOST_BUILDS = 200
"""Of one file."""
DOCKERFILE = "Dockerfile"


@dataclass(frozen=True, slots=True)
class DockerBuild:
    """A build that the file `path` asks for. `args` are its build arguments, with their places in that file.

    `image` is the name that the result gets, where it is told.
    """

    path: str
    kind: Kind
    dockerfile: str
    args: tuple[tuple[str, Spanned], ...]
    image: str | None = None


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


@dataclass(frozen=True, slots=True)
class Builds:
    docker: tuple[DockerBuild, ...] = ()
    dotnet: tuple[DotnetPublish, ...] = ()

    @classmethod
    def of(cls, asked: Iterable[DockerBuild | DotnetPublish]) -> "Builds":
        first = list(asked)[:MOST_BUILDS]
        return cls(
            tuple(each for each in first if isinstance(each, DockerBuild)),
            tuple(each for each in first if isinstance(each, DotnetPublish)),
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


def dockerfile_of(folder: str | None, context: str, dockerfile: str | None) -> str | None:
    """The Dockerfile of a build in `folder`: `dockerfile` is found from the context on, as Compose and Bake do."""
    return below(folder, context, dockerfile or DOCKERFILE)


def pairs_of(written: Sequence[Spanned]) -> tuple[tuple[str, Spanned], ...]:
    """`NAME=value` each; one without a value comes from the environment and says nothing."""
    found: list[tuple[str, Spanned]] = []
    for each in written:
        name, equals, _ = each.text.partition("=")
        if equals and name.strip():
            found.append((name.strip(), each.part(len(name) + 1, len(each))))
    return tuple(found)
