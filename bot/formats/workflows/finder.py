"""GitHub Actions: workflows, and the metadata files of actions.

Source: GitHub's workflow syntax (`jobs.<id>.container`, `jobs.<id>.services`, `steps[*].uses`) and metadata syntax
(`runs.image`, `runs.steps`).
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.domain.repositories.usage import Findings, Role
from bot.domain.tags.tag import Tag
from bot.formats.shell import script
from bot.formats.shell.commands import UNKNOWN
from bot.formats.shell.docker import image_contexts
from bot.formats.shell.dotnet import BASE
from bot.formats.source.collector import IMAGE_CONTEXT, Collector, Unreadable, is_plainly_an_image, quoted
from bot.formats.source.nodes import Mapping, Node, Scalar
from bot.formats.source.spanned import Spanned
from bot.formats.source.yaml import read
from bot.formats.workflows import KIND as KIND
from bot.formats.workflows.matrix import variants
from bot.formats.workflows.steps import evaluated, settings_of, steps_of

DOCKER = "docker://"
_WORDS = ("container", "services", "image", DOCKER, BASE, IMAGE_CONTEXT)
_NO_JOB = Mapping(0)
_FULL_PRECISION = 3
_ONLY_A_PART = "a matrix supplies only a part of it; write whole images in the matrix to have them pinned"


def find(path: str, text: str) -> Findings:
    """Images of jobs, services and container actions, and those that command lines and build actions name."""
    if not any(word in text for word in _WORDS):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for node, role, job in _images(documents):
        every = [evaluated(node.spanned.strip(), {}, variant) for variant in variants(job)]
        known = [written for written in every if UNKNOWN not in written.text]
        if not known:
            file.problem(node.start, f"the image {quoted(node.value)} is known only when the workflow runs")
        for written in known:
            _add(written.without_prefix(DOCKER) or written, role, file)
    if script.names_images(text):
        for step in (step for document in documents for step in steps_of(document)):
            commands = step.script
            if commands is not None:
                script.name_images(commands, file, step.environment)
            for image in image_contexts(settings_of(step, "set", "build-contexts")):
                file.image_or_problem(image, Role.CONTEXT)
    return file.findings()


def _add(image: Spanned, role: Role, file: Collector) -> None:
    """Where a matrix supplies only the tag, no digest can be added.

    Behind it, it would be that of all variants, and in the matrix it would meet steps that expect a version.
    """
    usage = file.usage(image, role)
    if usage is None:
        file.image_or_problem(image, role)
    elif usage.assembled and usage.reference.digest is None and not _is_patch(usage.reference.tag):
        file.add(replace(usage, span=None, fixed_because=_ONLY_A_PART))
    else:
        file.add(usage)


def _is_patch(tag: str | None) -> bool:
    """Whether a tag is brought up to date by another tag."""
    return tag is not None and Tag.parse(tag).precision == _FULL_PRECISION


def _images(documents: list[Node]) -> Iterator[tuple[Scalar, Role, Mapping]]:
    """Each with the job that it is named in; an action and a step name theirs without expressions."""
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        for _, job in document.mapping("jobs").entries():
            if isinstance(job, Mapping):
                yield from ((image, role, job) for image, role in _job_images(job))
        image = document.mapping("runs").scalar("image")
        if image is not None and _is_image(image.value.strip()):
            yield image, Role.ACTION, _NO_JOB
        for step in steps_of(document):
            uses = step.mapping.scalar("uses")
            if uses is not None and uses.value.strip().startswith(DOCKER):
                yield uses, Role.ACTION, _NO_JOB


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
