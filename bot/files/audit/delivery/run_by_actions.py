"""What container actions of a repository run: the images of its own Dockerfiles and projects, which GitHub has run
as root.

Source: GitHub's page on the metadata of actions, where `runs.image` is a Dockerfile or `docker://` and an image,
and that on Dockerfile support for them: no USER.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from posixpath import normpath

from bot.files.audit.delivery.built_images import Origin, built_here
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.dockerfile import Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workflows.scripts import in_checkout
from bot.files.formats.builds import below
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.shell.dotnet import WITH_VALUE

_IMAGE = "docker://"
_ON_COMMAND_LINE = re.compile(r"(?:^|:)Container(?:Repository|ImageName)=(?P<name>.+)", re.IGNORECASE)
_IN_PROJECT = re.compile(r"<Container(?:Repository|ImageName)>\s*(?P<name>[^<\s]+)", re.IGNORECASE)
_MOVES = frozenset({"cd", "pushd"})


def runs_dockerfile(repository: RepositoryTexts, path: str) -> bool:
    """Whether an action here names a Dockerfile, which is built for each run of it."""
    return path in repository.kept(_dockerfiles)


def runs_stage(repository: RepositoryTexts, file: Dockerfile, stage: BuildStage) -> bool:
    """Whether an action here names an image that is built here from a stage."""
    return any(
        path == file.path and (file.stage(target) if target else file.final) is stage
        for path, target in repository.kept(_origins)
    )


def runs_project(repository: RepositoryTexts, path: str, texts: Iterable[str]) -> bool:
    """Whether an action here names the image that a project is published as, by its texts or a command's."""
    images = repository.kept(_images)
    if not images:
        return False
    written = (match["name"] for text in texts for match in _IN_PROJECT.finditer(text))
    published = (name for folder, name in repository.kept(_published) if _is_of(path, folder))
    return any(f"/{image}".endswith(f"/{name}") for name in (*written, *published) for image in images)


def _runs(repository: RepositoryTexts) -> Iterator[tuple[str, str]]:
    """What each container action runs, with the folder that the action stands in."""
    for path in repository.paths:
        folder, _, name = path.rpartition("/")
        if name in {"action.yml", "action.yaml"} and (root := repository.root(path)) is not None:
            runs = root.mapping("runs")
            using, image = runs.scalar("using"), runs.scalar("image")
            if using is not None and image is not None and using.value.lower() == "docker":
                yield folder, image.value.strip()


def _dockerfiles(repository: RepositoryTexts) -> frozenset[str | None]:
    runs = _runs(repository)
    return frozenset(below(folder, image) for folder, image in runs if not image.startswith(_IMAGE))


def _images(repository: RepositoryTexts) -> frozenset[str]:
    """The images that actions name, without tags."""
    images = (image.removeprefix(_IMAGE) for _, image in _runs(repository) if image.startswith(_IMAGE))
    return frozenset(map(repository_of, images))


def _origins(repository: RepositoryTexts) -> frozenset[Origin]:
    return frozenset(built_here(repository, image) for image in repository.kept(_images))


def _published(repository: RepositoryTexts) -> list[tuple[str, str]]:
    """The names that commands of the SDK give to containers, each with the project or folder that is published."""
    return [
        (target, match["name"].strip("\"'"))
        for pipeline in pipelines(repository)
        for step in pipeline.steps
        for target, words in _publishes(step)
        for word in words
        if (match := _ON_COMMAND_LINE.search(word)) is not None and not is_unknown(word)
    ]


def _publishes(step: PipelineStep) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The commands of a step that publish, by their words, each with what it publishes."""
    written = step.mapping.scalar("working-directory")
    folder = in_checkout(written.value) if written is not None else "."
    for command in step.commands:
        words = command.words[1:]
        if command.name in _MOVES and words:
            folder = f"{folder}/{in_checkout(words[0])}"
        if command.name == "dotnet" and words[:1] in {("publish",), ("build",), ("msbuild",)}:
            operands = (
                each
                for before, each in pairwise(words)
                if not each.startswith(("-", "/")) and before not in WITH_VALUE
            )
            yield normpath(f"{folder}/{next(operands, '.')}".replace("\\", "/")), words


def _is_of(path: str, target: str) -> bool:
    """Whether a command that publishes a project, or what a folder holds, publishes the one at a path."""
    return target in {".", path} or path.startswith(f"{target}/")
