"""The tags that a workflow pushes, and what becomes of them where a schedule starts it too.

Sources: docker/metadata-action's page and its tests (`type=schedule` is among what it makes unasked), and GitHub's
page on contexts: a schedule runs on the newest commit of the default branch.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.digests import OF_STEP
from bot.files.audit.delivery.metadata_action import METADATA_ACTIONS
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.contexts import of_event
from bot.files.audit.workflows.expressions import truth
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import texts_under

_COMMIT = "github.sha"
_OF_SCHEDULE = re.compile(r"^[ \t]*type=schedule\b(?!.*\benable=false)", re.MULTILINE)
_LINE_OF_COMMIT = re.compile(
    r"[ \t]*(?:type=sha\b|(?:type=raw,)?(?:value=)?[\w.-]*\$\{\{\s*github\.sha\s*\}\}[ \t]*(?:$|,))", re.IGNORECASE
)
_ENABLED = re.compile(rf"\benable=(?P<when>{EXPRESSION.pattern}|\w+)")
_NAMES_COMMIT = re.compile(r"GITHUB_SHA|github\.sha|\bgit[ \t]+rev-parse")
_DIFFERS = re.compile(r"\bdate\b|run_(?:number|id|attempt)|GITHUB_REF|github\.ref|git[ \t]+describe", re.IGNORECASE)
_TAKES_TAGS = re.compile(r"\.outputs\.(?:tags|json|version|bake-file)|DOCKER_METADATA_OUTPUT")


def pushed_names(repository: RepositoryTexts, pipeline: Pipeline) -> frozenset[str]:
    """What a workflow pushes, with tags; nothing where the name of one push is not told."""
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    is_told = all(push.names for push in pushes)
    return frozenset(name for push in pushes for name in push.names) if is_told else frozenset()


def moved_tag(repository: RepositoryTexts, pipeline: Pipeline, event: str) -> str:
    """The first tag of those that are pushed from which nothing but the commit tells runs apart: a run that no
    commit starts would move it; empty for none."""
    names = (name for push in deliveries(repository).pushes if push.pipeline is pipeline for name in push.names)
    own = next((name for name in names if _is_of_commit(pipeline, name)), "")
    return own or next((line for step in _metadata(pipeline) for line in _tags_of_commit(step, event)), "")


def _metadata(pipeline: Pipeline) -> Iterator[PipelineStep]:
    """The steps of metadata-action whose tags or version something of their job takes."""
    taken_by_job: dict[int, bool] = {}
    for step in pipeline.steps:
        if step.action in METADATA_ACTIONS:
            job = step.job.mapping
            if id(job) not in taken_by_job:
                taken_by_job[id(job)] = any(map(_TAKES_TAGS.search, texts_under(job)))
            if taken_by_job[id(job)]:
                yield step


def _tags_of_commit(step: PipelineStep, event: str) -> Iterator[str]:
    """The lines that ask for a tag which the commit alone tells, unless a run by the event makes none of it."""
    for line in step.input("tags").splitlines():
        enabled = _ENABLED.search(line)
        is_made = enabled is None or truth(enabled["when"], of_event(event)) is not False
        differs = _DIFFERS.search(_ENABLED.sub("", line)) is not None
        if is_made and not differs and _LINE_OF_COMMIT.match(line):
            yield line.strip()


def _is_of_commit(pipeline: Pipeline, name: str) -> bool:
    """Whether a tag is the commit's alone, written out or as a step of the workflow tells it."""
    tag = name[len(repository_of(name)) :]
    match [each["inside"].strip() for each in EXPRESSION.finditer(tag)]:
        case [inside] if inside == _COMMIT:
            return True
        case [inside] if (told := OF_STEP.fullmatch(inside)) is not None:
            return _tells_commit(pipeline, told["step"])
    return False


def _tells_commit(pipeline: Pipeline, step_id: str) -> bool:
    """Whether a step of that id makes what it tells of the commit, and of nothing that differs besides."""
    scripts = (step.mapping.scalar("run") for step in pipeline.steps if step.id == step_id)
    return any(_NAMES_COMMIT.search(run.value) and not _DIFFERS.search(run.value) for run in scripts if run)


def step_with_tag_of_schedule(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """The step that gives what a scheduled run pushes a tag that others do not get; empty where a schedule does so
    already, or there is no such step whose tags are taken."""
    metadata = _metadata(pipeline) if not pipeline.crons else ()
    with_own = (step for step in metadata if not (tags := step.input("tags")) or _OF_SCHEDULE.search(tags))
    return next((step.subject for step in with_own), "")
