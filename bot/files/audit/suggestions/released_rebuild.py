"""A workflow of its own that builds the newest release anew every week: what builds releases is started on its tag.

It never starts a branch. Where the run would publish more than images, or its steps read what only a release hands
over, nothing is suggested, and what is missing is said.
"""

import re
from collections.abc import Iterable

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.repository import WORKFLOWS
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.runs import Pushes, outcome_of
from bot.files.audit.delivery.stages import names_production
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable
from bot.files.audit.workflows.flattening import as_started
from bot.files.audit.workflows.model import Pipeline
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
    rf"|goreleaser|chart-releaser|ssh-action|{_CHANGES_INFRASTRUCTURE}",
    re.IGNORECASE,
)
"""What publishes a version of its own each time, changes infrastructure, or runs commands on a machine."""
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
    """What a run that is started so publishes besides images, or may publish, or that it deploys to production;
    empty for nothing."""
    for start in starts:
        for step in as_started(repository, pipeline, start, surely=False).steps:
            run = step.mapping.scalar("run")
            match = _MAKES_RELEASE.search(run.value if run is not None else step.action)
            if match is not None and step.events:
                return f"`{' '.join(match.group().split())}`" if run is not None else f"`{step.action}`"
            if step.events and step.job.environment and names_production(step.job.environment):
                return f"job {step.job.name} deploys to {step.job.environment}"
    return ""


def released_outcome(repository: RepositoryTexts, pipeline: Pipeline) -> Pushes:
    """Whether the workflow pushes when it is started on the tag of a release."""
    starts = [
        dispatched(repository, pipeline.root, branch, tag)
        for branch in default_branches(repository)
        for tag in example_tags(pipeline)
    ]
    return outcome_of(repository, pipeline, starts).pushes
