"""The workflow that pushes an image can be started by the bot, and found again.

What: `workflow_dispatch` with an input `correlation`.

Example that fails::

    on: {push: {branches: [main]}, workflow_dispatch: {}}

Fix: `workflow_dispatch: {inputs: {correlation: {type: string, required: false}}}`.

Exceptions: builds that push nothing, or that comments on pull requests start, are asked nothing.
"""

from collections.abc import Iterator

from bot.domain.repositories.finding import FindingSeverity, Fix
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.runs import Pushes, outcome_of
from bot.files.audit.delivery.statements import building
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.suggestions.released_rebuild import what_else_is_published
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workflows.flattening import is_called_here
from bot.files.audit.workflows.model import CLOSED, COMMENTS, TESTS_ONLY, Pipeline
from bot.files.audit.workflows.refs import patterns_of
from bot.files.audit.workflows.releases import (
    READS_MERGE,
    TO_ROLL_BACK,
    example_tags,
    is_for_tags,
    reads_merge,
    rolls_back,
)
from bot.files.audit.workflows.starts import default_branches, dispatched, speaks_of_pull_requests
from bot.files.audit.workflows.triggers import with_trigger

_FIX = "add workflow_dispatch with an input correlation, and show it in run-name"
_PUSHES_NOTHING = "a run that is started on the default branch or a tag would push nothing, by its conditions"
_INPUT = ["", "  inputs:", "    correlation:", "      type: string", "      required: false"]


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    for pipeline in building(repository):
        trigger = pipeline.root.own.get("on")
        place = repository.place(trigger[0] if trigger else pipeline.root, pipeline.path)
        subject = f"workflow {pipeline.path.rpartition('/')[2]}"
        accepted = pipeline.events - TESTS_ONLY
        if accepted == {"workflow_call"} and is_called_here(repository, pipeline):
            continue  # those that call it are asked
        if accepted and accepted <= COMMENTS and speaks_of_pull_requests(repository, pipeline):
            why = "a comment on a pull request starts it, to build a change that is not accepted yet"
            yield not_applicable(place, subject, why)
            continue
        if rolls_back(pipeline):
            yield not_applicable(place, subject, TO_ROLL_BACK)
            continue
        if accepted == {"workflow_call"}:
            why = "no workflow here calls it, and whether those that do can be dispatched is not known"
            yield unknown(place, subject, why, "the workflows that call it")
        elif "workflow_dispatch" not in pipeline.events:
            why = f"workflow_dispatch is missing, so {_starters(repository, pipeline)} starts it"
            yield fails(place, subject, why, _fix(repository, pipeline))
        elif "correlation" not in pipeline.dispatch_inputs:
            yield fails(place, subject, "workflow_dispatch has no input correlation", _FIX)
        else:
            yield holds(place, subject, "it can be dispatched, and the run found again")


def _starters(repository: RepositoryTexts, pipeline: Pipeline) -> str:
    """Who alone starts what others pull, by the events; those of changes that are not accepted yet count where they
    may push too."""
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    events = (pipeline.events - TESTS_ONLY).union(*(push.of_changes for push in pushes))
    if events == {"push"}:
        if is_for_tags(pipeline):
            return "nothing but a tag"
        names_tags = bool(patterns_of(pipeline.root.mapping("on").mapping("push"), "tags"))
        return "nothing but a commit or a tag" if names_tags else "nobody but a commit"
    names = sorted(f"a closed {each.removesuffix(CLOSED)}" if each.endswith(CLOSED) else each for each in events)
    return f"nothing but {' or '.join(names)}"


def _fix(repository: RepositoryTexts, pipeline: Pipeline) -> Fix:
    if reads_merge(pipeline):
        return Fix(_FIX, left_alone=READS_MERGE)
    starts = [
        dispatched(repository, pipeline.root, branch, tag)
        for branch in default_branches(repository)
        for tag in ("", *example_tags(pipeline))
    ]
    if outcome_of(repository, pipeline, starts).pushes is Pushes.NEVER:
        return Fix(_FIX, left_alone=_PUSHES_NOTHING)
    if what := what_else_is_published(repository, pipeline, starts):
        why = f"a run may do more than push images ({what}), which whoever starts it would do again"
        return Fix(_FIX, left_alone=why)
    return with_trigger(repository, pipeline, "workflow_dispatch", _INPUT, _FIX)


RULE = Rule(
    "dispatchable",
    "What pushes can be dispatched",
    "The bot starts rebuilds with it, and finds the run by its correlation.",
    FindingSeverity.LOW,
    judge,
)
