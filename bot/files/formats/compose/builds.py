"""What a Compose file hands to the Dockerfiles of its services, and where it takes variables from."""

import posixpath
from collections.abc import Iterator
from collections.abc import Mapping as Values
from fnmatch import fnmatchcase
from typing import Any

from bot.files.formats.builds import (
    DOCKERFILE,
    Argument,
    Builds,
    BuiltName,
    DockerBuild,
    FileBuild,
    below,
    places,
)
from bot.files.formats.compose.finder import KIND, pairs_of
from bot.files.formats.compose.variables import interpolated
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.placing import ROOM
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read

ENVIRONMENT = ".env"


def builds(
    path: str, text: str, environment: Values[str, Spanned] | None = None, sources: tuple[str, ...] = ()
) -> Builds:
    """Every service with a `build`; `environment` is as `find` takes it, from the files `sources`. Never raises."""
    if "build" not in text or "services" not in text:
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    docker_builds: list[DockerBuild] = []
    for document in documents:
        services = document.mapping("services").entries() if isinstance(document, Mapping) else ()
        for _, service in services:
            build = _build(path, service, environment or {}, sources) if isinstance(service, Mapping) else None
            docker_builds += [build] if build is not None else []
    return Builds.of(docker_builds)


class _Asked(dict[str, Spanned]):
    """An environment that notes which variables are asked for."""

    def __init__(self, values: Values[str, Spanned]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def names(
    path: str, text: str, build: FileBuild | None = None, environment: Values[str, str] | None = None
) -> list[BuiltName]:
    """The names of the images of services that are built; variables without a value stay as written. Never raises.

    `environment` is what files of variables say, over which counts what a `build` sets.
    """
    if "build" not in text or "services" not in text:
        return []
    try:
        documents = read(text)
    except Unreadable:
        return []
    overrides = dict(build.variables) if build is not None else {}
    filled = {**(environment or {}), **overrides}
    variables = {name: Spanned.from_elsewhere(value) for name, value in filled.items()}
    built_names: list[BuiltName] = []
    for document in documents:
        services = document.mapping("services").entries() if isinstance(document, Mapping) else ()
        for key, service in services:
            is_selected = build is None or build.targets is None or key.value in build.targets
            image = service.scalar("image") if isinstance(service, Mapping) and is_selected else None
            if image is None or not isinstance(service, Mapping):
                continue
            docker = _build(path, service, variables, ())
            if docker is None:
                continue
            own = [] if build is None else [name for glob, name in build.tags if fnmatchcase(key.value, glob)]
            recorder = _Asked(variables)
            reference = interpolated(image.spanned.strip(), recorder)[0].text
            defaults = () if own else tuple(sorted(recorder.names - overrides.keys()))
            built_names += (
                BuiltName(key.value, name, image.start, docker.dockerfiles, defaults) for name in own or [reference]
            )
    return built_names


def _build(
    path: str, service: Mapping, environment: Values[str, Spanned], sources: tuple[str, ...]
) -> DockerBuild | None:
    build = service.mapping("build")
    if build.get("dockerfile_inline") is not None:
        return None
    context = service.scalar("build") or build.scalar("context")
    dockerfile_scalar = build.scalar("dockerfile")
    folder, dockerfile = (
        _fill_scalar(scalar, environment, default)
        for scalar, default in ((context, "."), (dockerfile_scalar, DOCKERFILE))
    )
    if folder is None or dockerfile is None or (context is None and not build.own):
        return None
    args = [
        Argument(name, value, is_shared=any(not 0 <= place < ROOM for place in value.places))
        for name, raw in pairs_of(build.get("args"))
        for value, unknown in (interpolated(raw, environment),)
        if not unknown
    ]
    image = service.scalar("image")
    image_name = _fill_scalar(image, environment, "") if image is not None else None
    dockerfiles = places(below(posixpath.dirname(path), folder, dockerfile))
    return DockerBuild(path, KIND, dockerfiles, tuple(args), image_name, sources) if dockerfiles else None


def _fill_scalar(scalar: Scalar | None, environment: Values[str, Spanned], default: str) -> str | None:
    """None where only the machine that runs it knows."""
    if scalar is None:
        return default
    value, unknown = interpolated(scalar.spanned.strip(), environment)
    return None if unknown else value.text


def environment_files(path: str, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The Compose files that this one includes with `env_file`s of their own, each with these, from the root on."""
    if "include" not in text or "env_file" not in text:
        return
    try:
        documents = read(text)
    except Unreadable:
        return
    folder = posixpath.dirname(path)
    for document in documents:
        for item in document.sequence("include") if isinstance(document, Mapping) else ():
            if isinstance(item, Mapping):
                files = places(*(below(folder, name) for name in _names(item.get("env_file"))))
                for name in _names(item.get("path")):
                    included = below(folder, name)
                    if included is not None and files:
                        yield included, files


def _names(node: Node | None) -> Iterator[str]:
    for item in node.items if isinstance(node, Sequence) else [node]:
        if isinstance(item, Scalar) and not item.is_null:
            yield item.value.strip()
