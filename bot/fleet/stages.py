"""The table of stages, in the order in which data flows."""

from collections.abc import Sequence

from bot.fleet.act import wired as act
from bot.fleet.act.calling_off import wired as calling_off
from bot.fleet.act.code_scanning import wired as code_scanning
from bot.fleet.act.issue import wired as issue
from bot.fleet.act.onboarding import wired as onboarding
from bot.fleet.act.recording import wired as recording
from bot.fleet.act.steps import wired as act_steps
from bot.fleet.assess import wired as assess
from bot.fleet.assess.notices import wired as notices
from bot.fleet.audit import wired as audit
from bot.fleet.discover import wired as discover
from bot.fleet.discover.builds import wired as builds
from bot.fleet.follow import wired as follow
from bot.fleet.follow.steps import wired as follow_steps
from bot.fleet.plan import wired as plan
from bot.fleet.plan.age import wired as age
from bot.fleet.plan.cascade import wired as cascade
from bot.fleet.plan.first_run import wired as first_run
from bot.fleet.plan.quarantine import wired as quarantine
from bot.fleet.plan.taking_up import wired as taking_up
from bot.fleet.plan.waves import wired as waves
from bot.fleet.report import wired as report
from bot.fleet.report.fleet_issue import wired as fleet_issue
from bot.fleet.report.summary import wired as summary
from bot.fleet.report.witness import wired as witness
from bot.fleet.retention import wired as retention
from bot.fleet.running import wired as running
from bot.fleet.stage import Bot, Stage, TickOutcome, run_stage
from bot.fleet.standing import wired as standing
from bot.fleet.verify.attesting import wired as attesting
from bot.fleet.verify.gating import wired as gating
from bot.fleet.verify.images import wired as images
from bot.fleet.verify.inventory import wired as inventory
from bot.fleet.verify.proving import wired as proving
from bot.fleet.verify.reports import wired as reports
from bot.fleet.watch.feeds import wired as feeds
from bot.fleet.watch.pins import wired as pins
from bot.fleet.watch.registry import wired as registry
from bot.fleet.watch.vulnerabilities import wired as vulnerabilities

STAGES = (
    witness.STAGE,
    discover.STAGE,
    builds.STAGE,
    feeds.STAGE,
    registry.STAGE,
    pins.STAGE,
    assess.STAGE,
    inventory.STAGE,
    running.STAGE,
    vulnerabilities.STAGE,
    notices.STAGE,
    taking_up.STAGE,
    plan.STAGE,
    age.STAGE,
    first_run.STAGE,
    quarantine.STAGE,
    cascade.STAGE,
    waves.STAGE,
    act.STAGE,
    calling_off.STAGE,
    issue.STAGE,
    follow.STAGE,
    reports.STAGE,
    proving.STAGE,
    images.STAGE,
    gating.STAGE,
    attesting.STAGE,
    act_steps.STAGE,
    follow_steps.STAGE,
    fleet_issue.STAGE,
    summary.STAGE,
    report.STAGE,
    audit.STAGE,
    code_scanning.STAGE,
    recording.STAGE,
    onboarding.STAGE,
    standing.STAGE,
    retention.STAGE,
)


async def one_pass(bot: Bot, stages: Sequence[Stage] = STAGES) -> list[TickOutcome]:
    """Each of `stages` once, one after the other."""
    return [await run_stage(stage, bot) for stage in stages]
