"""What the bot has to say in each repository's issue, and how far the forge has it."""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.issue import IssueSection
from bot.store.engine.inserting import insert_into, upsert
from bot.store.rows.moment import Moment
from bot.store.rows.tables import Id, metadata

issues = Table(
    "issues",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("repository_id", ForeignKey("repositories.id"), nullable=False, unique=True),
    Column("number", Integer),
    Column("url", Text),
    Column("is_open", Boolean, nullable=False, server_default="0"),
    Column("wanted", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("refused", Text),
    Column("error", Text),
    Column("due_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_owner", String(64)),
    Column("lease_until", Moment),
    Index(None, "due_at"),
)
"""`refused` says why the forge takes no issue there; what is said then goes to the maintainers' channel."""

issue_sections = Table(
    "issue_sections",
    metadata,
    Column("repository_id", ForeignKey("repositories.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("title", String(255), nullable=False),
    Column("text", Text, nullable=False),
    Column("told", Text, nullable=False),
)


async def say(connection: AsyncConnection, repository: int, section: IssueSection, now: datetime) -> bool:
    """Has the section in the repository's issue from now on, within the caller's transaction; whether that is
    news."""
    known = await connection.execute(
        select(issue_sections.c.title, issue_sections.c.text, issue_sections.c.told).where(
            issue_sections.c.repository_id == repository, issue_sections.c.name == section.name
        )
    )
    if known.first() == (section.title, section.text, section.told):
        return False
    values = {"title": section.title, "text": section.text, "told": section.told}
    key = {"repository_id": repository, "name": section.name}
    await connection.execute(upsert(connection, issue_sections, tuple(key), **key, **values))
    await _want(connection, repository, now)
    return True


async def unsay(connection: AsyncConnection, repository: int, name: str, now: datetime) -> bool:
    """Takes the section out again; with the last one the issue is closed. Whether it was there."""
    gone = await connection.execute(
        delete(issue_sections).where(issue_sections.c.repository_id == repository, issue_sections.c.name == name)
    )
    if gone.rowcount:
        await _want(connection, repository, now)
    return bool(gone.rowcount)


async def sections_of(connection: AsyncConnection, repository: int) -> tuple[IssueSection, ...]:
    """By name."""
    rows = await connection.execute(
        select(issue_sections).where(issue_sections.c.repository_id == repository).order_by(issue_sections.c.name)
    )
    return tuple(IssueSection(row.name, row.title, row.text, row.told) for row in rows)


async def _want(connection: AsyncConnection, repository: int, now: datetime) -> None:
    made = insert_into(connection, issues).values(repository_id=repository, wanted=1, told=0, due_at=now)
    again = {"wanted": issues.c.wanted + 1, "due_at": now}
    await connection.execute(made.on_conflict_do_update(index_elements=["repository_id"], set_=again))
