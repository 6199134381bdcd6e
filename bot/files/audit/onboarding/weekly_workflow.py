"""A workflow of its own that starts the others every week, where their own schedule cannot be spliced in."""

from collections.abc import Sequence

from bot.domain.repositories.finding import Finding, Fix
from bot.domain.repositories.repository import WORKFLOWS
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.runs import Pushes, outcome_of
from bot.files.audit.delivery.scheduled_tags import moved_tag
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.suggestions.released_rebuild import what_else_is_published
from bot.files.audit.suggestions.weekly_schedule import publishes_default_branch, weekly_cron
from bot.files.audit.workflows.model import Pipeline
from bot.files.audit.workflows.releases import follows_another, is_started_by_hand_alone, requires_input
from bot.files.audit.workflows.starts import default_branches, dispatched

CHECK = "weekly-rebuild"
PATH = f"{WORKFLOWS}weekly-rebuild.yml"
_TEXT = """\
# Builds the images every week on the bases as they are then, though nobody commits.
name: Weekly rebuild

on:
  schedule:
    - cron: '{cron}'

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}
  cancel-in-progress: false

jobs:
  dispatch:
    name: Start what pushes
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      actions: write # starts the workflows
    env:
      GH_TOKEN: ${{{{ github.token }}}}
      GH_REPO: ${{{{ github.repository }}}}
      BRANCH: ${{{{ github.ref_name }}}}
    steps:
{steps}"""
_STEP = """\
      - run: gh workflow run {file} --ref "$BRANCH"
"""


def dispatch_weekly(repository: RepositoryTexts, failing: Sequence[Finding]) -> Fix | None:
    """The fix that adds the workflow for all pipelines that fail; None where that would start no push of theirs."""
    pipelines = [each for each in deliveries(repository).pushing() if _fails(each, failing)]
    if not pipelines or len(pipelines) < len({each.place.path for each in failing}) or PATH in repository:
        return None
    if not all(_pushes_when_dispatched(repository, each) for each in pipelines):
        return None
    steps = "".join(_STEP.format(file=each.path.removeprefix(WORKFLOWS)) for each in pipelines)
    text = _TEXT.format(cron=weekly_cron(f"{repository.name}/{PATH}"), steps=steps)
    return Fix(f"add {PATH}, which starts what pushes every week", (Edit(PATH, Span(0, 0), text),))


def _fails(pipeline: Pipeline, failing: Sequence[Finding]) -> bool:
    return any(each.place.path == pipeline.path for each in failing)


def _pushes_when_dispatched(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether a run of the default branch can be started without any input, surely pushes, and publishes nothing
    that no commit does and moves no tag of one."""
    if "workflow_dispatch" not in pipeline.events or requires_input(pipeline):
        return False
    if is_started_by_hand_alone(pipeline) or follows_another(pipeline):
        return False
    starts = [dispatched(repository, pipeline.root, branch) for branch in default_branches(repository)]
    is_sure = outcome_of(repository, pipeline, starts).pushes is Pushes.SURELY
    if moved_tag(repository, pipeline, "workflow_dispatch"):
        return False
    is_alone = not what_else_is_published(repository, pipeline, starts)
    return is_sure and is_alone and publishes_default_branch(repository, pipeline)
