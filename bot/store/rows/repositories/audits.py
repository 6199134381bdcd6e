"""Repositories as the audit judges them, and what code scanning has of their findings."""

import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    and_,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.finding import Finding
from bot.store.engine.codec import dump, load
from bot.store.engine.writing import chunks, insert_into, lock, upsert
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.rollouts import ALL_PAUSED
from bot.store.rows.schema import (
    DueTable,
    LongText,
    Noted,
    ShortText,
    falls_due,
    key_column,
    lease_columns,
    leased,
    locked_after,
    metadata,
)

audits = Table(
    "audits",
    metadata,
    key_column(),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("mark", ShortText(16)),
    Column("error", LongText),
    Column("audited_at", Noted),
    *lease_columns(),
    Column("files", JSON, nullable=False),
    Column("findings", LargeBinary),
    Index(None, "due_at"),
)
"""`files` are blobs by path, `findings` what was found in them under `mark`: the rules and the operator's word."""
falls_due(audits, DueTable("audits", furthest=timedelta(days=30)))
locked_after(audits, "deployments", "package_changes", "shown_again")

practices = Table(
    "practices",
    metadata,
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True),
    Column("practice", ShortText(64), primary_key=True),
    Column("outcome", ShortText(16), nullable=False),
    Index(None, "practice", "outcome"),
)
"""The outcome of each repository as a whole; `practice` is the name of the check."""
locked_after(practices, "audits")

practice_days = Table(
    "practice_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("practice", ShortText(64), primary_key=True),
    Column("outcome", ShortText(16), primary_key=True),
    Column("repositories", Integer, nullable=False),
)

practice_weeks = Table(
    "practice_weeks",
    metadata,
    Column("week", Date, primary_key=True),
    Column("practice", ShortText(64), primary_key=True),
    Column("opened", Integer, nullable=False),
    Column("closed", Integer, nullable=False),
)
"""Findings that began to fail and that ceased to, in the week that begins with that Monday."""
locked_after(practice_weeks, "practices")


async def save_audited(
    connection: AsyncConnection, repository: int, files: Mapping[str, str], now: datetime
) -> None:
    """Which files the audit judges from now on; the repository is due only where these are others than before."""
    result = await connection.execute(select(audits.c.files).where(audits.c.repository_id == repository))
    row = result.first()
    if row is not None and row.files == dict(files):
        return
    values = {"files": dict(sorted(files.items())), "due_at": now, "attempts": 0}
    values |= {"lease_owner": None, "lease_until": None}
    key = {"repository_id": repository}
    await connection.execute(upsert(connection, audits, tuple(key), **key, **values))


async def audit_again(connection: AsyncConnection, repositories: Sequence[int], now: datetime) -> None:
    """Has repositories audited again of which something else than their files has changed; whoever audits one now
    has not seen that."""
    for chunk in chunks(repositories):
        query = select(audits.c.id).where(audits.c.repository_id.in_(chunk))
        ids = list((await connection.execute(query)).scalars())
        await lock(connection, audits, ids)
        new_values = {"due_at": now, "lease_owner": None, "lease_until": None}
        await connection.execute(update(audits).where(audits.c.id.in_(ids)).values(**new_values))


async def forget_audits(connection: AsyncConnection, repositories: Sequence[int]) -> None:
    """Deletes the audits of repositories that are no longer of the fleet."""
    for table in (audits, practices):
        await connection.execute(delete(table).where(table.c.repository_id.in_(repositories)))


async def judged_otherwise(connection: AsyncConnection, mark: str) -> list[int]:
    """Reads the ids of the audits that were made under another mark."""
    condition = or_(audits.c.mark.is_(None), audits.c.mark != mark)
    return list((await connection.execute(select(audits.c.id).where(condition).order_by(audits.c.id))).scalars())


def packed(findings: Sequence[Finding]) -> bytes:
    """Packs findings for their column."""
    return zlib.compress(json.dumps(dump(tuple(findings), tuple[Finding, ...])).encode())


def unpacked(data: bytes) -> tuple[Finding, ...]:
    """The findings that `packed` made this of; raises `Failure` where they are none."""
    return load(json.loads(zlib.decompress(data)), tuple[Finding, ...])


code_scans = leased(
    "code_scans",
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("uploaded", ShortText(32)),
    Column("upload", ShortText(128)),
    Column("refused", LongText),
    Column("error", LongText),
)
"""`uploaded` stands for the log that was uploaded last, `upload` is the forge's name of that upload until it was
taken in, `refused` says why the forge takes none."""
locked_after(code_scans, "onboardings", "practice_weeks")

_JUDGED = (
    select(audits.c.repository_id)
    .join(repositories, repositories.c.id == audits.c.repository_id)
    .where(audits.c.findings.is_not(None), repositories.c.listed.is_(True))
)
IS_SCANNED = and_(code_scans.c.repository_id.in_(_JUDGED), ~ALL_PAUSED)
"""Its repository is one of the fleet that was judged, and the bot is not paused as a whole."""
falls_due(code_scans, DueTable("code-scans", (IS_SCANNED,), furthest=timedelta(days=30)))


async def want_scan(connection: AsyncConnection, repository: int, now: datetime) -> None:
    """Has the findings of a repository sent to code scanning now, since they were made anew."""
    insertion = insert_into(connection, code_scans).values(repository_id=repository, due_at=now)
    due_columns = {"due_at": now, "attempts": 0}
    await connection.execute(insertion.on_conflict_do_update(index_elements=["repository_id"], set_=due_columns))


async def forget_scan(connection: AsyncConnection, repository: int) -> None:
    """Deletes the row of a repository whose findings nobody wishes to have in code scanning any more."""
    await connection.execute(delete(code_scans).where(code_scans.c.repository_id == repository))
