"""What the bot has to say in each repository's issue, and how far the forge has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.issue import IssueSection
from bot.store.engine.writing import insert_into, upsert
from bot.store.rows.schema import (
    DueTable,
    LongText,
    ShortText,
    falls_due,
    key_column,
    lease_columns,
    locked_after,
    metadata,
)

issues = Table(
    "issues",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, unique=True),
    Column("number", Integer),
    Column("url", LongText),
    Column("is_open", Boolean, nullable=False, server_default="0"),
    Column("wanted", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("refused", LongText),
    Column("error", LongText),
    *lease_columns(),
    Index(None, "due_at"),
)
"""`refused` says why the forge takes no issue there; what is said then goes to the maintainers' channel."""
falls_due(issues, DueTable("issues", (issues.c.wanted > issues.c.told,)))
locked_after(issues, "fleet_issues", "issue_sections")

issue_sections = Table(
    "issue_sections",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("name", ShortText(64), primary_key=True),
    Column("title", ShortText(255), nullable=False),
    Column("text", LongText, nullable=False),
    Column("told", LongText, nullable=False),
    Column("opens", Boolean, nullable=False, server_default="1"),
)
locked_after(issue_sections, "code_scans")

_SAID = ("title", "text", "told", "opens")


async def say(connection: AsyncConnection, repository: int, section: IssueSection, now: datetime) -> bool:
    """Has the section in the repository's issue from now on, within the caller's transaction; whether that is
    news."""
    result = await connection.execute(
        select(*(issue_sections.c[name] for name in _SAID)).where(
            issue_sections.c.repository_id == repository, issue_sections.c.name == section.name
        )
    )
    values = {name: getattr(section, name) for name in _SAID}
    before = result.first()
    if before == tuple(values.values()):
        return False
    key = {"repository_id": repository, "name": section.name}
    await connection.execute(upsert(connection, issue_sections, tuple(key), **key, **values))
    if section.opens or (before is not None and before.opens) or await _is_open(connection, repository):
        await _want(connection, repository, now)
    return True


async def unsay(connection: AsyncConnection, repository: int, name: str, now: datetime) -> bool:
    """Takes the section out again; with the last one the issue is closed. Whether it was there."""
    is_section = issue_sections.c.repository_id == repository, issue_sections.c.name == name
    opens = await connection.scalar(select(issue_sections.c.opens).where(*is_section))
    if opens is None:
        return False
    await connection.execute(delete(issue_sections).where(*is_section))
    if opens or await _is_open(connection, repository):
        await _want(connection, repository, now)
    return True


async def sections_of(connection: AsyncConnection, repository: int) -> tuple[IssueSection, ...]:
    """Reads the sections of a repository's issue by name."""
    rows = await connection.execute(
        select(issue_sections).where(issue_sections.c.repository_id == repository).order_by(issue_sections.c.name)
    )
    return tuple(_section(row) for row in rows)


async def sections_by_name(
    connection: AsyncConnection, names: Sequence[str]
) -> dict[tuple[int, str], IssueSection]:
    """Reads the sections with these names of all issues, by the repository and the name."""
    rows = await connection.execute(select(issue_sections).where(issue_sections.c.name.in_(names)))
    return {(row.repository_id, row.name): _section(row) for row in rows}


def _section(row: Any) -> IssueSection:
    return IssueSection(row.name, row.title, row.text, row.told, row.opens)


async def _is_open(connection: AsyncConnection, repository: int) -> bool:
    """Whether the forge has an open issue, or is about to."""
    is_of_repository = issues.c.repository_id == repository
    row_id = await connection.scalar(
        select(issues.c.id).where(is_of_repository, or_(issues.c.is_open, issues.c.wanted > issues.c.told))
    )
    return row_id is not None


async def _want(connection: AsyncConnection, repository: int, now: datetime) -> None:
    insertion = insert_into(connection, issues).values(repository_id=repository, wanted=1, told=0, due_at=now)
    due_columns = {"wanted": issues.c.wanted + 1, "due_at": now}
    await connection.execute(insertion.on_conflict_do_update(index_elements=["repository_id"], set_=due_columns))
