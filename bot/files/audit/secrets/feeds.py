"""Passwords of package feeds that a build writes into the configuration of NuGet or npm, which may be kept then.

Sources: the manuals of `dotnet nuget add source` (it writes into the nearest `nuget.config`, else into the user's)
and of npm's `.npmrc`.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.building import dockerfile_of
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.images.copying import sources
from bot.files.audit.images.dockerfile import COPYING, Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.dockerfile.lines import Instruction

_ADDS = re.compile(
    r"\bnuget(?:\.exe)?\s+(?:(?:add|update)\s+source|sources?\s+(?:add|update))\b(?=[^\n;|]*\s(?:-p|--?password)[\s=]+[\"']?(?!%))"
    r"|\bnpm\s+config\s+set\b[^\n;|]*_auth",
    re.IGNORECASE,
)
_WRITES = re.compile(
    r"(?:>>?\s*|\btee\s+(?:-a\s+)?|\bsed\s+-i[^\n;|&]*\s|Set-Content\s[^\n;|]*)\"?(?:[^\s\"';|&]*/)?(?:nuget\.config|\.npmrc)\b",
    re.IGNORECASE,
)
_REMOVES = re.compile(r"\brm\s[^\n;|&]*(?:nuget|npmrc)|\bremove\s+source\b|sources?\s+remove\b", re.IGNORECASE)
_CONFIG_FILE = re.compile(r"--?config-?file[\s=]+[\"']?(?P<path>[^\s\"']+)", re.IGNORECASE)
_MOUNTS_SECRET = re.compile(r"--mount=\S*\btype=secret")
_SECRET = re.compile(r"\$\{\{[^}]*(?:secrets\.|github\.token)")
_CONFIGURATION = re.compile(r"(?:^|/)nuget\.config$", re.IGNORECASE)


def written_by_run(instruction: Instruction, text: str) -> bool:
    """Whether a RUN that is given a build secret writes it into a configuration, and leaves it there."""
    if instruction.keyword != "run" or not _MOUNTS_SECRET.search(text):
        return False
    written = [match.start() for pattern in (_ADDS, _WRITES) for match in pattern.finditer(text)]
    return bool(written) and not any(match.start() > max(written) for match in _REMOVES.finditer(text))


def copied_after_writing(repository: RepositoryTexts, file: Dockerfile) -> Iterator[tuple[Instruction, str]]:
    """What copies a configuration that a step of the job has put a secret into, and the file of that step."""
    copies = [
        each
        for stage in file.stages
        if any(taken == "." or _CONFIGURATION.search(taken) for taken in sources(file, stage))
        for each in file.of(stage)
    ]
    copy = next((each for each in copies if each.keyword in COPYING), None)
    if copy is None:
        return
    for push in deliveries(repository).pushes:
        is_of_file = dockerfile_of(push) in {None, file.path}
        if is_of_file and any(_writes(repository, step) for step in push.pipeline.steps_until(push.step)):
            yield copy, push.step.path
            return


def _writes(repository: RepositoryTexts, step: PipelineStep) -> bool:
    """Whether a step puts a secret into a configuration in the checkout."""
    run = step.mapping.scalar("run")
    text = run.value if run is not None else ""
    is_given = _SECRET.search(text) or any(_SECRET.search(value) for value in step.environment.values())
    if not is_given or _REMOVES.search(text):
        return False
    has_own = any(_CONFIGURATION.search(path) and "/" not in path for path in repository.paths)
    return _WRITES.search(text) is not None or (
        _ADDS.search(text) is not None and (has_own or _CONFIG_FILE.search(text) is not None)
    )
