"""The stages in the order in which data flows, each one tick that asks the store what is due."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from bot.act import stage as act
from bot.assess import stage as assess
from bot.assess.notices import stage as notices_stage
from bot.assess.wording import describe
from bot.discover import stage as discover
from bot.domain.failure import Failure
from bot.follow import stage as verify
from bot.formats.rewrite.refresh import refresh
from bot.plan import stage as plan
from bot.report import stage as report
from bot.service.wiring import Bot, Known
from bot.watch.feeds import stage as feeds_stage
from bot.watch.registry import stage as registry_stage

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What one tick did, as figures, and what went wrong, a line each."""

    stage: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def did_something(self) -> bool:
        return any(self.figures.values()) or bool(self.problems)


async def discover_tick(bot: Bot) -> Outcome:
    tally = await discover.tick(bot.stores.discover, bot.host, bot.memory, bot.discover_options, bot.clock)
    return Outcome("discover", {"listed": tally.listed, "read": tally.read}, tally.problems)


async def feeds_tick(bot: Bot) -> Outcome:
    tally = await feeds_stage.tick(bot.stores.feeds, bot.feed_reader, bot.clock, bot.feeds_to_read)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "releases": len(tally.newly_published)}
    return Outcome("feeds", figures, [*tally.failed, *tally.stale, *tally.problems])


async def watch_tick(bot: Bot) -> Outcome:
    total = registry_stage.WatchTally()
    while (tally := await registry_stage.tick(bot.stores.watch, bot.registry, bot.clock, bot.watch_options)).asked:
        total += tally
    total += tally
    for incident in total.cleared:
        log.info("incident over", subject=incident.subject)
    figures = {
        "asked": total.asked,
        "moved": len(total.moved),
        "first_seen": len(total.sightings) - len(total.moved),
    }
    return Outcome("watch", figures, [incident.detail for incident in total.opened])


async def assess_tick(bot: Bot) -> Outcome:
    tally = await assess.tick(bot.stores.assess, Known(bot.stores.feeds), bot.clock)
    for change in tally.changes:
        log.info("base changed", base=str(change.base), cause=str(change.cause), why=describe(change))
    for change in tally.enriched:
        log.info("change explained further", base=str(change.base), why=describe(change))
    return Outcome("assess", {"changes": len(tally.changes), "enriched": len(tally.enriched)})


async def notices_tick(bot: Bot) -> Outcome:
    tally = await notices_stage.tick(bot.stores.notices, Known(bot.stores.feeds), bot.clock, bot.alert_options)
    return Outcome("notices", {"opened": tally.opened, "cleared": tally.cleared})


async def plan_tick(bot: Bot) -> Outcome:
    tally = await plan.tick(bot.stores.plan, bot.policy, bot.clock)
    return Outcome("plan", {"changes": tally.changes, "rebuilds": tally.rebuilds})


async def act_tick(bot: Bot) -> Outcome:
    tally = await act.tick(bot.stores.act, bot.host, bot.registry, refresh, bot.act_options, bot.clock)
    return Outcome("act", {"done": tally.done}, list(tally.problems))


async def verify_tick(bot: Bot) -> Outcome:
    tally = await verify.tick(bot.stores.follow, bot.host, bot.settings.schedule.follow, bot.clock)
    return Outcome("verify", {"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


async def report_tick(bot: Bot) -> Outcome:
    if bot.channel is None:
        return Outcome("report")
    tally = await report.tick(bot.stores.report, bot.channel, bot.clock)
    return Outcome("report", {"sent": tally.sent}, list(tally.problems))


async def retention_tick(bot: Bot) -> Outcome:
    task = await bot.stores.retention.claim_forgetting()
    if task is None:
        return Outcome("retention")
    forgotten = await bot.stores.retention.forget(task, bot.settings.store.retention)
    return Outcome("retention", asdict(forgotten))


STAGES: Mapping[str, Callable[[Bot], Awaitable[Outcome]]] = {
    "discover": discover_tick,
    "feeds": feeds_tick,
    "watch": watch_tick,
    "assess": assess_tick,
    "notices": notices_tick,
    "plan": plan_tick,
    "act": act_tick,
    "verify": verify_tick,
    "report": report_tick,
    "retention": retention_tick,
}
OBSERVING = ("discover", "feeds", "watch", "assess", "plan")
"""The stages that only read from outside."""


async def run_stage(name: str, bot: Bot) -> Outcome:
    """One tick with its log line; a defect of ours is logged with its trace and stops no other stage."""
    try:
        outcome = await STAGES[name](bot)
    except Failure as failure:
        outcome = Outcome(name, {}, [str(failure)])
    except Exception as error:
        log.exception("stage broke", stage=name)
        return Outcome(name, {}, [f"{name} broke: {type(error).__name__}: {error}"])
    for problem in outcome.problems:
        log.warning("problem", stage=name, detail=problem)
    if outcome.did_something:
        log.info("tick", stage=name, **outcome.figures)
    return outcome


async def one_pass(bot: Bot, stages: tuple[str, ...] = tuple(STAGES)) -> list[Outcome]:
    """Every stage once, in the order in which data flows."""
    return [await run_stage(name, bot) for name in stages]
