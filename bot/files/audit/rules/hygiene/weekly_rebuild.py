"""The workflow that pushes an image runs every week, whether or not anybody commits.

What: a schedule comes at least once a week, and the push takes place in it; or another workflow with such a
schedule calls or dispatches it, or pushes the same tags.

Example that fails::

    on: {push: {branches: [main]}}

Fix: `schedule: [{cron: '17 3 * * 1'}]`, or the bot's own weekly rebuild with `workflow_dispatch`.

Conditions are judged as on the default branch, without inputs or tag. What only a run tells is unknown. What builds
releases alone gets no schedule: the newest is built anew at its tag.

Exceptions: builds that push nothing, or that comments on pull requests start, are asked nothing.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.domain.repositories.finding import FindingSeverity, Place
from bot.domain.repositories.repository import WORKFLOWS, is_workflow
from bot.domain.wording.words import first_few
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.delivery.runs import Pushes, RunOutcome, outcome_of, released_elsewhere
from bot.files.audit.delivery.scheduled_tags import pushed_names
from bot.files.audit.delivery.statements import building
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.shell import is_unknown
from bot.files.audit.suggestions.weekly_schedule import callers_of, weekly_call, weekly_schedule, when_scheduled
from bot.files.audit.verdict import Verdict, fails, holds, not_applicable, unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import COMMENTS, TESTS_ONLY, Pipeline
from bot.files.audit.workflows.releases import (
    OF_MOVED_TAG,
    RELEASES_ALONE,
    TO_ROLL_BACK,
    example_tags,
    rolls_back,
    tags_of,
    why_no_schedule,
)
from bot.files.audit.workflows.starts import (
    default_branches,
    dispatched,
    scheduled,
    speaks_of_pull_requests,
)
from bot.files.formats.source.nodes import Scalar

_FIX = "add a weekly schedule, on a minute of its own"
_LET_PUSH = "let the push take place when the schedule runs, or start it every week in another way"
_SAME_IN_EACH_RUN = re.compile(r"\$\{\{\s*(?:github\.repository(?:_owner)?|vars\.\w+)\s*\}\}")
_ANY = re.compile(r"^(?:\*|\*/1|\?)$")


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    own_deliveries = deliveries(repository)
    for pipeline in building(repository):
        events = frozenset().union(*(push.events for push in own_deliveries.pushes if push.pipeline is pipeline))
        yield _of(repository, pipeline, events)
    for pipeline in dict.fromkeys(build.pipeline for build in own_deliveries.remote_builds):
        if pipeline not in building(repository):
            events = frozenset().union(
                *(build.events for build in own_deliveries.remote_builds if build.pipeline is pipeline)
            )
            yield _of(repository, pipeline, events)


def _of(repository: RepositoryTexts, pipeline: Pipeline, events: frozenset[str]) -> Verdict:
    place = _place(repository, pipeline)
    subject = f"workflow {pipeline.path.rpartition('/')[2]}"
    if events and events <= COMMENTS and speaks_of_pull_requests(repository, pipeline):
        why = "a comment on a pull request starts it, to build a change that is not accepted yet"
        return not_applicable(place, subject, why)
    if rolls_back(pipeline):
        return not_applicable(place, subject, TO_ROLL_BACK)
    if _tries_changes_out(repository, pipeline):
        why = "it pushes changes that are not accepted yet, and besides them only what a person starts it for"
        return not_applicable(place, subject, why)
    weekly = [cron for cron in pipeline.crons if is_weekly(cron.value)]
    runs = [
        *_by_callers(repository, pipeline, place),
        *_by_dispatchers(repository, pipeline, place),
        *_by_others(repository, pipeline, place),
    ]
    is_by_another = any(run.outcome.pushes is Pushes.SURELY for run in runs)
    runs = [*(_by_schedule(repository, pipeline, cron) for cron in weekly), *runs]
    best = max(runs, key=lambda run: run.outcome.pushes, default=None)
    if best is not None and best.outcome.pushes is Pushes.SURELY:
        if (
            weekly
            and not is_by_another
            and (missed := _left_out(repository, pipeline, [cron.value for cron in weekly]))
        ):
            why = f"{best.how}, and leaves out what {missed} pushes in others"
            return unknown(best.place, subject, why, f"whether what {missed} pushes is built anew in another way")
        return holds(best.place, subject, best.how)
    if best is not None and best.outcome.pushes is Pushes.PERHAPS:
        why = f"{best.how}; whether that run pushes hangs on {best.outcome.hangs_on}"
        return unknown(best.place, subject, why, "a scheduled run, or conditions that hold for every schedule")
    if "workflow_call" in pipeline.events and events <= {"workflow_call", "workflow_dispatch"}:
        how = "called or started by hand" if "workflow_dispatch" in pipeline.events else "only called"
        how += ", but for changes that are not accepted yet" if pipeline.events & TESTS_ONLY else ""
        why = f"it is {how}, and no schedule in this repository calls it"
        return fails(place, subject, why, weekly_call(repository, pipeline))
    if weekly:
        return fails(repository.place(weekly[0]), subject, "its schedule runs, but pushes nothing then", _LET_PUSH)
    if pipeline.crons:
        return fails(
            repository.place(pipeline.crons[0]), subject, f"{pipeline.crons[0].value} is not every week", _FIX
        )
    if why_no_schedule(pipeline) == RELEASES_ALONE:
        who = "a release or a person" if "workflow_dispatch" in pipeline.events else "a release"
        why = f"only {who} starts it, and nothing builds the newest release anew every week"
    elif why_no_schedule(pipeline) == OF_MOVED_TAG:
        who = f"the tag {first_few(tags_of(pipeline))}"
        who += " or a person" if "workflow_dispatch" in pipeline.events else ""
        why = f"only {who} starts it, and nothing builds what stands there anew every week"
    else:
        why = "it runs only when somebody commits, publishes or starts it"
    return fails(place, subject, why, weekly_schedule(repository, pipeline))


def _left_out(repository: RepositoryTexts, pipeline: Pipeline, crons: Iterable[str]) -> str:
    """The first step that pushes what no weekly run of the schedule does; empty where there is none."""
    branches = default_branches(repository)
    starts = [scheduled(repository, pipeline.root, branch, cron) for branch in branches for cron in crons]
    return next((push.subject for push in released_elsewhere(repository, pipeline, starts)), "")


def _tries_changes_out(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether all that it pushes is pushed for changes that are not accepted yet too, and nobody else starts it."""
    if not pipeline.events & TESTS_ONLY or pipeline.events - TESTS_ONLY != {"workflow_dispatch"}:
        return False
    pushes = [push for push in deliveries(repository).pushes if push.pipeline is pipeline]
    return all(push.step.events & TESTS_ONLY and push.step.input("push") in {"", "true"} for push in pushes)


@dataclass(frozen=True, slots=True)
class _WeeklyRun:
    """A run that comes every week: what starts it, where that stands, and whether it pushes."""

    place: Place
    how: str
    outcome: RunOutcome


def _by_schedule(repository: RepositoryTexts, pipeline: Pipeline, cron: Scalar) -> _WeeklyRun:
    outcome = when_scheduled(repository, pipeline, cron.value)
    return _WeeklyRun(repository.place(cron), f"it runs at {cron.value}", outcome)


def _by_callers(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of other workflows with a weekly schedule that call this one."""
    for caller in callers_of(repository, pipeline):
        for cron in caller.crons:
            if is_weekly(cron.value):
                outcome = when_scheduled(repository, caller, cron.value, pipeline.path)
                yield _WeeklyRun(place, f"{caller.path} calls it every week", outcome)


def _by_others(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of other workflows with a weekly schedule that push all that this one pushes, by the same tags."""
    names = pushed_names(repository, pipeline)
    if not names or any(is_unknown(_SAME_IN_EACH_RUN.sub("", name)) for name in names):
        return
    for other in building(repository):
        if other.path != pipeline.path and names <= pushed_names(repository, other):
            for cron in other.crons:
                if is_weekly(cron.value):
                    outcome = when_scheduled(repository, other, cron.value)
                    yield _WeeklyRun(place, f"{other.path} pushes the same tags every week", outcome)


def _place(repository: RepositoryTexts, pipeline: Pipeline) -> Place:
    trigger = pipeline.root.own.get("on")
    return repository.place(trigger[0] if trigger else pipeline.root, pipeline.path)


def is_weekly(cron: str) -> bool:
    """Whether a schedule comes at least once in every week."""
    fields = cron.split()
    if len(fields) != 5:
        return False
    _, _, day, month, weekday = fields
    if not _ANY.match(month):
        return False
    if _ANY.match(day):
        return True
    step = re.fullmatch(r"\*/(\d+)", day)
    days = {int(each) for each in re.findall(r"\d+", day)} if not step else set()
    if _ANY.match(weekday):
        return (step is not None and int(step[1]) <= 7) or len(days) >= 4
    return True


def _dispatchers(repository: RepositoryTexts) -> list[str]:
    """Workflows with a schedule that may start others."""
    return [
        path
        for path in repository.paths
        if is_workflow(path)
        and "cron" in (text := repository.text(path))
        and re.search(r"workflow run|dispatch", text)
    ]


def _by_dispatchers(repository: RepositoryTexts, pipeline: Pipeline, place: Place) -> Iterator[_WeeklyRun]:
    """Runs of this workflow that others with a weekly schedule start by its name."""
    if "workflow_dispatch" not in pipeline.events:
        return
    name = pipeline.path.removeprefix(WORKFLOWS)
    for path in repository.kept(_dispatchers):
        text = repository.text(path)
        if path != pipeline.path and name in text:
            crons = [cron.value for each in pipelines(repository) if each.path == path for cron in each.crons]
            crons = crons or re.findall(r"cron:\s*['\"]([^'\"]+)['\"]", text)
            if any(is_weekly(cron) for cron in crons):
                outcome = _when_dispatched(repository, pipeline, text)
                yield _WeeklyRun(place, f"{path} starts it every week", outcome)


def _when_dispatched(repository: RepositoryTexts, pipeline: Pipeline, by: str) -> RunOutcome:
    """What a run does that the text of another workflow starts; inputs that it may hand over are not known."""
    given = frozenset(name.lower() for name in pipeline.dispatch_inputs if re.search(rf"\b{re.escape(name)}\b", by))
    name = re.escape(pipeline.path.removeprefix(WORKFLOWS))
    is_at_tag = why_no_schedule(pipeline) and re.search(rf"(?<![\w-]){name}[^\n]*--ref", by)
    starts = [
        dispatched(repository, pipeline.root, branch, tag, given)
        for branch in default_branches(repository)
        for tag in (example_tags(pipeline) if is_at_tag else ("",))
    ]
    return outcome_of(repository, pipeline, starts)


RULE = Rule(
    "weekly-rebuild",
    "What pushes runs every week",
    "Fixes in the base reach an image only with a build.",
    FindingSeverity.MEDIUM,
    judge,
)
