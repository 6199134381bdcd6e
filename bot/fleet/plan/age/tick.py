"""One tick: whose last build grows too old is rebuilt, as a rollout of its own; who cannot be is told of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.bases.followed_base import is_patch_pinned
from bot.domain.clock import Clock, is_yet_to_come
from bot.domain.failure import LeaseLost
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.policy import Policy, Terms
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.domain.rollouts.timing.age import (
    AgeStanding,
    Guarantee,
    Judgement,
    Weekly,
    guarantees,
    rebuilding_workflow,
)
from bot.fleet.plan.age.deciding import AgeOptions, Aging, judge_age
from bot.fleet.plan.age.ports import AgePlan, AgeStore, FollowedUsage, JudgedAge, KnownBuilds

_STALE = timedelta(hours=3)
"""Nothing is begun on what was seen longer ago: somebody may have built it since."""


@dataclass(frozen=True, slots=True)
class AgeTally:
    """How many workflows were judged, and how many rebuilds were planned."""

    judged: int = 0
    planned: int = 0


async def tick(store: AgeStore, policy: Policy, weekly: Weekly, clock: Clock) -> AgeTally:
    """Judges all that was looked at anew, and plans those whose turn has come."""
    judged_count = planned_count = 0
    options = AgeOptions(weekly, policy.freezes)
    while True:
        revisions = await store.revisions()
        items = await store.unjudged()
        if not items:
            break
        now = clock.now()
        promised = _guarantees_by_home(items, policy)
        verdicts = {each.id: _verdict(each, promised[each.member.id], options, now) for each in items}
        due = [each for each in items if verdicts[each.id].is_due]
        standings = await store.standings_of(sorted({each.member.id for each in due}))
        usages_by_item = {each.id: _built_by(each, standings.get(each.member.id, ()), policy) for each in due}
        plan = _plan_all(items, verdicts, usages_by_item, AgePlan({}, weekly.last(now), revisions), weekly, now)
        try:
            await store.save_ages(plan)
        except LeaseLost:
            break
        judged_count += len(items)
        planned_count += len(plan.rebuilds)
    return AgeTally(judged_count, planned_count)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A judgement with the terms that it was made under; due where a rebuild, or a telling, is planned now."""

    judgement: Judgement
    guarantee: Guarantee
    is_due: bool = False
    look_again: bool = False


def _guarantees_by_home(items: Sequence[KnownBuilds], policy: Policy) -> dict[int, Mapping[str, Guarantee]]:
    """What holds for the workflows of each repository, found once for all of them."""
    homes = {each.member.id: each for each in items}
    return {
        home: guarantees(item.member.name, item.member.config, item.places, policy) for home, item in homes.items()
    }


def _verdict(item: KnownBuilds, promised: Mapping[str, Guarantee], options: AgeOptions, now: datetime) -> _Verdict:
    guarantee = promised.get(item.workflow)
    if guarantee is None:  # another workflow counts by now; the next look at the fleet forgets this one
        return _Verdict(Judgement(AgeStanding.REPORTED, "another workflow counts"), Guarantee(Terms()))
    judgement = _with_attempt(
        judge_age(_aging(item, guarantee, options.weekly, now), options, now), item, guarantee, now
    )
    verdict = _Verdict(judgement, guarantee)
    if judgement.plan_at is None or judgement.plan_at > now or judgement.standing is AgeStanding.LEFT_ALONE:
        return verdict
    attempt = item.attempt
    if attempt is not None and not attempt.state.has_ended:
        return verdict
    if _has_ended_since(item, now) or is_yet_to_come(item.read_at, now) or now - item.read_at > _STALE:
        return replace(verdict, look_again=True)
    if judgement.standing.cannot_be_rebuilt:
        is_told = item.told_at is not None and item.told_at >= options.weekly.last(now)
        return replace(verdict, is_due=not is_told)
    return replace(verdict, is_due=True)


_MET = frozenset({AgeStanding.FRESH, AgeStanding.REPORTED, AgeStanding.OWN_SCHEDULE})
"""Nothing has to be begun for now."""


def _has_ended_since(item: KnownBuilds, now: datetime) -> bool:
    """Whether its last rebuild has ended since its builds were read; none by a clock that was ahead, after whose
    moments no reading would come."""
    ended_at = None if item.attempt is None else item.attempt.ended_at
    return ended_at is not None and ended_at >= item.read_at and not is_yet_to_come(ended_at, now)


_TAKES_AT_MOST = timedelta(days=1)
"""A rebuild that was planned since has a day to come to its end before anybody is called."""


def _with_attempt(judgement: Judgement, item: KnownBuilds, guarantee: Guarantee, now: datetime) -> Judgement:
    """The judgement with how far the rebuild is that is planned or under way. Where that has not ended though the
    last build is too old, a person has to look why."""
    attempt, standing = item.attempt, judgement.standing
    if attempt is None or attempt.state.has_ended or guarantee.max_age is None or standing.cannot_be_rebuilt:
        return judgement
    progress = f"its rebuild has not ended: {attempt.reason}" if attempt.has_begun else "its rebuild has not begun"
    text = f"{judgement.text}; {progress}"
    too_old = judgement.overdue_at or attempt.planned_at + guarantee.max_age
    if now < max(too_old, attempt.planned_at + _TAKES_AT_MOST):
        return replace(judgement, text=text) if attempt.has_begun else judgement
    return replace(judgement, standing=AgeStanding.UNFINISHED, text=text)


def _aging(item: KnownBuilds, guarantee: Guarantee, weekly: Weekly, now: datetime) -> Aging:
    workflow = item.member.workflow(item.workflow)
    return Aging(
        item.member.name,
        item.workflow,
        guarantee.terms,
        item.builds,
        item.is_there,
        workflow is not None,
        workflow is not None and workflow.is_scheduled,
        guarantee.told_only or _called_off(item, weekly, now, RebuildState.SKIPPED),
        _called_off(item, weekly, now, RebuildState.CANCELLED),
        item.changed_at,
    )


def _called_off(item: KnownBuilds, weekly: Weekly, now: datetime, state: RebuildState) -> str | None:
    """What was called off since the last weekly rebuild is not begun again before the next one. Who has skipped it
    knows; what was cancelled is told to people once it is too old. What the bot has skipped, as where a right is
    missing for days, nobody has called off."""
    attempt = item.attempt
    if attempt is None or not attempt.is_weekly or attempt.state is not state:
        return None
    if state is RebuildState.SKIPPED and not attempt.is_by_person:
        return None
    if is_yet_to_come(attempt.planned_at, now):  # by a clock that was ahead, for another week
        return None
    last = item.builds.last_success
    is_met = last is not None and attempt.ended_at is not None and last.at >= attempt.planned_at
    return None if is_met or attempt.planned_at < weekly.last(now) else attempt.reason


def _plan_all(
    items: Sequence[KnownBuilds],
    verdicts: Mapping[int, _Verdict],
    usages_by_item: Mapping[int, Sequence[FollowedUsage]],
    plan: AgePlan,
    weekly: Weekly,
    now: datetime,
) -> AgePlan:
    """Decides for each workflow whether it is rebuilt, or its rebuild withdrawn or hurried; `usages_by_item` is
    what each that is due builds."""
    judged_ages: dict[int, JudgedAge] = {}
    rebuilds: list[PlannedRebuild] = []
    withdrawn: dict[int, str] = {}
    hurried: dict[int, datetime] = {}
    for item in items:
        verdict = verdicts[item.id]
        judgement, attempt = verdict.judgement, item.attempt
        usages = usages_by_item.get(item.id, ())
        judgement = _by_its_own_word(item, usages, judgement, now)
        is_begun = verdict.is_due and judgement.standing is not AgeStanding.LEFT_ALONE
        if is_begun:
            rebuilds.append(_rebuild(item, verdict.guarantee, judgement, usages, now))
        elif attempt is not None and not attempt.state.has_ended:
            if attempt.is_weekly and not attempt.has_begun and is_yet_to_come(attempt.planned_at, now):
                withdrawn[attempt.rebuild] = "a clock that was ahead has planned it"
            elif attempt.is_weekly and not attempt.has_begun and judgement.standing in _MET:
                withdrawn[attempt.rebuild] = f"it was built meanwhile: {judgement.text}"
            elif attempt.state.awaits_action and judgement.overdue_at is not None:
                hurried[attempt.rebuild] = judgement.overdue_at
        is_stuck = judgement.standing.cannot_be_rebuilt
        judged_ages[item.id] = JudgedAge(
            judgement, _look_at(judgement, weekly, now), is_begun and is_stuck, verdict.look_again
        )
    return replace(plan, judged=judged_ages, rebuilds=tuple(rebuilds), withdrawn=withdrawn, hurried=hurried)


def _built_by(item: KnownBuilds, standings: Sequence[FollowedUsage], policy: Policy) -> list[FollowedUsage]:
    """Of a repository's usages, those in what this workflow builds."""
    repository, config = item.member.name, item.member.config
    return [
        followed
        for followed in standings
        if rebuilding_workflow(repository, config, (followed.base, followed.usage.path), policy) == item.workflow
    ]


def _look_at(judgement: Judgement, weekly: Weekly, now: datetime) -> datetime | None:
    """When it is judged again without a new look: at its turn, and once a week where nothing can be done."""
    if judgement.plan_at is None:
        return None
    if judgement.plan_at > now:
        return judgement.plan_at
    return weekly.following(now) if judgement.standing.cannot_be_rebuilt else None


def _by_its_own_word(
    item: KnownBuilds, standings: Sequence[FollowedUsage], judgement: Judgement, now: datetime
) -> Judgement:
    """A repository that wants all of its bases left alone is left alone."""
    config, today = item.member.config, now.date()
    ignores = [config.ignored_by(each.usage.path, str(each.base), today) for each in standings]
    if ignores and all(entry is not None for entry in ignores):
        text = f"the repository asks to leave this alone: {ignores[0]}"
        return replace(judgement, standing=AgeStanding.LEFT_ALONE, text=text)
    return judgement


def _rebuild(
    item: KnownBuilds,
    guarantee: Guarantee,
    judgement: Judgement,
    standings: Sequence[FollowedUsage],
    now: datetime,
) -> PlannedRebuild:
    """A run of the workflow; where none can be started, the telling of why."""
    is_stuck, terms = judgement.standing.cannot_be_rebuilt, guarantee.terms
    return PlannedRebuild(
        repository_id=item.member.id,
        repository=item.member.name,
        action=Action.NOTIFY if is_stuck else Action.DISPATCH,
        state=RebuildState.PLANNED,
        reason=judgement.text,
        targets=() if is_stuck else targets_of(standings),
        replacements=(),
        wave=terms.wave,
        due_at=now if is_stuck or judgement.begins_at is None else judgement.begins_at,
        workflow=None if is_stuck else item.workflow,
        soak=terms.soak,
        overdue_at=now if is_stuck else judgement.overdue_at or now,
        steps=() if is_stuck else terms.steps,
        parts=() if is_stuck else guarantee.parts,
    )


def targets_of(standings: Sequence[FollowedUsage]) -> tuple[Target, ...]:
    """The bases that a build takes as they are now, by which a quarantine and the repository's own word hold it."""
    targets = {
        followed.base: Target(followed.base, None, followed.digest, ())
        for followed in standings
        if followed.digest is not None and _takes(followed.usage, followed.digest)
    }
    return tuple(targets[base] for base in sorted(targets))


def _takes(usage: Usage, digest: str) -> bool:
    if usage.reference.digest is not None:
        return usage.reference.digest == digest
    return not is_patch_pinned(usage.reference)
