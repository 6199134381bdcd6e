"""What each stage does when it is woken: its store is asked what is due, and its tally told in figures."""

from dataclasses import asdict

from bot.domain.log import log
from bot.domain.rollouts.timing.freezes import frozen_by
from bot.files.formats.rewrite.refresh import refresh
from bot.files.formats.workflows.dispatchable import dispatchable
from bot.fleet.act import tick as act
from bot.fleet.act.calling_off import tick as calling_off
from bot.fleet.act.code_scanning import tick as code_scanning
from bot.fleet.act.issue import tick as issues_stage
from bot.fleet.act.onboarding import tick as onboarding
from bot.fleet.act.steps import tick as act_steps
from bot.fleet.assess import tick as assess
from bot.fleet.assess.notices import tick as notices_stage
from bot.fleet.assess.wording import describe
from bot.fleet.audit import tick as audit_stage
from bot.fleet.bot import Bot
from bot.fleet.discover import tick as discover
from bot.fleet.discover.builds import tick as builds
from bot.fleet.follow import tick as follow
from bot.fleet.follow.steps import tick as follow_steps
from bot.fleet.plan import tick as plan
from bot.fleet.plan.age import tick as aging
from bot.fleet.plan.cascade import tick as cascade
from bot.fleet.plan.first_run import tick as first_run
from bot.fleet.plan.quarantine import tick as quarantine
from bot.fleet.plan.waves import tick as advance
from bot.fleet.report import tick as report
from bot.fleet.report.fleet_issue import tick as fleet_issue
from bot.fleet.report.summary import tick as summaries
from bot.fleet.stage import TickOutcome
from bot.fleet.verify.attesting import tick as attesting
from bot.fleet.verify.gating import tick as gating
from bot.fleet.verify.images import tick as images_stage
from bot.fleet.verify.inventory import sboms as sboms_stage
from bot.fleet.verify.inventory import tick as inventory_stage
from bot.fleet.verify.proving import tick as proving
from bot.fleet.verify.reports import tick as artifacts
from bot.fleet.watch.feeds import tick as feeds_stage
from bot.fleet.watch.registry import tick as registry_stage
from bot.fleet.watch.vulnerabilities import tick as osv_stage
from bot.fleet.wiring.adapters import LifecycleMarks, RegistryAnswers
from bot.fleet.wiring.auditing import scan_logs
from bot.fleet.wiring.combined_feeds import CombinedFeeds
from bot.settings.sections.rollout import FirstRun


async def discover_tick(bot: Bot) -> TickOutcome:
    tally = await discover.tick(bot.stores.discover, bot.forge, bot.memory, bot.discover_options, bot.loop)
    return TickOutcome("discover", {"listed": tally.listed, "read": tally.read}, tally.problems)


async def builds_tick(bot: Bot) -> TickOutcome:
    host = bot.forge_host
    tally = await builds.tick(bot.stores.builds, bot.forge, bot.policy, bot.policy_mark, host, bot.loop)
    return TickOutcome("builds", {"looked_at": tally.looked_at}, list(tally.problems))


async def audit_tick(bot: Bot) -> TickOutcome:
    tally = await audit_stage.tick(bot.stores.audit, bot.audit_options, bot.loop)
    return TickOutcome("audit", {"audited": tally.audited}, tally.problems)


async def feeds_tick(bot: Bot) -> TickOutcome:
    registry = RegistryAnswers(bot.registry, bot.clock)
    tally = await feeds_stage.tick(bot.stores.feeds, bot.feed_reader, bot.loop, bot.feeds_to_read, registry)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "releases": len(tally.newly_published)}
    return TickOutcome("feeds", figures, [*tally.failed, *tally.stale, *tally.problems])


async def vulnerabilities_tick(bot: Bot) -> TickOutcome:
    tally = await osv_stage.tick(
        bot.stores.vulnerabilities, bot.publishers, bot.loop, bot.dumps_to_read, offline=bot.settings.feeds.offline
    )
    figures = {"read": tally.read, "unchanged": tally.unchanged, "changed": tally.changed}
    return TickOutcome("vulnerabilities", figures, tally.problems)


async def watch_tick(bot: Bot) -> TickOutcome:
    tally = await registry_stage.tick(bot.stores.watch, bot.registry, bot.loop, bot.watch_options)
    for incident in tally.cleared:
        log.info("incident over", subject=incident.subject)
    figures = {
        "asked": tally.asked,
        "moved": len(tally.moved),
        "first_seen": len(tally.sightings) - len(tally.moved),
    }
    return TickOutcome("watch", figures, [*(incident.detail for incident in tally.opened), *tally.problems])


async def assess_tick(bot: Bot) -> TickOutcome:
    tally = await assess.tick(
        bot.stores.assess, CombinedFeeds(bot.stores.feeds), LifecycleMarks(bot.registry), bot.own_bases, bot.clock
    )
    for change in tally.changes:
        log.info("base changed", base=str(change.base), cause=str(change.cause), why=describe(change))
    for change in tally.enriched:
        log.info("change explained further", base=str(change.base), why=describe(change))
    return TickOutcome("assess", {"changes": len(tally.changes), "enriched": len(tally.enriched)})


async def notices_tick(bot: Bot) -> TickOutcome:
    tally = await notices_stage.tick(
        bot.stores.notices, CombinedFeeds(bot.stores.feeds), bot.clock, bot.alert_options
    )
    return TickOutcome("notices", {"opened": tally.opened, "cleared": tally.cleared})


async def plan_tick(bot: Bot) -> TickOutcome:
    tally = await plan.tick(bot.stores.plan, bot.policy, bot.clock)
    return TickOutcome("plan", {"changes": tally.changes, "rebuilds": tally.rebuilds})


async def age_tick(bot: Bot) -> TickOutcome:
    tally = await aging.tick(bot.stores.age, bot.policy, bot.settings.weekly, bot.clock)
    return TickOutcome("age", {"planned": tally.planned})


async def first_run_tick(bot: Bot) -> TickOutcome:
    catches_up = bot.settings.rollout.first_run is FirstRun.CATCH_UP
    tally = await first_run.tick(bot.stores.catch_up, bot.policy, bot.clock, catches_up=catches_up)
    return TickOutcome("first run", {"behind": tally.behind, "planned": tally.planned})


async def quarantine_tick(bot: Bot) -> TickOutcome:
    is_frozen = frozen_by(bot.policy.freezes, bot.clock.now(), None) is not None
    return TickOutcome("quarantine", asdict(await quarantine.tick(bot.stores.quarantine, is_frozen=is_frozen)))


async def cascade_tick(bot: Bot) -> TickOutcome:
    tally = await cascade.tick(bot.stores.cascade, bot.own_bases, bot.clock, bot.settings.rollout.join_timeout)
    return TickOutcome("cascade", {"let_go": tally.let_go, "waiting": tally.waiting})


async def advance_tick(bot: Bot) -> TickOutcome:
    tally = await advance.tick(bot.stores.advance, bot.rollout_options, bot.clock)
    return TickOutcome("advance", {"released": tally.released, "waves_done": tally.waves_done}, list(tally.paused))


async def act_tick(bot: Bot) -> TickOutcome:
    options = bot.act_options
    tally = await act.tick(bot.stores.act, bot.forge, bot.registry, refresh, options, bot.loop, bot.trusting)
    return TickOutcome("act", {"done": tally.done}, list(tally.problems))


async def calling_off_tick(bot: Bot) -> TickOutcome:
    tally = await calling_off.tick(bot.stores.calling_off, bot.forge, bot.act_options, bot.loop)
    return TickOutcome("call off", {"done": tally.done}, list(tally.problems))


async def issues_tick(bot: Bot) -> TickOutcome:
    tally = await issues_stage.tick(bot.stores.issues, bot.forge, bot.act_options, bot.loop)
    return TickOutcome("issues", {"done": tally.done}, list(tally.problems))


async def code_scanning_tick(bot: Bot) -> TickOutcome:
    logs = scan_logs(bot.stores.onboardings, bot.audit_options.never_waived, bot.clock)
    tally = await code_scanning.tick(bot.stores.code_scanning, bot.forge, logs, bot.act_options, bot.loop)
    return TickOutcome("code scanning", {"done": tally.done}, list(tally.problems))


async def onboarding_tick(bot: Bot) -> TickOutcome:
    tally = await onboarding.tick(bot.stores.onboardings, bot.forge, bot.proposer, bot.onboarding_options, bot.loop)
    return TickOutcome("onboarding", {"done": tally.done, "enlisted": tally.enlisted}, list(tally.problems))


async def fleet_issue_tick(bot: Bot) -> TickOutcome:
    options = bot.fleet_issue_options
    if options is None:
        return TickOutcome("fleet issue")
    tally = await fleet_issue.tick(bot.stores.fleet_issue, bot.forge, options, bot.loop)
    return TickOutcome("fleet issue", {"heeded": tally.heeded}, list(tally.problems))


async def follow_tick(bot: Bot) -> TickOutcome:
    tally = await follow.tick(bot.stores.follow, bot.forge, bot.follow_options, bot.loop)
    return TickOutcome("follow", {"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


async def images_tick(bot: Bot) -> TickOutcome:
    await bot.stores.verdicts.lapse(bot.images_options.mark)
    tally = await images_stage.tick(bot.stores.images, bot.images, bot.observed, bot.images_options, bot.loop)
    figures = {"looked_at": tally.looked_at, "moved": tally.moved, "told_anew": tally.told_anew}
    return TickOutcome("images", figures, list(tally.problems))


async def packages_tick(bot: Bot) -> TickOutcome:
    platforms = bot.settings.packages.stored_platforms
    tally = await inventory_stage.tick(bot.stores.inventory, bot.registry, platforms, bot.loop)
    sboms = await sboms_stage.tick(bot.stores.sboms, bot.sboms, platforms, bot.loop)
    figures = {
        "layers": tally.layers,
        "images": tally.images,
        "compared": tally.compared,
        "sboms": sboms.sboms,
    }
    return TickOutcome("packages", figures, [*tally.problems, *sboms.problems])


async def proving_tick(bot: Bot) -> TickOutcome:
    options, gate, trust = bot.proving_options, bot.gating, bot.trusting
    tally = await proving.tick(bot.stores.proving, bot.images, bot.observed, options, bot.loop, gate, trust)
    figures = {"proved": tally.proved, "failed": tally.failed, "unproven": tally.unproven}
    return TickOutcome("prove", figures, list(tally.problems))


async def reports_tick(bot: Bot) -> TickOutcome:
    gathered = await artifacts.tick(bot.stores.artifacts, bot.artifacts, bot.artifact_options, bot.loop)
    return TickOutcome("reports", {"kept": gathered.kept}, list(gathered.problems))


async def gate_tick(bot: Bot) -> TickOutcome:
    tally = await gating.tick(bot.stores.gating, bot.gating.options, bot.loop, bot.vex)
    return TickOutcome("gate", {"judged": tally.judged, "blocked": tally.blocked}, list(tally.problems))


async def attest_tick(bot: Bot) -> TickOutcome:
    if bot.attesting is None:
        return TickOutcome("attest")
    attacher, verifier = bot.attesting
    tally = await attesting.tick(bot.stores.attesting, attacher, verifier, bot.loop)
    return TickOutcome("attest", {"attached": tally.attached}, list(tally.problems))


async def start_steps_tick(bot: Bot) -> TickOutcome:
    options, gate = bot.step_options, bot.gating
    tally = await act_steps.tick(bot.stores.steps, bot.forge, dispatchable, options, bot.loop, gate)
    return TickOutcome("start steps", {"done": tally.done}, list(tally.problems))


async def follow_steps_tick(bot: Bot) -> TickOutcome:
    tally = await follow_steps.tick(bot.stores.steps, bot.forge, bot.follow_options, bot.loop)
    return TickOutcome("follow steps", {"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


async def summary_tick(bot: Bot) -> TickOutcome:
    cron = bot.settings.summary
    if cron is None or not bot.destinations:
        return TickOutcome("summary")
    return TickOutcome("summary", {"announced": await summaries.tick(bot.stores.report, cron, bot.clock)})


async def report_tick(bot: Bot) -> TickOutcome:
    if not bot.destinations:
        return TickOutcome("report")
    tally = await report.tick(
        bot.stores.report, bot.destinations, bot.loop, rest=bot.edits_every, page=bot.settings.web.url
    )
    return TickOutcome("report", {"sent": tally.sent}, list(tally.problems))


async def standing_tick(bot: Bot) -> TickOutcome:
    return TickOutcome("standing", {"changed": await bot.stores.standing.count()})


async def retention_tick(bot: Bot) -> TickOutcome:
    task = await bot.stores.retention.claim_forgetting()
    if task is None:
        return TickOutcome("retention")
    forgotten = await bot.stores.retention.forget(task, bot.settings.store.retention)
    return TickOutcome("retention", asdict(forgotten))
