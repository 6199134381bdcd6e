"""A file → the images that its builds push, as far as the texts tell.

Sources: docker/build-push-action and docker/metadata-action, `docker build --push` and `docker push`, Bake targets,
Compose services with `build` and `image`, `ContainerRegistry` with `ContainerRepository` of .NET, Docker@2.
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from bot.domain.images.claims import NamedImage
from bot.domain.repositories.usage import Kind
from bot.files.formats import bake
from bot.files.formats.azure_pipelines import finder as azure_pipelines
from bot.files.formats.azure_pipelines.variables import Values
from bot.files.formats.builds import BuiltName, FileBuild
from bot.files.formats.compose import builds as compose_builds
from bot.files.formats.compose import finder as compose
from bot.files.formats.dotnet import project
from bot.files.formats.dotnet.msbuild import elements
from bot.files.formats.finding import is_text, kind_in
from bot.files.formats.produced import workflows
from bot.files.formats.produced.commands import Written, container_names, pushed, with_copies
from bot.files.formats.produced.placeholders import hidden, shown, split
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.shell.folders import Folders
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import mappings_under
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import Lines, decode
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows import KIND as WORKFLOW

_PUSHING = ("push", "dotnet", "acr", "skopeo")
"""Words without which no command or action pushes an image."""
MOST_NAMES = 500
"""Of one repository."""


@dataclass(frozen=True, slots=True)
class Named:
    """An image that a file names, with the target or service that it is of, and the variables whose own or default
    value in the file counted in its name."""

    image: NamedImage
    target: str = ""
    defaults: tuple[str, ...] = ()


def names_in(
    path: str, data: bytes, build: FileBuild | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Named, ...]:
    """The images that the builds of a file push, each with its line. Never raises.

    They come in the order of the text, but those of a job behind those of the jobs that it needs.

    Of a Bake or Compose file those of `build` where it is given, with the variables that files around it set.
    """
    kind = kind_in(path, data)
    if kind is None or not is_text(data):
        return ()
    read_names: Callable[[str, str], Iterator[Written]]
    if kind == bake.KIND:
        read_names = partial(_in_bake, build=build)
    elif kind == compose.KIND:
        read_names = partial(_in_compose, build=build, environment=environment)
    elif kind in _READERS:
        read_names = _READERS[kind]
    else:
        return ()
    return tuple(islice(_split_names(path, decode(data), read_names), MOST_NAMES))


def _split_names(path: str, text: str, written_in: Callable[[str, str], Iterator[Written]]) -> Iterator[Named]:
    text = hidden(text)
    lines = Lines(text)
    try:
        for pushed_name in with_copies(written_in(path, text)):
            parts = split(shown(pushed_name.name))
            if parts is not None:
                line = lines.at(max(0, pushed_name.place))
                image = NamedImage(
                    *(*parts, path, line, pushed_name.pulls, pushed_name.built_from, pushed_name.weakness),
                    branches=pushed_name.branches,
                    is_pushed=pushed_name.is_pushed,
                    variant=pushed_name.variant,
                )
                yield Named(image, pushed_name.target, pushed_name.defaults)
    except Unreadable:
        return


def _in_workflow(path: str, text: str) -> Iterator[Written]:
    if any(word in text for word in _PUSHING):
        for document in read(text):
            yield from workflows.names(document)


def _in_azure_pipeline(path: str, text: str) -> Iterator[Written]:
    if not any(word in text for word in ("Docker@", *_PUSHING)):
        return
    documents = read(text)
    values = Values(documents)
    for document in documents:
        for key, step in mappings_under(document):
            for commands, folder in azure_pipelines.commands_of(key, step, values):
                yield from pushed(commands, values.environment, Folders(folder))
            yield from _of_docker_task(step, values)


def _of_docker_task(step: YamlMapping, values: Values) -> Iterator[Written]:
    """Docker@2, where its service connection is called by the registry's host: nothing else tells the host."""
    task, inputs = step.scalar("task"), step.mapping("inputs")
    if task is None or not task.value.lower().startswith("docker@"):
        return
    scalars = {key: inputs.scalar(key) for key in ("command", "containerRegistry", "repository", "tags")}
    inputs_by_name = {
        key: values.evaluated(node.spanned).text.strip() for key, node in scalars.items() if node is not None
    }
    host, name = inputs_by_name.get("containerRegistry", ""), inputs_by_name.get("repository", "")
    if inputs_by_name.get("command", "buildAndPush").lower() in ("buildandpush", "push") and "." in host and name:
        for tag in inputs_by_name.get("tags", "*").replace(",", "\n").split():
            yield Written(f"{host}/{name}:{tag}", step.start)


def _in_bake(path: str, text: str, build: FileBuild | None) -> Iterator[Written]:
    yield from map(_of_target, bake.names(path, text, build))


def _in_compose(
    path: str, text: str, build: FileBuild | None, environment: Mapping[str, str] | None
) -> Iterator[Written]:
    yield from map(_of_target, compose_builds.names(path, text, build, environment))


def _of_target(built_name: BuiltName) -> Written:
    return Written(
        built_name.name, built_name.place, None, built_name.dockerfiles, built_name.target, built_name.defaults
    )


def _in_script(path: str, text: str) -> Iterator[Written]:
    if any(word in text for word in _PUSHING):
        own = posixpath.dirname(path)
        yield from pushed(Spanned(text, range(len(text))), folders=Folders("", own, may_be_own=True))


def _in_project(path: str, text: str) -> Iterator[Written]:
    """What the project writes out itself; conditions and properties of other files are not followed."""
    if "ContainerRegistry" not in text:
        return
    root = elements.read(text)
    properties: dict[str, str] = {}
    place = 0
    for group in root.named("PropertyGroup"):
        for element in group.children:
            if not group.condition and not element.condition:
                properties[element.name.lower()] = element.text.text.strip()
                place = element.start if element.name == "ContainerRegistry" else place
    for name in container_names(properties):
        yield Written(name, place, built_from=(path,), is_pushed=False)


_READERS: Mapping[Kind, Callable[[str, str], Iterator[Written]]] = {
    WORKFLOW: _in_workflow,
    azure_pipelines.KIND: _in_azure_pipeline,
    SHELL: _in_script,
    project.KIND: _in_project,
}
