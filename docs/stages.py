"""Writes the page of the stages and of the tables that they work on, from what stands beside both."""

import sys
from pathlib import Path

from sqlalchemy import Table

from bot.domain.wording.words import duration
from bot.fleet.stage import Stage
from bot.fleet.stages import STAGES
from bot.store.engine.writing import lock_order
from bot.store.rows.forgetting import forgetting_of
from bot.store.rows.schema import every_table
from docs.blocks import table as as_table

ROOT = Path(__file__).parents[1]


def stages_page(note: str) -> str:
    """Two tables: each stage with the queues that it claims from, and each table in the order of locks."""
    stages = as_table(("stage", "what it does", "in", "soonest every", "claims"), map(_stage, STAGES))
    tables = {each.name: each for each in every_table()}
    rows = (_table(tables[name]) if name in tables else (name, "", "", "") for name in lock_order())
    return "\n".join(
        [
            *("# Stages and tables", ""),
            "What wakes when, what it works on, and how long that is kept.",
            *("", note),
            "## Stages",
            "",
            "In the order in which data flows. A stage ticks once something was written, or a row that it",
            "claims is due.",
            *("", stages, ""),
            "## Tables",
            "",
            "In the order in which a transaction locks rows of several; without quotes, a lock on no table",
            "or on some of its rows. The queue is the label of [metrics](metrics.md). What is forgotten goes",
            "once a day.",
            *("", as_table(("table", "queue", "forgotten after", "what goes then"), rows), ""),
        ]
    )


def _stage(stage: Stage) -> tuple[str, ...]:
    room = stage.tick.__module__.rpartition(".")[0]
    does = str(sys.modules[room].__doc__).strip()
    place = f"{room.replace('.', '/')}/"
    return (
        stage.name,
        does,
        f"`{place}`",
        duration(stage.every).replace(" ", ""),
        ", ".join(f"`{each.name}`" for each in stage.claims),
    )


def _table(table: Table) -> tuple[str, ...]:
    due, forgetting = table.info.get("due"), forgetting_of(table)
    queue = "" if due is None else f"`{due.figure}`" if due.figure else "unnamed"
    if forgetting is None:
        return f"`{table.name}`", queue, "", ""
    after = "`store.retention`" if forgetting.after is None else f"{forgetting.after.days} days"
    return f"`{table.name}`", queue, after, forgetting.rows
