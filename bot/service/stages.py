"""The stages in the order in which data flows, each one tick that asks the store what is due."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from bot.act import calling_off, code_scanning
from bot.act import stage as act
from bot.act.dispatch import steps as act_steps
from bot.act.issue import stage as issues_stage
from bot.act.onboarding import stage as onboarding
from bot.assess import stage as assess
from bot.assess.notices import stage as notices_stage
from bot.assess.wording import describe
from bot.audit.fleet import stage as audit_stage
from bot.discover import builds
from bot.discover import stage as discover
from bot.domain.failure import Failure
from bot.follow import stage as follow
from bot.follow import steps as follow_steps
from bot.formats.rewrite.refresh import refresh
from bot.formats.workflows.dispatchable import dispatchable
from bot.plan import first_run, quarantine
from bot.plan import stage as plan
from bot.plan.age import stage as aging
from bot.plan.cascade import stage as cascade
from bot.plan.waves import advance
from bot.report import stage as report
from bot.report import summaries
from bot.report.fleet_issue import stage as fleet_issue
from bot.service.wiring.adapters import CombinedFeeds, LifecycleMarks
from bot.service.wiring.auditing import sarif_log
from bot.service.wiring.container import Bot
from bot.settings.sections.rollout import FirstRun
from bot.store.engine.database import SchemaChanged
from bot.verify.attesting import stage as attesting
from bot.verify.gating import stage as gating
from bot.verify.images import stage as images_stage
from bot.verify.inventory import sboms as sboms_stage
from bot.verify.inventory import stage as inventory_stage
from bot.verify.proving import stage as proving
from bot.watch.feeds import stage as feeds_stage
from bot.watch.osv import stage as osv_stage
from bot.watch.registry import stage as registry_stage

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What one tick did, as figures, and what went wrong, a line each; `broke` where it was cut short."""

    stage: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    broke: bool = False

    @property
    def did_something(self) -> bool:
        return any(self.figures.values()) or bool(self.problems)


async def discover_tick(bot: Bot) -> Outcome:
    tally = await discover.tick(bot.stores.discover, bot.forge, bot.memory, bot.discover_options, bot.loop)
    return Outcome("discover", {"listed": tally.listed, "read": tally.read}, tally.problems)


async def builds_tick(bot: Bot) -> Outcome:
    host = bot.forge_host.name
    tally = await builds.tick(bot.stores.builds, bot.forge, bot.policy, bot.policy_mark, host, bot.loop)
    return Outcome("builds", {"looked_at": tally.looked_at}, list(tally.problems))


async def audit_tick(bot: Bot) -> Outcome:
    tally = await audit_stage.tick(bot.stores.audit, bot.audit_options, bot.loop)
    return Outcome("audit", {"audited": tally.audited}, tally.problems)


async def feeds_tick(bot: Bot) -> Outcome:
    tally = await feeds_stage.tick(bot.stores.feeds, bot.feed_reader, bot.loop, bot.feeds_to_read)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "releases": len(tally.newly_published)}
    return Outcome("feeds", figures, [*tally.failed, *tally.stale, *tally.problems])


async def vulnerabilities_tick(bot: Bot) -> Outcome:
    tally = await osv_stage.tick(
        bot.stores.vulnerabilities, bot.publishers, bot.loop, bot.dumps_to_read, offline=bot.settings.feeds.offline
    )
    figures = {"read": tally.read, "unchanged": tally.unchanged, "changed": tally.changed}
    return Outcome("vulnerabilities", figures, tally.problems)


async def watch_tick(bot: Bot) -> Outcome:
    tally = await registry_stage.tick(bot.stores.watch, bot.registry, bot.loop, bot.watch_options)
    for incident in tally.cleared:
        log.info("incident over", subject=incident.subject)
    figures = {
        "asked": tally.asked,
        "moved": len(tally.moved),
        "first_seen": len(tally.sightings) - len(tally.moved),
    }
    return Outcome("watch", figures, [*(incident.detail for incident in tally.opened), *tally.problems])


async def assess_tick(bot: Bot) -> Outcome:
    tally = await assess.tick(
        bot.stores.assess, CombinedFeeds(bot.stores.feeds), LifecycleMarks(bot.registry), bot.own_bases, bot.clock
    )
    for change in tally.changes:
        log.info("base changed", base=str(change.base), cause=str(change.cause), why=describe(change))
    for change in tally.enriched:
        log.info("change explained further", base=str(change.base), why=describe(change))
    return Outcome("assess", {"changes": len(tally.changes), "enriched": len(tally.enriched)})


async def notices_tick(bot: Bot) -> Outcome:
    tally = await notices_stage.tick(
        bot.stores.notices, CombinedFeeds(bot.stores.feeds), bot.clock, bot.alert_options
    )
    return Outcome("notices", {"opened": tally.opened, "cleared": tally.cleared})


async def plan_tick(bot: Bot) -> Outcome:
    tally = await plan.tick(bot.stores.plan, bot.policy, bot.clock)
    return Outcome("plan", {"changes": tally.changes, "rebuilds": tally.rebuilds})


async def age_tick(bot: Bot) -> Outcome:
    tally = await aging.tick(bot.stores.age, bot.policy, bot.settings.weekly, bot.clock)
    return Outcome("age", {"planned": tally.planned})


async def first_run_tick(bot: Bot) -> Outcome:
    catches_up = bot.settings.rollout.first_run is FirstRun.CATCH_UP
    tally = await first_run.tick(bot.stores.catch_up, bot.policy, bot.clock, catches_up=catches_up)
    return Outcome("first run", {"behind": tally.behind, "planned": tally.planned})


async def quarantine_tick(bot: Bot) -> Outcome:
    return Outcome("quarantine", asdict(await quarantine.tick(bot.stores.quarantine)))


async def cascade_tick(bot: Bot) -> Outcome:
    tally = await cascade.tick(bot.stores.cascade, bot.own_bases, bot.clock, bot.settings.rollout.join_timeout)
    return Outcome("cascade", {"let_go": tally.let_go, "waiting": tally.waiting})


async def advance_tick(bot: Bot) -> Outcome:
    tally = await advance.tick(bot.stores.advance, bot.rollout_options, bot.clock)
    return Outcome("advance", {"released": tally.released, "waves_done": tally.waves_done}, list(tally.paused))


async def act_tick(bot: Bot) -> Outcome:
    options = bot.act_options
    tally = await act.tick(bot.stores.act, bot.forge, bot.registry, refresh, options, bot.loop, bot.trusting)
    return Outcome("act", {"done": tally.done}, list(tally.problems))


async def calling_off_tick(bot: Bot) -> Outcome:
    tally = await calling_off.tick(bot.stores.calling_off, bot.forge, bot.act_options, bot.loop)
    return Outcome("call off", {"done": tally.done}, list(tally.problems))


async def issues_tick(bot: Bot) -> Outcome:
    tally = await issues_stage.tick(bot.stores.issues, bot.forge, bot.act_options, bot.loop)
    return Outcome("issues", {"done": tally.done}, list(tally.problems))


async def code_scanning_tick(bot: Bot) -> Outcome:
    tally = await code_scanning.tick(bot.stores.code_scanning, bot.forge, sarif_log, bot.act_options, bot.loop)
    return Outcome("code scanning", {"done": tally.done}, list(tally.problems))


async def onboarding_tick(bot: Bot) -> Outcome:
    tally = await onboarding.tick(bot.stores.onboardings, bot.forge, bot.proposer, bot.onboarding_options, bot.loop)
    return Outcome("onboarding", {"done": tally.done, "enlisted": tally.enlisted}, list(tally.problems))


async def fleet_issue_tick(bot: Bot) -> Outcome:
    options = bot.fleet_issue_options
    if options is None:
        return Outcome("fleet issue")
    tally = await fleet_issue.tick(bot.stores.fleet_issue, bot.forge, options, bot.loop)
    return Outcome("fleet issue", {"heeded": tally.heeded}, list(tally.problems))


async def follow_tick(bot: Bot) -> Outcome:
    tally = await follow.tick(bot.stores.follow, bot.forge, bot.follow_options, bot.loop)
    return Outcome("follow", {"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


async def images_tick(bot: Bot) -> Outcome:
    tally = await images_stage.tick(bot.stores.images, bot.images, bot.observed, bot.images_options, bot.loop)
    figures = {"looked_at": tally.looked_at, "moved": tally.moved, "told_anew": tally.told_anew}
    return Outcome("images", figures, list(tally.problems))


async def packages_tick(bot: Bot) -> Outcome:
    platforms = bot.settings.packages.platforms
    tally = await inventory_stage.tick(bot.stores.inventory, bot.registry, platforms, bot.loop)
    sboms = await sboms_stage.tick(bot.stores.sboms, bot.sboms, platforms, bot.loop)
    figures = {
        "layers": tally.layers,
        "images": tally.images,
        "compared": tally.compared,
        "sboms": sboms.sboms,
    }
    return Outcome("packages", figures, [*tally.problems, *sboms.problems])


async def proving_tick(bot: Bot) -> Outcome:
    options, gate, trust = bot.proving_options, bot.gating, bot.trusting
    tally = await proving.tick(bot.stores.proving, bot.images, bot.observed, options, bot.loop, gate, trust)
    figures = {"proved": tally.proved, "failed": tally.failed, "unproven": tally.unproven}
    return Outcome("prove", figures, list(tally.problems))


async def gate_tick(bot: Bot) -> Outcome:
    tally = await gating.tick(bot.stores.gating, bot.gating.options, bot.loop)
    return Outcome("gate", {"judged": tally.judged, "blocked": tally.blocked}, list(tally.problems))


async def attest_tick(bot: Bot) -> Outcome:
    if bot.attesting is None:
        return Outcome("attest")
    attacher, verifier = bot.attesting
    tally = await attesting.tick(bot.stores.attesting, attacher, verifier, bot.loop)
    return Outcome("attest", {"attached": tally.attached}, list(tally.problems))


async def start_steps_tick(bot: Bot) -> Outcome:
    options, gate = bot.step_options, bot.gating
    tally = await act_steps.tick(bot.stores.steps, bot.forge, dispatchable, options, bot.loop, gate)
    return Outcome("start steps", {"done": tally.done}, list(tally.problems))


async def follow_steps_tick(bot: Bot) -> Outcome:
    tally = await follow_steps.tick(bot.stores.steps, bot.forge, bot.follow_options, bot.loop)
    return Outcome("follow steps", {"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


async def summary_tick(bot: Bot) -> Outcome:
    cron = bot.settings.summary
    if cron is None or not bot.destinations:
        return Outcome("summary")
    return Outcome("summary", {"announced": await summaries.tick(bot.stores.report, cron, bot.clock)})


async def report_tick(bot: Bot) -> Outcome:
    if not bot.destinations:
        return Outcome("report")
    tally = await report.tick(
        bot.stores.report, bot.destinations, bot.loop, rest=bot.edits_every, page=bot.settings.web.url
    )
    return Outcome("report", {"sent": tally.sent}, list(tally.problems))


async def standing_tick(bot: Bot) -> Outcome:
    return Outcome("standing", {"changed": await bot.stores.standing.count()})


async def retention_tick(bot: Bot) -> Outcome:
    task = await bot.stores.retention.claim_forgetting()
    if task is None:
        return Outcome("retention")
    forgotten = await bot.stores.retention.forget(task, bot.settings.store.retention)
    return Outcome("retention", asdict(forgotten))


@dataclass(frozen=True, slots=True)
class Stage:
    """`every` is how often it asks what is due: what is due and when stands in the store. `only_reads` where it
    changes nothing outside of the store."""

    name: str
    tick: Callable[[Bot], Awaitable[Outcome]]
    every: timedelta
    only_reads: bool = False


STAGES = (
    Stage("discover", discover_tick, timedelta(seconds=20), only_reads=True),
    Stage("builds", builds_tick, timedelta(seconds=20), only_reads=True),
    Stage("feeds", feeds_tick, timedelta(seconds=20), only_reads=True),
    Stage("watch", watch_tick, timedelta(seconds=10), only_reads=True),
    Stage("assess", assess_tick, timedelta(seconds=5), only_reads=True),
    Stage("packages", packages_tick, timedelta(seconds=10), only_reads=True),
    Stage("vulnerabilities", vulnerabilities_tick, timedelta(seconds=20), only_reads=True),
    Stage("notices", notices_tick, timedelta(seconds=20), only_reads=True),
    Stage("plan", plan_tick, timedelta(seconds=5), only_reads=True),
    Stage("age", age_tick, timedelta(seconds=5), only_reads=True),
    Stage("first run", first_run_tick, timedelta(seconds=20), only_reads=True),
    Stage("quarantine", quarantine_tick, timedelta(seconds=30), only_reads=True),
    Stage("cascade", cascade_tick, timedelta(seconds=5), only_reads=True),
    Stage("advance", advance_tick, timedelta(seconds=5), only_reads=True),
    Stage("act", act_tick, timedelta(seconds=5)),
    Stage("call off", calling_off_tick, timedelta(seconds=5)),
    Stage("issues", issues_tick, timedelta(seconds=20)),
    Stage("follow", follow_tick, timedelta(seconds=5)),
    Stage("prove", proving_tick, timedelta(seconds=5), only_reads=True),
    Stage("images", images_tick, timedelta(seconds=10), only_reads=True),
    Stage("gate", gate_tick, timedelta(seconds=20), only_reads=True),
    Stage("attest", attest_tick, timedelta(seconds=30)),
    Stage("start steps", start_steps_tick, timedelta(seconds=5)),
    Stage("follow steps", follow_steps_tick, timedelta(seconds=5)),
    Stage("fleet issue", fleet_issue_tick, timedelta(seconds=20)),
    Stage("summary", summary_tick, timedelta(seconds=30)),
    Stage("report", report_tick, timedelta(seconds=5)),
    Stage("audit", audit_tick, timedelta(seconds=20), only_reads=True),
    Stage("code scanning", code_scanning_tick, timedelta(seconds=20)),
    Stage("onboarding", onboarding_tick, timedelta(seconds=20)),
    Stage("standing", standing_tick, timedelta(seconds=30)),
    Stage("retention", retention_tick, timedelta(minutes=10)),
)
"""In the order in which data flows."""


async def run_stage(stage: Stage, bot: Bot) -> Outcome:
    """One tick with its log line; a defect of ours is logged with its trace and stops no other stage.

    Raises `SchemaChanged`, and does nothing, where another version of the bot has migrated the database.
    """
    try:
        await bot.database.check_schema()
        outcome = await stage.tick(bot)
    except SchemaChanged:
        raise
    except Failure as failure:
        outcome = Outcome(stage.name, {}, [str(failure)], broke=True)
    except Exception as error:
        log.exception("stage broke", stage=stage.name)
        return Outcome(stage.name, {}, [f"{stage.name} broke: {type(error).__name__}: {error}"], broke=True)
    for problem in outcome.problems:
        log.warning("problem", stage=stage.name, detail=problem)
    if outcome.did_something:
        log.info("tick", stage=stage.name, **outcome.figures)
    return outcome


async def one_pass(bot: Bot, stages: Sequence[Stage] = STAGES) -> list[Outcome]:
    """Each of `stages` once, one after the other."""
    return [await run_stage(stage, bot) for stage in stages]
