"""How a fleet stands of which something is to be told."""

from datetime import timedelta

from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.report.fleet_issue.body import FleetNews, WaitingRebuild
from bot.views.fleet.fleet import Standing
from bot.views.fleet.summary import Stuck, Summary
from tests.builders import NOON, rebuild

FAILED = Stuck(
    rebuild("contoso/shop", RebuildState.FAILED, reason="the build failed"),
    NOON - timedelta(days=3),
    ("@contoso/shops",),
)
UNMERGED = Stuck(rebuild("contoso/desk"), NOON - timedelta(days=5))
NEWS = FleetNews(
    Summary(
        NOON - timedelta(days=7),
        NOON,
        standings={Standing.CURRENT: 9, Standing.FAILED: 1},
        before={},
        rollouts=(),
        rollouts_in_all=0,
        succeeded=0,
        failed=0,
        stuck=(FAILED, UNMERGED),
        stuck_in_all=2,
        lag=None,
        withdrawn=(),
        ends=(),
        planned=2,
    ),
    (
        WaitingRebuild("contoso/api", "waits for wave canary"),
        WaitingRebuild("contoso/web", "held by Ann: not this week", is_held=True),
    ),
    2,
)
