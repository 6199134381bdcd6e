"""GitHub Actions: workflows, and the metadata files of actions.

Source: GitHub's workflow syntax (`jobs.<id>.container`, `jobs.<id>.services`, `steps[*].uses`) and metadata syntax
(`runs.image`, `runs.steps`).
"""

from collections.abc import Iterator

from bot.domain.usage import Findings, Kind, Role
from bot.formats.source.collector import Collector, Unreadable, is_plainly_an_image, quoted
from bot.formats.source.nodes import Mapping, Node, Scalar
from bot.formats.source.yaml import read

KIND = Kind("gha")
DOCKER = "docker://"
_WORDS = ("container", "services", "image", DOCKER)


def find(path: str, text: str) -> Findings:
    """Job containers, service containers and container actions."""
    if not any(word in text for word in _WORDS):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    for node, role in _images(documents):
        written = node.spanned.strip()
        if "${{" in written.text:
            file.problem(node.start, f"the image {quoted(written.text)} is known only when the workflow runs")
        else:
            file.image_or_problem(written.without_prefix(DOCKER) or written, role)
    return file.findings()


def _images(documents: list[Node]) -> Iterator[tuple[Scalar, Role]]:
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        for _, job in document.mapping("jobs").entries():
            if isinstance(job, Mapping):
                yield from _job_images(job)
        runs = document.mapping("runs")
        image = runs.scalar("image")
        if image is not None and _is_image(image.value.strip()):
            yield image, Role.ACTION
        yield from _step_images(runs)


def _is_image(value: str) -> bool:
    """Not the path of a Dockerfile. Runners ask for `docker://`, and take a local action's image without it."""
    return value.startswith(DOCKER) or is_plainly_an_image(value)


def _job_images(job: Mapping) -> Iterator[tuple[Scalar, Role]]:
    container = job.scalar("container") or job.mapping("container").scalar("image")
    if container is not None:
        yield container, Role.CONTAINER
    for _, service in job.mapping("services").entries():
        image = service.scalar("image") if isinstance(service, Mapping) else None
        if image is not None:
            yield image, Role.SERVICE
    yield from _step_images(job)


def _step_images(runner: Mapping) -> Iterator[tuple[Scalar, Role]]:
    for step in runner.sequence("steps"):
        uses = step.scalar("uses") if isinstance(step, Mapping) else None
        if uses is not None and uses.value.strip().startswith(DOCKER):
            yield uses, Role.ACTION
