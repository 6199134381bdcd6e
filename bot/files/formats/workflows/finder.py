"""GitHub Actions: workflows, and the metadata files of actions.

Source: GitHub's workflow syntax (`jobs.<id>.container`, `jobs.<id>.services`, `steps[*].uses`) and metadata syntax
(`runs.image`, `runs.steps`).
"""

from collections.abc import Iterator
from collections.abc import Mapping as Values

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.shell import script
from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.shell.docker import image_contexts
from bot.files.formats.shell.dotnet import BASE
from bot.files.formats.source.collector import (
    IMAGE_CONTEXT,
    Collector,
    Unreadable,
    handed_over,
    is_plainly_an_image,
    quoted,
)
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows import KIND as KIND
from bot.files.formats.workflows.builds import BUILDAH
from bot.files.formats.workflows.matrix import Variants
from bot.files.formats.workflows.steps import WorkflowStep, evaluated, settings_of, steps_of

DOCKER = "docker://"
_WORDS = ("container", "services", "image", DOCKER, BASE, IMAGE_CONTEXT)
_ONE_VARIANT: tuple[Values[str, Spanned], ...] = ({},)
_ONLY_A_PART = "a matrix or an input supplies only a part of it; write whole images there to have them pinned"


def find(path: str, text: str) -> Findings:
    """Images of jobs, services and container actions, and those that command lines and build actions name."""
    if not any(word in text for word in _WORDS) and not script.names_images(text):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for node, role, variants in _images(documents):
        every = [evaluated(node.spanned.strip(), {}, variant) for variant in variants]
        known_references = [reference for reference in every if UNKNOWN not in reference.text]
        if not known_references:
            file.problem(node.start, f"the image {quoted(node.value)} is known only when the workflow runs")
        for reference in known_references:
            image = reference.without_prefix(DOCKER) or reference
            file.image_or_part(image, role, why_fixed=_ONLY_A_PART)
    if "base-image" in text:
        for step in (step for document in documents for step in steps_of(document)):
            _name_base(step, file)
    if script.names_images(text):
        for step in (step for document in documents for step in steps_of(document)):
            commands = step.script
            if commands is not None:
                script.name_images(commands, file, step.environment)
            for image in image_contexts(settings_of(step, "set", "build-contexts")):
                file.image_or_problem(image, Role.CONTEXT)
    return file.findings()


def _images(documents: list[Node]) -> Iterator[tuple[Scalar, Role, tuple[Values[str, Spanned], ...]]]:
    """Each with the variants of its job; an action and a step name theirs without expressions."""
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        variants = Variants(document)
        for _, job in document.mapping("jobs").entries():
            if isinstance(job, Mapping):
                job_variants = variants.of(job)
                yield from ((image, role, job_variants) for image, role in _job_images(job))
                if job.scalar("uses") is not None:
                    yield from ((image, Role.CONTAINER, _ONE_VARIANT) for image in handed_over(job.mapping("with")))
        image = document.mapping("runs").scalar("image")
        if image is not None and _is_image(image.value.strip()):
            yield image, Role.ACTION, _ONE_VARIANT
        for step in steps_of(document):
            uses = step.mapping.scalar("uses")
            if uses is not None and uses.value.strip().startswith(DOCKER):
                yield uses, Role.ACTION, _ONE_VARIANT


def _name_base(step: WorkflowStep, file: Collector) -> None:
    """`base-image` of buildah-build, which builds without a Dockerfile."""
    uses, base = step.mapping.scalar("uses"), step.mapping.mapping("with").scalar("base-image")
    if uses is None or base is None or not BUILDAH.fullmatch(uses.value.strip()):
        return
    image = step.evaluated(base.spanned)
    if UNKNOWN in image.text:
        file.problem(base.start, f"the image {quoted(base.value)} is known only when the workflow runs")
    else:
        file.image_or_part(image, Role.BASE_IMAGE, why_fixed=_ONLY_A_PART)


def _is_image(value: str) -> bool:
    """Whether a value names an image, not a Dockerfile: runners ask for `docker://`, but not in local actions."""
    return value.startswith(DOCKER) or is_plainly_an_image(value)


def _job_images(job: Mapping) -> Iterator[tuple[Scalar, Role]]:
    container = job.scalar("container") or job.mapping("container").scalar("image")
    if container is not None:
        yield container, Role.CONTAINER
    for _, service in job.mapping("services").entries():
        image = service.scalar("image") if isinstance(service, Mapping) else service
        if isinstance(image, Scalar) and not image.is_null:
            yield image, Role.SERVICE
