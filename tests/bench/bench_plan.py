"""Planning a large fleet: 10,000 repositories with five usages each, while 60 bases move at once.

Measured in a process of its own, with what the store would hand over already made; its making is not counted, its
memory is. Times are of one core and end with the decision; saving it is the store's.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Affected, FleetRepository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from bot.domain.rollouts.policy import Match, Policy, PolicyRule
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.domain.rollouts.timing.waves import Wave
from bot.fleet.plan.deciding import decide
from tests.bench.measured import Measured

_ROOT = Path(__file__).resolve().parents[2]
_CHILD = """
import time
from tests.bench.bench_plan import decided, fleet
from tests.own_memory import most_memory
moves, affected = fleet()
before = most_memory()
started = time.process_time()
planned = decided(moves, affected)
took = time.process_time() - started
print(len(planned), took, before, most_memory())
"""
REPOSITORIES, USAGES, BASES = 10_000, 5, 60
POLICY = Policy(
    (
        PolicyRule(Match(repositories=("contoso/app-000*",)), wave="canary"),
        PolicyRule(Match(repositories=("contoso/app-00*",)), wave="early"),
        PolicyRule(Match(causes=(Cause.DOTNET_SECURITY,), min_severity=Severity.HIGH), settle=timedelta()),
        PolicyRule(settle=timedelta(hours=6)),
    ),
    (Wave("canary", timedelta(hours=2)), Wave("early", timedelta(hours=4)), Wave("rest")),
)
"""Such as an operator writes."""


def run() -> list[Measured]:
    ended = subprocess.run(
        [sys.executable, "-c", _CHILD],
        cwd=_ROOT,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    rebuilds, seconds, before, most = (float(figure) for figure in ended.stdout.split())
    what = f"plan {REPOSITORIES:,} repositories × {USAGES} usages × {BASES} moved bases"
    return [
        Measured(f"{what}: rebuilds", f"{rebuilds:,.0f}", f"at least {REPOSITORIES:,}", rebuilds >= REPOSITORIES),
        Measured(f"{what}: processor time", f"{seconds:.2f} s", "below 2 s", seconds < 2),
        Measured(f"{what}: most memory", f"{most / 2**20:.0f} MB", "below 250 MB", most < 250 * 2**20),
        Measured(f"{what}: of which before the decision", f"{before / 2**20:.0f} MB"),
    ]


def fleet() -> tuple[list[Move], dict[int, list[Affected]]]:
    """The moves, and the usages of each move's base, as `PlanStore.affected` gives them."""
    at = datetime(2026, 3, 10, 18, tzinfo=UTC)
    old, new = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
    families = ("aspnet", "sdk", "runtime", "runtime-deps")
    bases = [
        Base("mcr.microsoft.com", f"dotnet/{families[n % 4]}", f"{8 + n % 3}.0-noble{n // 12}")
        for n in range(BASES)
    ]
    moves = [
        Move(
            number,
            Change(
                base,
                at,
                old,
                new,
                Cause.DOTNET_SECURITY,
                Cause.DOTNET_SECURITY,
                to_version="10.0.5",
                severity=Severity.HIGH,
                platforms=("linux/amd64", "linux/arm64"),
            ),
        )
        for number, base in enumerate(bases, 1)
    ]
    affected: dict[int, list[Affected]] = {move.id: [] for move in moves}
    kind, platforms = Kind("dockerfile"), ("linux/amd64",)
    for number in range(1, REPOSITORIES + 1):
        workflows = (Workflow(".github/workflows/weekly-rebuild.yml", ("reason",)),)
        member = FleetRepository(number, f"contoso/app-{number:05}", workflows, RepositoryConfig())
        for place in range(USAGES):
            which = (number * 7 + place * 13) % BASES
            base = bases[which]
            pinned = (number + place) % 2 == 0
            reference = Reference(base.name, base.tag, old if pinned else None)
            usage = Usage(
                f"src/app-{number}/{place}/Dockerfile",
                kind,
                1,
                reference,
                Role.FINAL_STAGE,
                Span(5, 60),
                platforms=platforms,
            )
            affected[which + 1].append(Affected(member, usage))
    return moves, affected


def decided(moves: list[Move], affected: dict[int, list[Affected]]) -> tuple[PlannedRebuild, ...]:
    """The rebuilds, under `POLICY`."""
    return decide(moves, affected, POLICY, (), moves[0].change.at)
