"""The schedule that a workflow could get for its weekly rebuild, or why it gets none, and what to do then.

None is put in where it would publish what no commit does: that takes a run that surely pushes and does no more, of
a branch whose commits push too.
"""

import hashlib
from collections.abc import Iterator

from bot.domain.repositories.finding import Fix
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.runs import Pushes, RunOutcome, outcome_of
from bot.files.audit.delivery.scheduled_tags import moved_tag, step_with_tag_of_schedule
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.suggestions.released_rebuild import rebuild_release, what_else_is_published, what_else_it_does
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import CLOSED, COMMENTS, TESTS_ONLY, Pipeline
from bot.files.audit.workflows.refs import may_start
from bot.files.audit.workflows.releases import (
    OF_MOVED_TAG,
    READS_MERGE,
    follows_another,
    is_started_by_hand_alone,
    reads_merge,
    takes_inputs,
    why_no_schedule,
)
from bot.files.audit.workflows.starts import (
    default_branches,
    pushed,
    scheduled,
)
from bot.files.audit.workflows.triggers import with_trigger

_LONGEST_NAME = 120
_CALL = "call it every week with its inputs, from a workflow with a schedule"
_PUBLISHES_NOTHING_ITSELF = TESTS_ONLY | COMMENTS | {"workflow_call"}


def weekly_schedule(repository: RepositoryTexts, pipeline: Pipeline) -> Fix:
    """A schedule at a minute of its own, so that not every repository builds at once.

    None is put in where it would publish what no commit does: that takes a run that surely pushes, of a branch
    whose commits push too. What builds releases is built anew at their tag, or not at all.
    """
    cron = weekly_cron(f"{repository.name}/{pipeline.path}")
    if why_no_schedule(pipeline) == OF_MOVED_TAG:
        why = "a scheduled run would publish the default branch, not what the tag stands at"
        return Fix("build what the tag stands at anew every week, and no branch", left_alone=why)
    if why_no_schedule(pipeline):
        return rebuild_release(repository, pipeline, cron)
    advice = f"add a schedule: {cron}"
    if reads_merge(pipeline):
        return Fix(advice, left_alone=READS_MERGE)
    if pipeline.events - TESTS_ONLY <= COMMENTS:
        why = "a scheduled run has no comment, nor what it says"
        return Fix("build what the comment asks for anew every week", left_alone=why)
    if follows_another(pipeline):
        why = "a scheduled run would publish without waiting for the workflow that it follows"
        return Fix("start the workflow that it follows every week", left_alone=why)
    if is_started_by_hand_alone(pipeline):
        return _fix_of_hand_started(repository, pipeline, advice)
    outcome = when_scheduled(repository, pipeline, cron)
    if outcome.pushes is Pushes.NEVER:
        return Fix(
            "build what it publishes anew every week, in a run that its conditions let push",
            left_alone="a scheduled run would push nothing, by the conditions that are written",
        )
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in default_branches(repository)]
    if what := what_else_is_published(repository, pipeline, starts):
        why = f"a run may do more than push images ({what}), which would be done every week"
        return Fix("build its images anew every week, in a run that does no more than that", left_alone=why)
    if tags := step_with_tag_of_schedule(repository, pipeline):
        return Fix(
            "start it every week with workflow_dispatch, from a workflow with a schedule",
            left_alone=f"{tags} gives what a scheduled run pushes the tag and version nightly",
        )
    if tag := moved_tag(repository, pipeline, "schedule"):
        return Fix(
            "push what a schedule builds under a tag of its own, as github.run_number gives it, and add a schedule",
            left_alone=f"a scheduled run would move the commit's tag: {_end_of(tag)}",
        )
    if outcome.pushes is Pushes.PERHAPS:
        return Fix(advice, left_alone=f"whether a scheduled run would push hangs on {outcome.hangs_on}")
    if not publishes_default_branch(repository, pipeline):
        if _may_publish_default_branch(repository, pipeline):
            why = "whether commits publish what a scheduled run would hangs on the name of the default branch"
            return Fix(advice, left_alone=why)
        return Fix(
            "build the branch that is published anew every week, and no other",
            left_alone="a scheduled run would publish the default branch, which no commit to it does",
        )
    return with_trigger(repository, pipeline, "schedule", ["", f"  - cron: '{cron}'"], advice)


def _end_of(name: str) -> str:
    """The end of a long name, in which its tag stands."""
    return name if len(name) <= _LONGEST_NAME else f"\N{HORIZONTAL ELLIPSIS}{name[-_LONGEST_NAME:]}"


def _fix_of_hand_started(repository: RepositoryTexts, pipeline: Pipeline, advice: str) -> Fix:
    """Advice alone: what people publish when they say so, no schedule of ours publishes."""
    if what := what_else_it_does(repository, pipeline):
        why = f"only people start it, and a run may do more than push images ({what})"
        return Fix("build its images anew every week, in a run that does no more than that", left_alone=why)
    if takes_inputs(pipeline):
        why = "a scheduled run has none of the inputs that whoever starts it hands over"
        return Fix("start it every week with its inputs, from a workflow with a schedule", left_alone=why)
    return Fix(advice, left_alone="only people start it, and say when the default branch is published")


def weekly_call(repository: RepositoryTexts, pipeline: Pipeline) -> Fix:
    """Advice to call it every week; to build no newer commit where all that calls it here publishes for people or
    releases alone."""
    callers = [each for each in callers_of(repository, pipeline) if not each.events <= _PUBLISHES_NOTHING_ITSELF]
    by_hand = [each for each in callers if is_started_by_hand_alone(each)]
    if not callers or not all(each in by_hand or why_no_schedule(each) for each in callers):
        return Fix(_CALL)
    who = first_few(each.path.rpartition("/")[2] for each in callers)
    are_started = "only people start" if len(by_hand) == len(callers) else "only people and releases start"
    why = f"{are_started} what calls it ({who}), and say what is published"
    return Fix("build what it published last anew every week, and no newer commit", left_alone=why)


def publishes_default_branch(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether a commit to the default branch may push too, or no commit starts the workflow at all."""
    branches = default_branches(repository)
    events = pipeline.root.mapping("on")
    merging = [each.removesuffix(CLOSED) for each in pipeline.events if each.endswith(CLOSED)]
    if "push" not in pipeline.events:
        return not merging or any(all(may_start(events, branch, each) for branch in branches) for each in merging)
    starts = [pushed(repository, branch) for branch in branches]
    return (
        all(may_start(events, branch) for branch in branches)
        and outcome_of(repository, pipeline, starts).pushes is not Pushes.NEVER
    )


def _may_publish_default_branch(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether commits to one of the branches push that may be the default one."""
    events = pipeline.root.mapping("on")
    return any(
        may_start(events, branch)
        and outcome_of(repository, pipeline, [pushed(repository, branch)]).pushes is not Pushes.NEVER
        for branch in default_branches(repository)
        if "push" in pipeline.events
    )


def weekly_cron(name: str) -> str:
    """An early morning from Monday to Friday, told by the name."""
    number = int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:4], "big")
    return f"{number % 60} {2 + number // 60 % 4} * * {1 + number // 240 % 5}"


def when_scheduled(repository: RepositoryTexts, pipeline: Pipeline, cron: str, path: str = "") -> RunOutcome:
    branches = default_branches(repository)
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in branches]
    return outcome_of(repository, pipeline, starts, path)


def callers_of(repository: RepositoryTexts, pipeline: Pipeline) -> Iterator[Pipeline]:
    """The other workflows that run steps of this one."""
    for other in pipelines(repository):
        if other.path != pipeline.path and any(step.path == pipeline.path for step in other.steps):
            yield other
