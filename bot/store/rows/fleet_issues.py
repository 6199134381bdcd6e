"""The fleet issue: one row for each repository that was ever named for it."""

from sqlalchemy import JSON, Column, Integer

from bot.store.rows.schema import DueTable, falls_due, leased, locked_after
from bot.store.rows.texts import LongText, ShortText

fleet_issues = leased(
    "fleet_issues",
    Column("repository", ShortText(255), nullable=False, unique=True),
    Column("number", Integer),
    Column("url", LongText),
    Column("wording", Integer, nullable=False, server_default="0"),
    Column("heeded", JSON, nullable=False),
    Column("error", LongText),
)
"""`wording` is the number of the latest wording that was written; `heeded` names for wordings, by their number, the
boxes that were heeded in them."""
falls_due(fleet_issues, DueTable(is_regular=True))
"""Only the repository that settings name is worked on, one row: no figure tells of it."""
locked_after(fleet_issues, "gates")
