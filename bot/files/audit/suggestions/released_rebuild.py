"""A workflow of its own that builds the newest release anew every week: what builds releases is started on its tag.

It never starts a branch. Where the run would publish more than images, or its steps read what only a release hands
over, nothing is suggested, and what is missing is said.
"""

import re
from collections.abc import Iterable

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.repository import WORKFLOWS
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.delivery.deliveries import deliveries, deliveries_of
from bot.files.audit.delivery.deploys import brings_image, is_local
from bot.files.audit.delivery.other_programs import unread_push
from bot.files.audit.delivery.repeatable import not_repeatable
from bot.files.audit.delivery.runs import Pushes, outcome_of
from bot.files.audit.delivery.stages import DeployStage, names_production, stage_of
from bot.files.audit.delivery.unread import may_publish
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.workflows.flattening import as_started, pipelines, title_of
from bot.files.audit.workflows.model import Pipeline
from bot.files.audit.workflows.refs import patterns_of
from bot.files.audit.workflows.releases import (
    example_tags,
    requires_input,
    tag_prefix,
    takes_version,
    why_no_schedule,
)
from bot.files.audit.workflows.starts import RunStart, default_branches, dispatched

_OF_RELEASE = re.compile(r"github\.event\.(?:release|client_payload|ref)\b|\bclient_payload\b", re.IGNORECASE)
_SAFE_FILE = re.compile(r"[\w.-]+\.ya?ml")
_TEXT = """\
# Builds the newest release anew every week, on its bases as they are then. It starts that tag, and no branch.
name: Rebuild the newest release

on:
  schedule:
    - cron: '{cron}'

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}
  cancel-in-progress: false

jobs:
  dispatch:
    name: Start the newest release
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      actions: write # starts the workflow
      contents: read # reads which release is the newest
    env:
      GH_TOKEN: ${{{{ github.token }}}}
      GH_REPO: ${{{{ github.repository }}}}
    steps:
      - shell: bash
        run: |
          tag="$({newest})"
          test -n "$tag"
          gh workflow run {file} --ref "$tag"
"""
_NEWEST_RELEASE = "gh release view --json tagName --jq .tagName"
_NEWEST_TAG = (
    'gh api "repos/$GH_REPO/git/matching-refs/tags/{prefix}" --paginate --jq ".[].ref" | cut -d / -f 3- |\n'
    "            grep -E '^{pattern}[0-9]+(\\.[0-9]+)*$' | sort -V | tail -n 1"
)


def rebuild_release(repository: RepositoryTexts, pipeline: Pipeline, cron: str) -> Fix:
    """The fix that adds the workflow; advice only, with why, where starting the newest release could do harm."""
    name = pipeline.path.removeprefix(WORKFLOWS)
    path = f"{WORKFLOWS}rebuild-released-{name}"
    advice = (
        f"build the newest release anew every week, and no branch: start {name} on its tag with workflow_dispatch, "
        "where that builds the tag and publishes nothing but the image"
    )
    try:
        _check(repository, pipeline, path)
        text = _TEXT.format(cron=cron, newest=_newest(pipeline), file=name)
    except NotSpliceable as error:
        return Fix(advice, left_alone=f"{why_no_schedule(pipeline)}; {error}")
    return Fix(f"add {path}, which builds the newest release anew", (Edit(path, Span(0, 0), text),))


def _newest(pipeline: Pipeline) -> str:
    """The command that prints the tag of the newest release that is no preview."""
    if "release" in pipeline.events:
        return _NEWEST_RELEASE
    prefix = tag_prefix(pipeline)
    if prefix is None:
        raise NotSpliceable("which of its tags are releases is not told by one pattern")
    return _NEWEST_TAG.format(prefix=prefix, pattern=prefix.replace(".", "\\."))


def _check(repository: RepositoryTexts, pipeline: Pipeline, path: str) -> None:
    """Raises `NotSpliceable` unless the workflow builds a tag that it is started on, and publishes no more."""
    if "workflow_dispatch" not in pipeline.events:
        raise NotSpliceable("without workflow_dispatch its newest tag cannot be built anew")
    if takes_version(pipeline) or requires_input(pipeline):
        raise NotSpliceable("whoever starts it hands a value over, and which one a release has only people know")
    if path in repository or not _SAFE_FILE.fullmatch(path.rpartition("/")[2]):
        raise NotSpliceable(f"{path} is there already")
    if any(map(_OF_RELEASE.search, _texts(repository, pipeline))):
        raise NotSpliceable("its steps read what only the event of a release hands over")
    if what := what_else_it_does(repository, pipeline):
        raise NotSpliceable(f"a run may do more than push images ({what}), which would be done again")
    if released_outcome(repository, pipeline) is not Pushes.SURELY:
        raise NotSpliceable("whether it pushes when it is started on a tag by workflow_dispatch is not sure")


def _texts(repository: RepositoryTexts, pipeline: Pipeline) -> list[str]:
    """The texts of the workflow and of all that it calls here."""
    files = {pipeline.path, *(step.path for step in pipeline.steps), *(job.path for job in pipeline.jobs)}
    return [repository.text(each) for each in sorted(files)]


def what_else_it_does(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """What a run does, or may do, besides pushing images; empty for nothing."""
    called = next((job.remote for job in pipeline.remote_jobs if job.remote), "")
    deploy = next((each.tool for each in deliveries(repository).deploys if each.pipeline is pipeline), "")
    unknown = (what for step in pipeline.steps if (what := not_repeatable(repository, step)))
    return called or deploy or next(unknown, "")


def what_else_is_published(repository: RepositoryTexts, pipeline: Pipeline, starts: Iterable[RunStart]) -> str:
    """What a run that is started so publishes besides images, or may, or that it runs in production's environment;
    empty for nothing. What follows the run counts too."""
    for start in starts:
        started = as_started(repository, pipeline, start, surely=False)
        if what := _besides_images(repository, started, {DeployStage.PRODUCTION}):
            return what
        if what := _published_after(repository, pipeline, start.event):
            return what
    return ""


def _published_after(repository: RepositoryTexts, pipeline: Pipeline, event: str) -> str:
    """What a workflow that follows each run of this one publishes or deploys, or may, if `event` has started it."""
    run = {"event": event, "conclusion": "success"}
    values = {f"github.event.workflow_run.{key}": value for key, value in run.items()}
    after = RunStart("workflow_run", {"github.event_name": "workflow_run", **values})
    for other in pipelines(repository):
        follows = patterns_of(other.root.mapping("on").mapping("workflow_run"), "workflows")
        if other is pipeline or not {title_of(pipeline), pipeline.path} & {*follows}:
            continue
        started = as_started(repository, other, after, surely=False)
        if what := _besides_images(repository, started, {DeployStage.PRODUCTION, DeployStage.NOT_TOLD}):
            return f"{other.path} follows it, where {what}"
    return ""


def _besides_images(repository: RepositoryTexts, started: Pipeline, stages: set[DeployStage]) -> str:
    """What a run does, or may, besides building, testing and pushing images and deploying to other stages than
    these; empty for nothing. A delivery that is not read may do whatever it does."""
    for job in started.remote_jobs:
        if job.remote is not None and job.events and may_publish(job):
            return job.remote
    steps = [step for step in started.steps if step.events]
    for step in steps:
        if step.job.environment and names_production(step.job.environment):
            return f"job {step.job.name} runs in environment {step.job.environment}"
    deploys = deliveries_of([started]).deploys
    for deploy in deploys:
        if is_local(deploy) or brings_image(repository, deploy) is False or not deploy.step.events:
            continue
        if stage_of(deploy) in stages:
            where = " to production" if stage_of(deploy) is DeployStage.PRODUCTION else ""
            return f"{deploy.step.subject} deploys{where}"
    known = {deploy.step for deploy in deploys}
    for step in steps:
        if what := unread_push(repository, step) or ("" if step in known else not_repeatable(repository, step)):
            return what
    return ""


def released_outcome(repository: RepositoryTexts, pipeline: Pipeline) -> Pushes:
    """Whether the workflow pushes when it is started on the tag of a release."""
    starts = [
        dispatched(repository, pipeline.root, branch, tag)
        for branch in default_branches(repository)
        for tag in example_tags(pipeline)
    ]
    return outcome_of(repository, pipeline, starts).pushes
