"""Who is to be rebuilt because its last successful build grows too old, and who cannot be, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from bot.domain.repositories.builds import ACTIVE, DELETED, MOST_FAILED, BranchBuilds, PastRun
from bot.domain.repositories.repository import built_elsewhere
from bot.domain.rollouts.policy import Terms
from bot.domain.rollouts.timing.age import AgeStanding, Judgement, Weekly
from bot.domain.rollouts.timing.windows import Freeze, next_opening
from bot.domain.wording.words import duration
from bot.fleet.plan.due import thawed_beginning

LEAD = timedelta(hours=1)
"""So long before it is too old a rebuild begins that cannot wait for the weekly one."""
_LATE = timedelta(hours=1)
"""GitHub delays schedules under load, worst at full hours."""
_TURN_HOLDS = timedelta(minutes=15)
"""Who is found so long after its turn gets another one: a fleet that was overdue does not begin at once."""
_AFTER_FAILURE = timedelta(hours=6)
"""Until a failed build is tried again; each further failure in a row adds as much."""
_SATURDAY = 5
_WEEKEND = timedelta(days=3)
"""From a run on Friday to the next one on Monday."""
_WORDS_OF_STATE = {
    "disabled_inactivity": "GitHub has disabled it after 60 days without activity in the repository",
    "disabled_fork": "GitHub disables schedules and workflows of forks until somebody enables them",
    "disabled_manually": "somebody has disabled it",
}


@dataclass(frozen=True, slots=True)
class Aging:
    """One workflow of one repository, as far as its age is concerned.

    `is_there` says whether the file is on the default branch, `can_be_dispatched` whether it can be started,
    `is_scheduled` whether it has a schedule of its own. `left_alone` says who wants nothing started, `called_off`
    why the last weekly rebuild came to nothing. `changed_at` is when the repository, or a base that it follows, was
    last seen to hold something new.
    """

    repository: str
    workflow: str
    terms: Terms
    builds: BranchBuilds
    is_there: bool
    can_be_dispatched: bool
    is_scheduled: bool = False
    left_alone: str | None = None
    called_off: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgeOptions:
    """When the week's rebuilds for age begin, and which freezes hold them."""

    weekly: Weekly = Weekly()  # noqa: RUF009 - frozen
    freezes: tuple[Freeze, ...] = ()


def judge_age(aging: Aging, options: AgeOptions, now: datetime) -> Judgement:
    """Says whether a workflow is to be rebuilt, when, and why it is not or cannot be."""
    last = aging.builds.last_success
    max_age = aging.terms.max_age
    build_text = _words_of_last_build(aging, now)
    if max_age is None:
        return Judgement(AgeStanding.REPORTED, build_text)
    passes = None if last is None else last.at + max_age
    turn = _turn(aging.repository, last, max_age, options.weekly, now)
    obstacle = _obstacle(aging, is_too_old=passes is None or passes <= now)
    if obstacle is not None:
        standing, reason = obstacle
        return Judgement(standing, f"{build_text}; {reason}", turn.plan_at, turn.begins_at, passes)
    turn = _rest_turn(turn, aging)
    silent = _silence(aging, now)
    if silent is None and passes is not None and _fires_before(aging, passes, now):
        return Judgement(AgeStanding.OWN_SCHEDULE, f"{build_text}; its own schedule rebuilds it in time")
    latest = passes if passes is not None else now
    opening = next_opening(aging.terms.windows, turn.begins_at)
    opening = min(opening, max(latest, turn.begins_at))
    begins = thawed_beginning(opening, aging.terms, options.freezes, None, latest)
    text = f"{build_text}, and may become {duration(max_age)} old"
    if begins.delay_reason:
        text += f"; {begins.delay_reason}"
    if silent is not None:
        return Judgement(AgeStanding.SILENT, f"{text}; {silent}", turn.plan_at, begins.at, passes)
    standing = AgeStanding.DUE if turn.plan_at <= now else AgeStanding.FRESH
    return Judgement(standing, text, turn.plan_at, begins.at, passes)


@dataclass(frozen=True, slots=True)
class _WeeklyTurn:
    plan_at: datetime
    begins_at: datetime


def _turn(name: str, last: PastRun | None, max_age: timedelta, weekly: Weekly, now: datetime) -> _WeeklyTurn:
    """The last weekly rebuild before it would be too old; where there is none, an hour before it is.

    Who is found after its turn, as when a guarantee is new, begins spread over the same time from now on.
    """
    offset = weekly.offset(name)
    if last is None:
        return _WeeklyTurn(now, now + offset)
    passes = last.at + max_age
    week = weekly.last(passes - offset)
    turn = _WeeklyTurn(week, week + offset) if week > last.at else _WeeklyTurn(passes - LEAD, passes - LEAD)
    if turn.begins_at + _TURN_HOLDS >= now:
        return turn
    return _WeeklyTurn(turn.plan_at, now + offset)


def _rest_turn(turn: _WeeklyTurn, aging: Aging) -> _WeeklyTurn:
    """Puts a turn off until failed builds have rested, unless something has changed since."""
    failed_runs = aging.builds.failed
    if not failed_runs or _has_changed(aging):
        return turn
    rested = failed_runs[0].at + len(failed_runs) * _AFTER_FAILURE
    return _WeeklyTurn(max(turn.plan_at, rested), max(turn.begins_at, rested))


def _has_changed(aging: Aging) -> bool:
    """Whether the repository or a base has changed since its last failure."""
    return aging.changed_at is not None and aging.changed_at > aging.builds.failed[0].at


def _obstacle(aging: Aging, *, is_too_old: bool) -> tuple[AgeStanding, str] | None:
    """Why the bot starts nothing, with the way out."""
    file, builds = aging.workflow, aging.builds
    if aging.left_alone is not None:
        return AgeStanding.LEFT_ALONE, aging.left_alone
    if aging.called_off is not None:
        if not is_too_old:
            return AgeStanding.LEFT_ALONE, aging.called_off
        way_out = "start it, or say why it may be so old, before the next weekly rebuild tries again"
        return AgeStanding.CALLED_OFF, f"{aging.called_off}: {way_out}"
    if aging.is_there and builds.state == DELETED:
        way_out = "name the one that builds now by `workflow` in .github/freshness.yaml, or bring it back"
        return AgeStanding.NO_WORKFLOW, f"{file} was deleted or renamed: {way_out}"
    if not aging.is_there:
        way_out = "add one with workflow_dispatch, or name another by `workflow` in .github/freshness.yaml"
        return AgeStanding.NO_WORKFLOW, f"there is no {file} on the default branch: {way_out}"
    if builds.state != ACTIVE and built_elsewhere(file) is not None:
        way_out = "enable it on its page in Azure DevOps: Pipelines, the pipeline, Settings"
        return AgeStanding.DISABLED, f"{file} cannot be started, it is {builds.state} there: {way_out}"
    if builds.state != ACTIVE:
        cause = _WORDS_OF_STATE.get(builds.state, f"its state is {builds.state}")
        way_out = f"enable it on the Actions page, or with `gh workflow enable {file} -R {aging.repository}`"
        return AgeStanding.DISABLED, f"{file} cannot be started, {cause}: {way_out}"
    if not aging.can_be_dispatched:
        way_out = "add `workflow_dispatch:` under its `on:`"
        return AgeStanding.NO_DISPATCH, f"{file} has no workflow_dispatch trigger: {way_out}"
    return _failures(aging)


def _failures(aging: Aging) -> tuple[AgeStanding, str] | None:
    """Three in a row stop it until something has changed since the last; one success forgets them all."""
    failed_runs = aging.builds.failed
    if len(failed_runs) < MOST_FAILED or _has_changed(aging):
        return None
    way_out = "mend the build: a push, a new base or a run that succeeds lets the bot go on"
    link = f" ({failed_runs[0].url})" if failed_runs[0].url else ""
    return AgeStanding.FAILING, f"its last {len(failed_runs)} builds failed in a row{link}: {way_out}"


def _usual_interval(runs: tuple[PastRun, ...]) -> timedelta | None:
    """How long lies between two runs of its schedule; None where too few are known to tell."""
    gaps = [(later.at - earlier.at).total_seconds() for later, earlier in pairwise(runs)]
    return timedelta(seconds=median(gaps)) if gaps else None


def _longest_interval(runs: tuple[PastRun, ...]) -> timedelta:
    """How long its schedule rests at most, as with `0 3 * * 1-5` over the weekend.

    Where the runs that are known reach back less than a week, and none was at a weekend, that may rest too.
    """
    gaps = [later.at - earlier.at for later, earlier in pairwise(runs)]
    reach_back = runs[0].at - runs[-1].at
    may_rest = reach_back < timedelta(days=7) and all(run.at.weekday() < _SATURDAY for run in runs)
    return max([*gaps, *([_WEEKEND] if may_rest else [])])


def _fires_before(aging: Aging, passes: datetime, now: datetime) -> bool:
    """Whether its own schedule, as it really fired, will rebuild it by then.

    One that fires as often as the guarantee asks for is in time, whatever the minutes that GitHub is late.
    """
    scheduled_runs = aging.builds.scheduled
    usual = _usual_interval(scheduled_runs)
    if not aging.is_scheduled or usual is None or scheduled_runs[0].has_failed:
        return False
    expected = scheduled_runs[0].at + _longest_interval(scheduled_runs)
    return expected <= passes + _LATE and now <= expected + _LATE


def _silence(aging: Aging, now: datetime) -> str | None:
    """That its schedule has stopped firing although the forge calls it active, with the way out."""
    scheduled_runs = aging.builds.scheduled
    usual = _usual_interval(scheduled_runs)
    if (
        not aging.is_scheduled
        or usual is None
        or now - scheduled_runs[0].at <= _longest_interval(scheduled_runs) + usual + _LATE
    ):
        return None
    since = f"{scheduled_runs[0].at:%Y-%m-%d}"
    way_out = f"push a change of {aging.workflow}, or disable and enable it; the bot starts it meanwhile"
    return f"its schedule fired every {duration(usual)} and has not since {since}: {way_out}"


def _words_of_last_build(aging: Aging, now: datetime) -> str:
    last = aging.builds.last_success
    if last is None:
        return f"{aging.workflow} is not known to have ever succeeded"
    return f"{aging.workflow} last succeeded {duration(max(now - last.at, timedelta()))} ago"
