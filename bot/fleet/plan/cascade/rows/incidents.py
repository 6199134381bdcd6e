"""Incidents of own bases: a failed build that blocks others, and images that stand on each other."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.fleet.plan.cascade.graph import Cycle, Image
from bot.fleet.plan.cascade.tick import Decided
from bot.store.rows.bases.tables import incidents

BLOCKS = "blocks:"
CYCLE = "cycle:"
"""What the subjects of incidents begin with."""


async def incidents_of(
    connection: AsyncConnection, decided: Decided, now: datetime
) -> tuple[list[Incident], set[str]] | None:
    """Those that begin and the subjects of those that are over; None where nothing changes."""
    names = decided.fleet.names
    by_subject = {
        incident.subject: incident
        for incident in (
            *(
                _blocking_incident(names.get(number, "?"), count, now)
                for number, count in decided.cascade.blocks.items()
            ),
            *(_cycle_incident(cycle, names, now) for cycle in decided.graph.cycles),
        )
    }
    rows = await connection.execute(
        select(incidents.c.subject).where(
            incidents.c.cleared_at.is_(None),
            or_(incidents.c.subject.startswith(BLOCKS), incidents.c.subject.startswith(CYCLE)),
        )
    )
    before = set(rows.scalars())
    opened = [each for subject, each in sorted(by_subject.items()) if subject not in before]
    over = before - by_subject.keys()
    return (opened, over) if opened or over else None


def _blocking_incident(name: str, count: int, now: datetime) -> Incident:
    blocked_text = "1 repository" if count == 1 else f"{count:,} repositories"
    advice = f"mend its build; `freshness-bot explain {name}` shows what failed"
    return Incident(
        f"{BLOCKS}{name}"[:255], now, f"its rebuild failed, which blocks {blocked_text} that stand on it; {advice}"
    )


def _cycle_incident(cycle: Cycle, names: Mapping[int, str], now: datetime) -> Incident:
    child = names.get(cycle.cut.child.repository, "?")
    path = " → ".join(_name_of(image, names) for image in cycle.path)
    advice = (
        f"what {child} takes from {cycle.cut.base.short} sets off no rebuild; let one of them build on another base"
    )
    subject = f"{CYCLE}{_name_of(cycle.cut.child, names)} {cycle.cut.base}"
    return Incident(subject[:255], now, f"images stand on each other: {path}; {advice}")


def _name_of(image: Image, names: Mapping[int, str]) -> str:
    """`contoso/golden`, and of a repository that builds several images `contoso/golden (ghcr.io/contoso/sdk)`."""
    repository = names.get(image.repository, "?")
    return f"{repository} ({image.name})" if image.name else repository
