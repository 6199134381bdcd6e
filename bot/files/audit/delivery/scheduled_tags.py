"""The tags that a workflow pushes, and what becomes of them where a schedule starts it too.

Sources: docker/metadata-action's page and its tests (`type=schedule` is among what it makes unasked), and GitHub's
page on contexts: a schedule runs on the newest commit of the default branch.
"""

import re

from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.digests import OF_STEP
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.model import Pipeline
from bot.files.formats.source.expressions import EXPRESSION

_COMMIT = "github.sha"
_OF_SCHEDULE = re.compile(r"^[ \t]*type=schedule\b(?!.*\benable=false)", re.MULTILINE)
_NAMES_COMMIT = re.compile(r"GITHUB_SHA|github\.sha|\bgit[ \t]+rev-parse")
_DIFFERS = re.compile(r"\bdate\b|run_(?:number|id|attempt)|GITHUB_REF|github\.ref|git[ \t]+describe", re.IGNORECASE)
_TAKES_TAGS = re.compile(r"\.outputs\.(?:tags|json|version|bake-file)|DOCKER_METADATA_OUTPUT")


def pushed_names(repository: RepositoryTexts, pipeline: Pipeline) -> frozenset[str]:
    """What a workflow pushes, with tags; nothing where the name of one push is not told."""
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    is_told = all(push.names for push in pushes)
    return frozenset(name for push in pushes for name in push.names) if is_told else frozenset()


def moves_commits_tags(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether nothing but the commit differs from run to run in all tags that are pushed, so that a scheduled run
    would move them."""
    names = pushed_names(repository, pipeline)
    return bool(names) and all(_is_of_commit(pipeline, name) for name in names)


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
    """The step that gives what a scheduled run pushes a tag that others do not get; empty where no schedule does so
    already, or there is no such step whose tags are taken."""
    metadata = (step for step in pipeline.steps if step.action == "docker/metadata-action" and not pipeline.crons)
    with_own = (step for step in metadata if not (tags := step.input("tags")) or _OF_SCHEDULE.search(tags))
    return next((step.subject for step in with_own if _TAKES_TAGS.search(repository.text(step.path))), "")
