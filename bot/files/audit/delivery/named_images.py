"""Whether a name that a step scans, signs or attests is of what a push brings out.

Sources: the outputs of docker/metadata-action and docker/build-push-action, and the schemes of Trivy, Grype and
Docker Scout for what is no image of a registry.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.building import names_of_image
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.delivery.digests import OF_STEP, writer_of
from bot.files.audit.delivery.metadata_action import NAMES, VERSION, metadata_of
from bot.files.audit.delivery.pushing import is_build, listed_names, option_values, repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import is_unknown
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.source.expressions import EXPRESSION

_NAME = re.compile(r"[a-z\d_][\w.-]*(?::\d+)?(?:/[a-z\d_][\w.-]*)*(?::[\w.-]+)?(?:@[\w:.-]+)?", re.IGNORECASE)
_OF_FILES = re.compile(
    r"\.(?:tar|tgz|gz|zip|json|xml)$|^(?:[a-z]+-(?:archive|dir)|archive|sbom|purl|fs|dir|file|oci)(?::|$)",
    re.IGNORECASE,
)
"""What names an archive or a list, and not an image of a registry."""


def target_fits(repository: RepositoryTexts, push: Push, step: PipelineStep, target: str) -> bool | None:
    """Whether a reference that a step scans, signs or verifies is what is pushed; None where that is not told.

    It is another image where the last parts of the names differ, and nothing in the run builds what may be the same
    under that name.
    """
    answers = repository.kept(_answers)
    key = (push, step, target)
    if key not in answers:
        answers[key] = _fits(repository, push, step, target.strip())
    return answers[key]


def _answers(_: RepositoryTexts) -> dict[tuple[Push, PipelineStep, str], bool | None]:
    return {}


def _fits(repository: RepositoryTexts, push: Push, step: PipelineStep, target: str) -> bool | None:
    if not target:
        return None
    if push.step.id and writer_of(repository, push.pipeline, step, target) == (push.step.job.name, push.step.id):
        return True
    names = [name for name in push.names if name]
    if target in names or any(f"{name}:latest" == target or name == f"{target}:latest" for name in names):
        return True
    if any(OF_STEP.search(name) and target.startswith(f"{name}@") for name in names):
        return True
    if _is_of_metadata(push, step, target) or target.removesuffix(":latest") in names_of_image(push):
        return True
    return False if _is_of_another(push, target, names) else None


def _is_of_metadata(push: Push, step: PipelineStep, target: str) -> bool:
    """Whether a name is one that metadata-action gives what is pushed."""
    ways = (NAMES, VERSION)
    given = [each for way in ways if (each := metadata_of(push.pipeline, step, target, way)) is not None]
    own = [metadata_of(push.pipeline, push.step, name, way) for name in push.names for way in ways]
    if not given or given[0] not in own:
        return False
    if NAMES.search(target):
        return True
    return repository_of(target) in {*_images(given[0]), *map(repository_of, push.names)}


def _images(metadata: PipelineStep) -> list[str]:
    return [each.split(",")[0].removeprefix("name=").strip() for each in listed_names(metadata.input("images"))]


def _is_of_another(push: Push, target: str, names: list[str]) -> bool:
    own = {_last(each) for name in names for each in told_names(push, name)}
    if not own or "" in own or _last(target) in {"", *own}:
        return False
    return "/" in target.partition("@")[0] and target.removesuffix(":latest") not in _built_in(push.pipeline)


def told_names(push: Push, name: str) -> list[str]:
    """A pushed name, or the images that metadata-action was told of where that makes it."""
    metadata = metadata_of(push.pipeline, push.step, name, NAMES)
    return [name] if metadata is None else (_images(metadata) or [""])


def _last(name: str) -> str:
    """The last part of an image's name in small letters; empty where that is not told."""
    masked = EXPRESSION.sub("x", name).replace(UNKNOWN, "x")
    if not _NAME.fullmatch(masked) or _OF_FILES.search(name.partition("@")[0]):
        return ""
    last = repository_of(name).rpartition("/")[2]
    return "" if is_unknown(last) else last.lower()


def _built_in(pipeline: Pipeline) -> set[str]:
    """The names that the run gives to what it builds, be it pushed or not."""
    return {name.removesuffix(":latest") for step in pipeline.steps for name in _given_by(step)}


def _given_by(step: PipelineStep) -> Iterator[str]:
    if step.action in BUILDKIT_ACTIONS:
        yield from listed_names(step.input("tags"))
    for command in step.commands:
        if is_build(command):
            yield from option_values(command.words, "-t", "--tag")


def is_another_image(push: Push, other: Push) -> bool:
    """Whether two pushes of a run surely bring out different images: by their names, or the actions that build."""
    last_names = [{_last(each) for name in one.names for each in told_names(one, name)} for one in (push, other)]
    if all(last_names) and not any("" in names for names in last_names) and last_names[0].isdisjoint(last_names[1]):
        return True
    return push.step is not other.step and {push.step.action, other.step.action} <= BUILDKIT_ACTIONS
