"""Bases that the engine of a job has from the job's own steps alone: what these build and push nowhere, or load.

Sources: the manuals of `docker build`, `docker tag`, `docker load` and `docker import`, and of Bazel, Nix, Jib and
the .NET SDK, which load what they make; Docker's page on builders:
one in a container sees no image that was loaded into the engine, and `--pull` asks the registry for each base.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.reference import Base, InvalidReference, Reference
from bot.files.audit.delivery.building import dockerfile_of, loads_archive
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.pushing import is_build, listed_names, option_values, pushed_names
from bot.files.audit.images.dockerfile import dockerfile_at
from bot.files.audit.images.publishers import is_known_official
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand, joined_lines
from bot.files.audit.workflows.model import PipelineStep

_ENGINES = frozenset({"docker", "podman", "nerdctl"})
_TO_ENGINE = "docker-daemon:"
_MAY_LOAD = re.compile(
    r"(?<![\w.-])(?:(?:bazel(?:isk)?|nix)[ \t]+(?:-\S+[ \t]+){0,5}run[ \t]|jib:dockerBuild\b|jibDockerBuild\b"
    r"|dotnet[ \t](?![^\n]*ContainerRegistry=)[^\n]*PublishContainer\b)"
)
"""Other builders that load what they make, under a name of their own files."""


@dataclass(frozen=True, slots=True)
class EngineImage:
    """What a step before a build gives the engine: images of these names, or of an archive that tells none here."""

    by: str
    names: frozenset[Base] = frozenset()

    def may_be(self, image: str) -> bool:
        """Whether it is that image, or may be: of an archive no image that is known to be in a registry."""
        base = _base(image)
        if self.names or base is None:
            return base in self.names
        return not _is_in_registry(image)


def base_in_engine(repository: RepositoryTexts, path: str, image: str) -> EngineImage | None:
    """What gives the engine the image that a FROM of the Dockerfile at `path` names, before a push that builds it;
    None where nothing does."""
    given = (
        each
        for push, images in repository.kept(_given_by_push).items()
        if dockerfile_of(push) in {None, path}
        for each in images
        if each.may_be(image)
    )
    return max(given, key=lambda each: bool(each.names), default=None)


def stands_on_engine(repository: RepositoryTexts, push: Push) -> bool:
    """Whether a base of what is pushed may be in the engine of its job alone, so that no other builder finds it."""
    given = repository.kept(_given_by_push).get(push, [])
    built = dockerfile_of(push)
    paths = (repository.dockerfiles if built is None else [built]) if given else []
    files = filter(None, (dockerfile_at(repository, path) for path in paths))
    images = [stage.image.text for file in files for stage in file.stages if stage.image is not None]
    return any(each.may_be(image) for each in given for image in images)


def _given_by_push(repository: RepositoryTexts) -> dict[Push, list[EngineImage]]:
    """What the engine is given before each push, of those before which it is given anything."""
    given = {push: list(_given_before(push)) for push in deliveries(repository).pushes}
    return {push: images for push, images in given.items() if images}


def _given_before(push: Push) -> Iterator[EngineImage]:
    """What the steps of the job give the engine until the push, but for what they push."""
    steps = push.pipeline.steps_until(push.step)
    commands = [command for step in steps for command in step.commands]
    pushed = {_base(name) for command in commands for name in pushed_names(command) or ()}
    for step in steps:
        for names in _given_by(step):
            own = frozenset(base for base in map(_base, names) if base is not None and base not in pushed)
            if own or not names:
                yield EngineImage(step.subject, own)


def _given_by(step: PipelineStep) -> Iterator[tuple[str, ...]]:
    """The names of each image that a step gives the engine; none for one of an archive."""
    is_loaded = step.input("load").lower() == "true" or "type=docker" in step.input("outputs")
    if step.action in BUILDKIT_ACTIONS and is_loaded and (names := listed_names(step.input("tags"))):
        yield names
    run = step.mapping.scalar("run")
    if run is not None and _MAY_LOAD.search(joined_lines(run.value)):
        yield ()
    for command in step.commands:
        yield from _given_by_command(command)


def _given_by_command(command: ShellCommand) -> Iterator[tuple[str, ...]]:
    words = command.words
    if command.name == "skopeo" and words[-1].startswith(_TO_ENGINE):
        yield (words[-1].removeprefix(_TO_ENGINE),)
    elif command.name not in _ENGINES:
        return
    elif words[1:2] == ("tag",):
        yield words[-1:]
    elif is_build(command) and pushed_names(command) is None:
        if names := option_values(words, "-t", "--tag"):
            yield names
    elif loads_archive(command):
        yield ()


def _base(image: str) -> Base | None:
    """What a name follows in a registry; None for a digest, and for a name that only a run completes."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return None
    return reference.base if reference.digest is None else None


def _is_in_registry(image: str) -> bool:
    """Whether a name is of a host, or of an image of Docker's own, so that an archive need not hold it."""
    host, slash, _ = image.partition("/")
    return (bool(slash) and "." in host) or is_known_official(Reference.parse(image))
