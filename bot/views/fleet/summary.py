"""How the fleet fared in a span of time: its freshness, what was rebuilt and why, what is stuck."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.rollouts.rebuild import Rebuild
from bot.views.fleet.fleet import Standing, followed
from bot.views.fleet.needs import NOTHING_NEEDED, NeedsYou
from bot.views.fleet.needs import as_json as needs_as_json
from bot.views.fleet.practices import NO_PRACTICES, FleetPractices
from bot.views.fleet.practices import as_json as practice_as_json
from bot.views.images.images import Unfixed
from bot.views.running.report import ExposureReport
from bot.views.running.report import as_json as exposure_as_json


@dataclass(frozen=True, slots=True)
class RolledOut:
    """What one rollout came to within the span; `title` says what set it off. Of those that are `unproven` nothing
    shows what their image stands on; those that are `merged` were not seen to build. They count as nothing else.
    """

    id: int
    title: str
    succeeded: int
    failed: int
    cancelled: int
    unproven: int = 0
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Stuck:
    """A rebuild that waits for a person, since when, and for whom; `owners` is empty where nobody is named."""

    rebuild: Rebuild
    since: datetime
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lag:
    """How late upstream was within the span: the median over so many images."""

    images: int
    median: timedelta


@dataclass(frozen=True, slots=True)
class Summary:
    """`before` are the standings at the beginning of the span, empty where nobody counted them then.

    Of `rollouts` and `stuck` only the largest and the longest are named; `rollouts_in_all` and `stuck_in_all` count
    all of them. `ends` and `withdrawn` are what notices say of bases that the fleet uses.
    """

    since: datetime
    until: datetime
    standings: Mapping[Standing, int]
    before: Mapping[Standing, int]
    rollouts: tuple[RolledOut, ...]
    rollouts_in_all: int
    succeeded: int
    failed: int
    stuck: tuple[Stuck, ...]
    stuck_in_all: int
    lag: Lag | None
    withdrawn: tuple[str, ...]
    ends: tuple[str, ...]
    planned: int
    practices: FleetPractices = NO_PRACTICES
    unfixed: tuple[Unfixed, ...] = ()
    """What the gate ignores because nobody has fixed it."""
    unproven: int = 0
    """Rebuilds of which nothing shows what their image stands on."""
    merged: int = 0
    """Rebuilds that were merged, and not seen to build."""
    contradicted: tuple[str, ...] = ()
    """What is told of repositories with an image whose witnesses contradict each other."""
    needs: NeedsYou = NOTHING_NEEDED
    exposure: ExposureReport | None = None
    """How long what runs was exposed in the last week; None where no source tells what runs."""

    @property
    def followed(self) -> int:
        """The repositories that stand on a watched base and want to be rebuilt."""
        return followed(self.standings)

    @property
    def current(self) -> int:
        return self.standings.get(Standing.CURRENT, 0)

    @property
    def share(self) -> float | None:
        """How much of the fleet is current; None where nothing is followed."""
        return self.current / self.followed if self.followed else None

    @property
    def share_before(self) -> float | None:
        then = followed(self.before)
        return self.before.get(Standing.CURRENT, 0) / then if then else None


def as_json(summary: Summary) -> dict[str, Any]:
    """Gives the summary as plain JSON values; lengths of time in seconds."""
    return {
        "since": summary.since,
        "until": summary.until,
        "needs_you": needs_as_json(summary.needs),
        "standings": {each.value: count for each, count in summary.standings.items()},
        "before": {each.value: count for each, count in summary.before.items()},
        "current_share": summary.share,
        "current_share_before": summary.share_before,
        "rebuilt": {
            "succeeded": summary.succeeded,
            "unproven": summary.unproven,
            "merged": summary.merged,
            "failed": summary.failed,
        },
        "rollouts": [asdict(each) for each in summary.rollouts],
        "rollouts_in_all": summary.rollouts_in_all,
        "stuck": [_stuck_as_json(each) for each in summary.stuck],
        "stuck_in_all": summary.stuck_in_all,
        "upstream_lag": (
            {"images": summary.lag.images, "median": summary.lag.median.total_seconds()} if summary.lag else None
        ),
        "withdrawn": list(summary.withdrawn),
        "end_of_support": list(summary.ends),
        "contradicted": list(summary.contradicted),
        "planned": summary.planned,
        "unfixed": [asdict(each) for each in summary.unfixed],
        "practices": [practice_as_json(each) for each in summary.practices.rows],
        "onboardings": {state.value: count for state, count in summary.practices.onboardings.items()},
        **({} if summary.exposure is None else {"exposure": exposure_as_json(summary.exposure)}),
    }


def _stuck_as_json(stuck: Stuck) -> dict[str, Any]:
    return {
        "rebuild": stuck.rebuild.id,
        "repository": stuck.rebuild.repository,
        "state": stuck.rebuild.state.value,
        "since": stuck.since,
        "owners": list(stuck.owners),
        "reason": stuck.rebuild.reason,
        "url": stuck.rebuild.url,
    }
