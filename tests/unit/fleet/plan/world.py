"""Changes, repositories and usages to put questions with."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Affected, FleetRepository, Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Replacement, Role, Span, Usage
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState, Target
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.fleet.plan.deciding import decide

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
"""A Tuesday."""
HOUR = timedelta(hours=1)
MCR = "mcr.microsoft.com"
ASPNET = Base(MCR, "dotnet/aspnet", "10.0")
SDK = Base(MCR, "dotnet/sdk", "10.0")
WEEKLY = Workflow(".github/workflows/weekly-rebuild.yml", ("reason",))


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def move(
    base: Base = ASPNET,
    cause: Cause = Cause.DOTNET_RELEASE,
    *,
    id: int = 1,  # noqa: A002 - the field's name
    at: datetime = NOON,
    to: str | None = "b",
    version: str | None = "10.0.5",
    severity: Severity | None = None,
    platforms: tuple[str, ...] = ("linux/amd64",),
    lacks: tuple[str, ...] = (),
) -> Move:
    change = Change(
        base,
        at,
        digest("a"),
        digest(to) if to else None,
        cause,
        cause,
        from_version="10.0.4",
        to_version=version,
        severity=severity,
        platforms=platforms,
        lacks=lacks,
    )
    return Move(id, change)


def usage(text: str, role: Role = Role.FINAL_STAGE, path: str = "Dockerfile", **values: Any) -> Usage:
    """`aspnet:10.0@a`: a reference to Microsoft's registry, its digest by a letter."""
    written, _, letter = text.partition("@")
    name, _, tag = written.partition(":")
    reference = Reference(f"{MCR}/dotnet/{name}", tag or None, digest(letter) if letter else None)
    return Usage(path, Kind("dockerfile"), 1, reference, role, **({"span": Span(5, 60)} | values))


def member(
    *workflows: Workflow,
    id: int = 7,  # noqa: A002
    name: str = "contoso/shop",
    sdk_pins: tuple[Usage, ...] = (),
    **config: Any,
) -> FleetRepository:
    return FleetRepository(id, name, workflows, RepositoryConfig(**config), sdk_pins)


def rebuild(
    id: int = 1,  # noqa: A002
    bases: Sequence[Base] = (ASPNET,),
    state: RebuildState = RebuildState.PLANNED,
    **values: Any,
) -> Rebuild:
    """An earlier one, from digest a to b."""
    known: dict[str, Any] = {
        "rollout": 1,
        "repository": "contoso/shop",
        "action": Action.PULL_REQUEST,
        "reason": "moved",
        "targets": tuple(Target(base, digest("a"), digest("b"), (1,)) for base in bases),
        "replacements": (),
        "wave": "rest",
        "due_at": NOON,
        "planned_at": NOON,
        "branch": "freshness/dotnet-aspnet-10.0",
    }
    return Rebuild(id=id, state=state, **(known | values))


def planned(
    moves: Move | Sequence[Move],
    usages: Usage | Sequence[Usage],
    of: FleetRepository | None = None,
    *,
    policy: Policy | None = None,
    earlier: Sequence[Rebuild] = (),
    known: Sequence[Move] = (),
    now: datetime = NOON,
    joins: int | None = None,
) -> tuple[PlannedRebuild, ...]:
    """What is decided for one repository, whose usages follow the base of their own family."""
    moves = [moves] if isinstance(moves, Move) else list(moves)
    usages = [usages] if isinstance(usages, Usage) else list(usages)
    home = of or member()
    affected = {
        each.id: [
            Affected(home, item) for item in usages if item.reference.repository == each.change.base.repository
        ]
        for each in moves
    }
    return decide(
        moves, affected, policy or Policy(), earlier, now, joins, {item.id: item.change for item in known}
    )


def only(found: tuple[PlannedRebuild, ...]) -> PlannedRebuild:
    assert len(found) == 1
    return found[0]


def edits(found: PlannedRebuild) -> list[tuple[str, str, bool]]:
    """Old tag and digest, new ones, and whether only the marker line says so."""
    return [(_short(item.old), _short(item.new), item.marker) for item in map(_checked, found.replacements)]


def _checked(item: Replacement) -> Replacement:
    assert item.old.name == item.new.name
    return item


def _short(reference: Reference) -> str:
    letter = f"@{reference.digest[7]}" if reference.digest else ""
    return f"{reference.tag}{letter}"
