"""The workflows that rebuild the fleet as rows: how their builds ended, and what the guarantee makes of it."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, UniqueConstraint

from bot.store.rows.moment import Moment, Noted
from bot.store.rows.schema import DueTable, falls_due, leased
from bot.store.rows.texts import LongText, ShortText

workflow_builds = leased(
    "workflow_builds",
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("workflow", ShortText(128), nullable=False),
    Column("max_age_seconds", Integer),
    Column("node_id", ShortText(128)),
    Column("builds", JSON, nullable=False),
    Column("last_success", Moment),
    Column("ended_run", BigInteger),
    Column("ended_at", Moment),
    Column("read_at", Noted),
    Column("tree", ShortText(64)),
    Column("changed_at", Noted),
    Column("error", LongText),
    Column("judged", Boolean, nullable=False, server_default="0"),
    Column("standing", ShortText(16)),
    Column("said", LongText),
    Column("plan_at", Moment, index=True),
    Column("told_at", Noted),
    UniqueConstraint("repository_id", "workflow"),
    Index(None, "judged"),
)
"""`ended_run` is the run that ended last, and `ended_at` when. `tree` is what the repository held at the last look,
`changed_at` when that was first another one. `standing` and `said` are what `plan` makes of it, `plan_at` when a
rebuild is to be planned, `told_at` when it was last told that none can be."""
falls_due(workflow_builds, DueTable("workflow-builds", is_regular=True))
