"""One backtest: recorded history through the code that runs live, and what that would have done, summed up; how far
upstream was behind."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.backtest.assumptions import Assumptions
from bot.backtest.deciding import Deciding
from bot.backtest.fleet import ReplayedFleet, one_each, synthetic_fleet
from bot.backtest.planner import Planner, SettleWindow, default_policy, is_touched, key_of, with_settle
from bot.backtest.replay import Offer, Replay
from bot.backtest.report import (
    Delays,
    Patched,
    ReleaseLagRow,
    ReplayedRow,
    ReplayLedger,
    ReplayReport,
    RolloutFigures,
    SettleRow,
    SiblingRow,
    UpstreamSection,
    by_cause,
    hindsight,
    months_between,
)
from bot.backtest.rolling import Rolling, at_once
from bot.domain.bases.change import Cause, Change
from bot.domain.bases.notice import Notice
from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Advisory, Release, Severity
from bot.domain.reference import Base
from bot.domain.rollouts.policy import ONE_WAVE, Policy
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.terms import NEVER
from bot.fleet.assess.baseline import BaseStanding
from bot.fleet.assess.notices.rules import end_of_life_notices, moved_underneath, waiting_for_base, withdrawn
from bot.upstream.dotnet.lags import release_lag, sibling_lag
from bot.upstream.dotnet.releases import ReleaseIndex, family_name
from bot.upstream.dotnet.tag_family import sibling_of

RECENTLY = timedelta(days=90)
ENDING = timedelta(days=365)


def look_back(
    histories: Mapping[Base, Sequence[Observation]],
    standings: Mapping[Base, BaseStanding],
    releases: ReleaseIndex,
    advisories: Mapping[str, Advisory],
    now: datetime,
) -> UpstreamSection:
    """Sums up how far upstream was behind, as it stood at `now`, the end of the log."""
    current = [standings[base] for base in sorted(standings)]
    moved = [notice for base in sorted(histories) for notice in moved_underneath(histories[base])]
    return UpstreamSection(
        siblings=_siblings(histories, now),
        releases=_releases(histories, releases),
        withdrawn=tuple(notice for notice in withdrawn(current, releases, now) if notice.delay <= RECENTLY),
        ending=end_of_life_notices(current, releases, now, ENDING),
        waiting=waiting_for_base(current, releases, advisories, now),
        moved_underneath=tuple(sorted(moved, key=lambda notice: (notice.since, notice.base))),
    )


def _siblings(histories: Mapping[Base, Sequence[Observation]], now: datetime) -> tuple[SiblingRow, ...]:
    rows: list[SiblingRow] = []
    for base in sorted(histories):
        sibling = sibling_of(base)
        if sibling is None or sibling not in histories:
            continue
        lags = sibling_lag(histories[sibling], histories[base], now)
        if lags:
            rows.append(_sibling_row(base, sibling, lags))
    return tuple(rows)


def _sibling_row(base: Base, sibling: Base, lags: Sequence[Notice]) -> SiblingRow:
    followed = [lag.delay for lag in lags if lag.until is not None]
    return SiblingRow(
        base=base.short,
        sibling=sibling.short,
        updates=len(lags),
        together=sum(not delay for delay in followed),
        followed=Delays.of(followed),
        pending=len(lags) - len(followed),
    )


def _releases(histories: Mapping[Base, Sequence[Observation]], releases: ReleaseIndex) -> tuple[ReleaseLagRow, ...]:
    by_family: dict[str, list[timedelta]] = defaultdict(list)
    for base in sorted(histories):
        by_family[family_name(base)] += [lag.delay for lag in release_lag(histories[base], releases)]
    return tuple(
        ReleaseLagRow(
            family=family,
            early=sum(delay < timedelta() for delay in delays),
            ahead=Delays.of(-delay for delay in delays if delay < timedelta()),
            behind=Delays.of(delay for delay in delays if delay >= timedelta()),
        )
        for family, delays in sorted(by_family.items())
        if delays
    )


SETTLE_WINDOWS = tuple(timedelta(hours=hours) for hours in (0, 1, 6, 24, 72))
END_OF_TIME = timedelta(days=400)
"""After the last observation, so that everything that waits comes due."""


def run(
    observations: Iterable[Observation],
    releases: Iterable[Release],
    policy: Policy | None = None,
    *,
    fleet: ReplayedFleet | None = None,
    advisories: Mapping[str, Advisory] | None = None,
    unrated: Severity | None = Severity.HIGH,
    seed: int = 1,
    size: int = 100,
    planner: Callable[[ReplayedFleet, Policy, Severity | None], Planner] = Deciding,
    assumptions: Assumptions | None = None,
) -> ReplayReport:
    """Replays `observations`, oldest first, and reports what `policy` would have made of them.

    Without `fleet`, `size` repositories are made up from `seed`. `unrated`: how severe a security fix counts for
    the policy while nobody has rated it. The same input gives the same report. Raises `Failure` where there is
    nothing to replay, or as the observations' source does.

    Repositories are planned for by `planner`, the code that runs live. Where the policy has several waves, merges
    by itself or guarantees an age, or where `assumptions` are given, rollouts are played by `Rolling` instead.
    What settle windows save is counted with `SettleWindow`, which is what the design asks of it, for one
    repository on each base.
    """
    policy = policy or default_policy()
    index, advisories = ReleaseIndex(releases), advisories or {}
    replay = Replay(index, advisories)
    histories: dict[Base, list[Observation]] = {}
    offers = list(replay.offers(_kept(observations, histories)))
    started, ended = _first_and_last(histories)
    moves = Counter(change.base for change in replay.changes)
    synthetic = fleet is None
    fleet = fleet or synthetic_fleet({base: moves[base] for base in histories}, seed=seed, size=size)
    figures: RolloutFigures | None = None
    if assumptions is not None or is_played(policy):
        rolling = Rolling(fleet, policy, unrated, assumptions=assumptions or Assumptions(), until=ended)
        ledger = carried_out(rolling, offers)
        figures = _rollout_figures(rolling, offers)
    else:
        ledger = carried_out(planner(fleet, policy, unrated), offers)
    months = months_between(started, ended)
    return ReplayReport(
        started=started,
        ended=ended,
        observations=replay.observed,
        bases=len(histories),
        changes=tuple(replay.changes),
        months=months,
        causes=by_cause(replay.changes, months),
        hindsight=hindsight(replay.changes, _last_learnt(offers)),
        repositories=_repository_rows(fleet, ledger, replay.changes),
        synthetic=synthetic,
        publications=len({change.at for change in replay.changes}),
        to_action_security=Delays.of(ledger.security),
        to_action_other=Delays.of(ledger.other),
        settle=settle_effect(offers, policy, unrated),
        upstream=look_back(histories, replay.standings, index, advisories, ended),
        rollouts=figures,
    )


def is_played(policy: Policy) -> bool:
    """Whether a policy asks for what needs rollouts to be played: waves, merging by itself, an age that holds."""
    return policy.waves != ONE_WAVE or any(
        rule.max_age is not None or rule.auto_merge not in (None, NEVER) for rule in policy.rules
    )


def _rollout_figures(rolling: Rolling, offers: Sequence[Offer]) -> RolloutFigures:
    plain = Rolling(rolling.fleet, at_once(rolling.policy), rolling.unrated, assumptions=rolling.assumptions)
    carried_out(plain, offers)
    fixes = rolling.security()
    return RolloutFigures(
        rollouts=rolling.rollouts,
        runs=rolling.runs,
        weekly_runs=rolling.weekly_runs,
        runs_at_once=plain.runs,
        security=Patched.of(fixes.values()),
        other=Patched.of(took for key, took in rolling.patched.items() if key not in fixes),
        waited_for_budget=rolling.waited_for_budget,
        assumptions=rolling.assumptions,
    )


def carried_out(planner: Planner, offers: Iterable[Offer]) -> ReplayLedger:
    """Drives a planner through what was known when; whatever still waits at the end is carried out too."""
    offers = list(offers)
    final = {key_of(offer.change): offer.change.cause for offer in offers}
    ledger = ReplayLedger(frozenset(key for key, cause in final.items() if cause is Cause.DOTNET_SECURITY))
    now: datetime | None = None
    for offer in offers:
        if now is not None and offer.now != now:
            for deed in planner.due(offer.now - timedelta(microseconds=1)):
                ledger.enter(deed)
        now = offer.now
        planner.offer(offer.change, now)
    if now is not None:
        for deed in planner.due(now + END_OF_TIME):
            ledger.enter(deed)
    return ledger


def settle_effect(
    offers: Iterable[Offer], policy: Policy, unrated: Severity | None = Severity.HIGH
) -> tuple[SettleRow, ...]:
    """What each settle window saves in rebuilds and costs in time, per base."""
    offers = list(offers)
    fleet = one_each({offer.change.base for offer in offers})
    rows: list[SettleRow] = []
    for settle in SETTLE_WINDOWS:
        ledger = carried_out(SettleWindow(fleet, with_settle(policy, settle), unrated), offers)
        without = rows[0].rebuilds if rows else ledger.rebuilds
        rows.append(
            SettleRow(
                settle=settle,
                rebuilds=ledger.rebuilds,
                saved=without - ledger.rebuilds,
                security=Delays.of(ledger.security),
                other=Delays.of(ledger.other),
            )
        )
    return tuple(rows)


def _kept(observations: Iterable[Observation], histories: dict[Base, list[Observation]]) -> Iterable[Observation]:
    for observation in observations:
        histories.setdefault(observation.base, []).append(observation)
        yield observation


def _first_and_last(histories: Mapping[Base, Sequence[Observation]]) -> tuple[datetime, datetime]:
    if not histories:
        raise Failure(Trouble.MISSING, "there is no observation to replay", advice="give a log that is not empty")
    return min(history[0].at for history in histories.values()), max(h[-1].at for h in histories.values())


def _last_learnt(offers: Iterable[Offer]) -> dict[int, datetime]:
    """Returns when each change that was offered again was offered last."""
    seen: set[int] = set()
    learnt: dict[int, datetime] = {}
    for offer in offers:
        if offer.place in seen:
            learnt[offer.place] = offer.now
        seen.add(offer.place)
    return learnt


def _repository_rows(
    fleet: ReplayedFleet, ledger: ReplayLedger, changes: Iterable[Change]
) -> tuple[ReplayedRow, ...]:
    bases: dict[str, set[str]] = {}
    untouched: Counter[str] = Counter()
    for base, uses in fleet.uses.items():
        for use in uses:
            bases.setdefault(use.repository.name, set()).add(base.short)
    for change in changes:
        if change.to_digest is not None:
            untouched.update(
                use.repository.name for use in fleet.uses_of(change.base) if not is_touched(use.usage, change)
            )
    return tuple(
        ReplayedRow(
            name=name,
            bases=tuple(sorted(bases.get(name, ()))),
            pull_requests=ledger.actions[name, Action.PULL_REQUEST],
            dispatches=ledger.actions[name, Action.DISPATCH],
            messages=ledger.actions[name, Action.NOTIFY],
            untouched=untouched[name],
        )
        for name in sorted(repository.name for repository in fleet.repositories)
    )
