"""Files into which a step before a build writes a secret, where the build copies them.

Source: the README of docker/build-push-action: without `context` it builds what Git has, and no file of a step.
"""

import posixpath
import re
from collections.abc import Iterator

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.deliveries import BUILDKIT_ACTIONS, deliveries
from bot.files.audit.delivery.delivery import Push
from bot.files.audit.images.copying import sources
from bot.files.audit.images.dockerfile import COPYING, Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import joined_lines, without_comments
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.builds import below
from bot.files.formats.dockerfile.lines import Instruction

_SECRET = re.compile(r"\$\{\{[^}]*\bsecrets\.(?!GITHUB_TOKEN\b)", re.IGNORECASE)
_WRITES = re.compile(
    r"(?:(?<![\d&>])>>?|\btee(?:[ \t]+-a)?[ \t]|\b(?:Set-Content|Out-File)(?:[ \t]+-(?:Path|FilePath))?[ \t])[ \t]*"
    r"[\"']?(?P<path>(?:\./)?[\w.-]{1,100}(?:/[\w.-]{1,100}){0,20})(?![\w/$*{~.-])"
)


def secrets_written_before(repository: RepositoryTexts, file: Dockerfile) -> Iterator[tuple[Instruction, str, str]]:
    """What copies a file that a step of the job has put a secret into, that file, and the workflow of the step."""
    for push in deliveries(repository).pushes:
        context = _context_of(push)
        if context is None or dockerfile_of(push) != file.path:
            continue
        for step in push.pipeline.steps_until(push.step):
            for path in _written(step):
                copy = _copying(file, posixpath.relpath(path, context or "."))
                if copy is not None:
                    yield copy, path, step.path
                    return


def _context_of(push: Push) -> str | None:
    """The folder that a build is given; None where it is not told, or is what Git has."""
    if push.step.action not in BUILDKIT_ACTIONS or not push.step.input("context"):
        return None if push.step.action in BUILDKIT_ACTIONS else ""
    return below("", push.step.input("context"))


def _written(step: PipelineStep) -> Iterator[str]:
    """The files of the checkout that the commands of a step write a secret into."""
    run = step.mapping.scalar("run")
    if run is None or step.mapping.get("working-directory") is not None:
        return
    names = [name for name, value in step.environment.items() if _SECRET.search(value)]
    given = re.compile("|".join((_SECRET.pattern, *(rf"\$\{{?(?:env:)?{re.escape(name)}\b" for name in names))))
    for line in joined_lines(without_comments(run.value)).split("\n"):
        if given.search(line):
            yield from (posixpath.normpath(match["path"]) for match in _WRITES.finditer(line))


def _copying(file: Dockerfile, path: str) -> Instruction | None:
    """The first instruction of the first stage that copies a file of the context."""
    for stage in file.stages:
        if any(each in {".", "*"} or path == each or path.startswith(f"{each}/") for each in sources(file, stage)):
            return next((each for each in file.of(stage) if each.keyword in COPYING), None)
    return None
