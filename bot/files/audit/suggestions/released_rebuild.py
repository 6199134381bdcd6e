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
from bot.files.audit.delivery.delivery import Deploy
from bot.files.audit.delivery.deploys import brings_image, is_local
from bot.files.audit.delivery.other_programs import unread_push
from bot.files.audit.delivery.runs import Pushes, outcome_of
from bot.files.audit.delivery.stages import DeployStage, names_production, stage_of
from bot.files.audit.delivery.unread import is_handed_image, may_publish, may_push, starts_deploy
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.workflows.flattening import as_started, pipelines, title_of
from bot.files.audit.workflows.model import Pipeline, PipelineStep
from bot.files.audit.workflows.refs import patterns_of
from bot.files.audit.workflows.releases import (
    example_tags,
    requires_input,
    tag_prefix,
    takes_version,
    why_no_schedule,
)
from bot.files.audit.workflows.starts import RunStart, default_branches, dispatched

_CHANGES_INFRASTRUCTURE = r"\b(?:terraform|tofu)\b[^\n|;&]*[ \t]apply\b|\bpulumi[ \t]+up\b"
_OF_RELEASE = re.compile(r"github\.event\.(?:release|client_payload|ref)\b|\bclient_payload\b", re.IGNORECASE)
_PUBLISHES_MORE = re.compile(
    r"nuget[ \t]+push|(?:npm|pnpm|yarn|cargo|poetry|uv)[ \t]+publish|\btwine\b|pypi-publish"
    r"|gh[ \t]+(?:release|pr|workflow|api)\b|git[ \t]+push"
    r"|(?:create|upload|action-gh|gh|semantic)[-_]release|release[-_](?:action|please|drafter|notes)"
    r"|goreleaser|changesets?\b|helm[ \t]+(?:push|upgrade|install)|chart-releaser|mvn[ \t]+deploy"
    r"|create-pull-request|ssh-action|(?<![\w-])ssh[ \t]"
    r"|repository-dispatch|\bslack|\bdiscord|\bteams\b|\bnotify|uses:[^\n]*deploy[^\s@\"']*"
    rf"|{_CHANGES_INFRASTRUCTURE}",
    re.IGNORECASE,
)
_MAKES_RELEASE = re.compile(
    r"nuget[ \t]+push|(?:npm|pnpm|yarn|cargo|poetry|uv)[ \t]+publish|\btwine\b|pypi-publish"
    r"|gh[ \t]+release[ \t]+create|git[ \t]+push|(?:create|action-gh|gh|semantic)[-_]release|release-please"
    r"|getsentry/action-release|sentry-cli[ \t][^\n|;&]*\bnew\b"
    r"|\baws[ \t]+s3[ \t]+(?:cp|sync|mv)\b(?!(?:[ \t]+-\S+)*[ \t]+[\"']?s3://)"
    r"|\baz[ \t]+storage[ \t]+blob[ \t]+(?:upload|sync|copy)|\bazcopy[ \t]+(?:copy|sync)"
    r"|\bgsutil[ \t][^\n|;&]*\b(?:cp|rsync)\b(?!(?:[ \t]+-\S+)*[ \t]+[\"']?gs://)"
    r"|\bgcloud[ \t]+storage[ \t]+(?:cp|rsync)\b(?!(?:[ \t]+-\S+)*[ \t]+[\"']?gs://)|\bs3cmd[ \t]+(?:put|sync)\b"
    r"|\brclone[ \t]+(?:copy|sync)|s3[-_](?:sync|upload|cp)|upload[-_](?:to[-_])?(?:s3|cloud-storage|azure-blob)"
    r"|blob-upload|(?:repository|workflow)-dispatch|/dispatches\b|gh[ \t]+workflow[ \t]+run"
    rf"|goreleaser|chart-releaser|ssh-action|{_CHANGES_INFRASTRUCTURE}",
    re.IGNORECASE,
)
"""What publishes a version of its own each time, uploads files, starts what stands elsewhere, changes
infrastructure, or runs commands on a machine."""
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
        raise NotSpliceable(f"a run does more than push images ({what}), which would be done again")
    if released_outcome(repository, pipeline) is not Pushes.SURELY:
        raise NotSpliceable("whether it pushes when it is started on a tag by workflow_dispatch is not sure")


def _texts(repository: RepositoryTexts, pipeline: Pipeline) -> list[str]:
    """The texts of the workflow and of all that it calls here."""
    files = {pipeline.path, *(step.path for step in pipeline.steps), *(job.path for job in pipeline.jobs)}
    return [repository.text(each) for each in sorted(files)]


def what_else_it_does(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """What a run does, or may do, besides pushing images; empty for nothing."""
    texts = _texts(repository, pipeline)
    more = next((match for text in texts if (match := _PUBLISHES_MORE.search(text))), None)
    if more is not None:
        return f"`{' '.join(more.group().split())}`"
    unread = next((step.uses for step in pipeline.steps if step.unread), "")
    called = next((job.remote for job in pipeline.remote_jobs if job.remote), "")
    deploy = next((each.tool for each in deliveries(repository).deploys if each.pipeline is pipeline), "")
    return unread or called or deploy


def what_else_is_published(repository: RepositoryTexts, pipeline: Pipeline, starts: Iterable[RunStart]) -> str:
    """What a run that is started so publishes besides images, or may, or that it runs in production's environment;
    empty for nothing. What is told as a delivery that is not read may publish whatever it does."""
    starts = tuple(starts)
    for start in starts:
        started = as_started(repository, pipeline, start, surely=False)
        called = next((job.remote for job in started.remote_jobs if job.events and may_publish(job)), None)
        if called is not None:
            return called
        for step in started.steps:
            if step.events and (what := _published_besides(repository, step)):
                return what
        if deploy := _deployed(repository, started, {DeployStage.PRODUCTION}):
            return f"{deploy.step.subject} deploys to production"
    return next((what for each in starts if (what := _published_after(repository, pipeline, each.event))), "")


def _deployed(repository: RepositoryTexts, started: Pipeline, stages: set[DeployStage]) -> Deploy | None:
    """The first step of a run that deploys to one of these stages, by its words; None for none."""
    for deploy in deliveries_of([started]).deploys:
        if is_local(deploy) or brings_image(repository, deploy) is False or not deploy.step.events:
            continue
        if stage_of(deploy) in stages:
            return deploy
    return None


def _published_besides(repository: RepositoryTexts, step: PipelineStep) -> str:
    run = step.mapping.scalar("run")
    match = _MAKES_RELEASE.search(run.value if run is not None else step.action)
    if match is not None:
        return f"`{' '.join(match.group().split())}`" if run is not None else f"`{step.action}`"
    if step.job.environment and names_production(step.job.environment):
        return f"job {step.job.name} runs in environment {step.job.environment}"
    return _unread(repository, step)


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
        for step in started.steps:
            if step.events and (what := _published_besides(repository, step)):
                return f"{other.path} follows it, where {what}"
        if deploy := _deployed(repository, started, {DeployStage.PRODUCTION, DeployStage.NOT_TOLD}):
            return f"{other.path} follows it, where {deploy.step.subject} deploys"
    return ""


def _unread(repository: RepositoryTexts, step: PipelineStep) -> str:
    """What of a step delivers images, or may, and is not read here; empty where nothing does."""
    is_unread = may_push(step.action) or is_handed_image(step) or bool(starts_deploy(step))
    return step.action if is_unread else unread_push(repository, step)


def released_outcome(repository: RepositoryTexts, pipeline: Pipeline) -> Pushes:
    """Whether the workflow pushes when it is started on the tag of a release."""
    starts = [
        dispatched(repository, pipeline.root, branch, tag)
        for branch in default_branches(repository)
        for tag in example_tags(pipeline)
    ]
    return outcome_of(repository, pipeline, starts).pushes
