"""The table of stages, in the order in which data flows, and how one of them is run."""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.failure import Failure
from bot.domain.log import log
from bot.fleet.bot import Bot
from bot.fleet.stage import Stage, TickOutcome
from bot.service import ticks
from bot.store.engine.database import SchemaChanged

STAGES = (
    Stage("discover", ticks.discover_tick, timedelta(seconds=20), only_reads=True),
    Stage("builds", ticks.builds_tick, timedelta(seconds=20), only_reads=True),
    Stage("feeds", ticks.feeds_tick, timedelta(seconds=20), only_reads=True),
    Stage("watch", ticks.watch_tick, timedelta(seconds=10), only_reads=True),
    Stage("assess", ticks.assess_tick, timedelta(seconds=5), only_reads=True),
    Stage("packages", ticks.packages_tick, timedelta(seconds=10), only_reads=True),
    Stage("vulnerabilities", ticks.vulnerabilities_tick, timedelta(seconds=20), only_reads=True),
    Stage("notices", ticks.notices_tick, timedelta(seconds=20), only_reads=True),
    Stage("plan", ticks.plan_tick, timedelta(seconds=5), only_reads=True),
    Stage("age", ticks.age_tick, timedelta(seconds=5), only_reads=True),
    Stage("first run", ticks.first_run_tick, timedelta(seconds=20), only_reads=True),
    Stage("quarantine", ticks.quarantine_tick, timedelta(seconds=30), only_reads=True),
    Stage("cascade", ticks.cascade_tick, timedelta(seconds=5), only_reads=True),
    Stage("advance", ticks.advance_tick, timedelta(seconds=5), only_reads=True),
    Stage("act", ticks.act_tick, timedelta(seconds=5)),
    Stage("call off", ticks.calling_off_tick, timedelta(seconds=5)),
    Stage("issues", ticks.issues_tick, timedelta(seconds=20)),
    Stage("follow", ticks.follow_tick, timedelta(seconds=5)),
    Stage("reports", ticks.reports_tick, timedelta(seconds=5), only_reads=True),
    Stage("prove", ticks.proving_tick, timedelta(seconds=5), only_reads=True),
    Stage("images", ticks.images_tick, timedelta(seconds=10), only_reads=True),
    Stage("gate", ticks.gate_tick, timedelta(seconds=20), only_reads=True),
    Stage("attest", ticks.attest_tick, timedelta(seconds=30)),
    Stage("start steps", ticks.start_steps_tick, timedelta(seconds=5)),
    Stage("follow steps", ticks.follow_steps_tick, timedelta(seconds=5)),
    Stage("fleet issue", ticks.fleet_issue_tick, timedelta(seconds=20)),
    Stage("summary", ticks.summary_tick, timedelta(seconds=30)),
    Stage("report", ticks.report_tick, timedelta(seconds=5)),
    Stage("audit", ticks.audit_tick, timedelta(seconds=20), only_reads=True),
    Stage("code scanning", ticks.code_scanning_tick, timedelta(seconds=20)),
    Stage("onboarding", ticks.onboarding_tick, timedelta(seconds=20)),
    Stage("standing", ticks.standing_tick, timedelta(seconds=30)),
    Stage("retention", ticks.retention_tick, timedelta(minutes=10)),
)
"""In the order in which data flows."""


async def run_stage(stage: Stage, bot: Bot) -> TickOutcome:
    """One tick with its log line; a defect of ours is logged with its trace and stops no other stage.

    Raises `SchemaChanged`, and does nothing, where another version of the bot has migrated the database.
    """
    try:
        await bot.database.check_schema()
        outcome = await stage.tick(bot)
    except SchemaChanged:
        raise
    except Failure as failure:
        outcome = TickOutcome(stage.name, {}, [str(failure)], broke=True)
    except Exception as error:
        log.exception("stage broke", stage=stage.name)
        return TickOutcome(stage.name, {}, [f"{stage.name} broke: {type(error).__name__}: {error}"], broke=True)
    for problem in outcome.problems:
        log.warning("problem", stage=stage.name, detail=problem)
    if outcome.did_something:
        log.info("tick", stage=stage.name, **outcome.figures)
    return outcome


async def one_pass(bot: Bot, stages: Sequence[Stage] = STAGES) -> list[TickOutcome]:
    """Each of `stages` once, one after the other."""
    return [await run_stage(stage, bot) for stage in stages]
