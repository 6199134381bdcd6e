"""One run of the step: the state is restored, passes are made, and whatever came of them is told and kept."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.clients.forges.github import GitHubAccess, TokenCredentials
from bot.clients.forges.github.files import default_file
from bot.clients.forges.github.state_branch import StateBranch
from bot.commands.action.cve_sources import cve_sources
from bot.commands.action.inputs import Inputs, RunnerJob
from bot.commands.action.passes import passes, problems_of
from bot.commands.action.runner import Annotation, AnnotationLevel, write_outputs, write_summary
from bot.commands.action.settings import JobSettings
from bot.commands.action.state import Keeping, Restored, StorePlaces, keep, restore
from bot.commands.action.summary import JobNews, job_summary
from bot.commands.look.status import status_in
from bot.commands.service.doctor import forge_checks
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.files.formats.workflows.schedules import schedule_of
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.wiring.grants import dump_sources
from bot.fleet.wiring.opening import open_bot
from bot.service.one_off import planned_only
from bot.service.opened_stores import opened_stores
from bot.store.pages.fleet.fleet import FleetStore
from bot.store.views.bases import BaseViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.fleet.fleet import FleetFilter
from bot.views.fleet.staleness import Staleness, staleness_of
from bot.views.paging import Cut

_MOST_REPOSITORIES = 100


@dataclass(frozen=True, slots=True)
class ActionStep:
    """What a run is made with; `annotations` are added to, and shown once it is over."""

    inputs: Inputs
    job: RunnerJob
    opened: JobSettings
    clock: Clock
    annotations: list[Annotation] = field(default_factory=list)

    def note(self, level: AnnotationLevel, text: str) -> None:
        self.annotations.append(Annotation(level, text))

    @property
    def places(self) -> StorePlaces:
        return StorePlaces(self.opened.store, self.job.cache)

    @property
    def is_own_token(self) -> bool:
        """Whether the workflow's own token is all that it has."""
        return not self.inputs.app_id and self.inputs.token == self.job.token


async def run_step(step: ActionStep) -> bool:
    """Makes the run and tells the runner of it; whether it did all its work, the state kept.

    What needs attention is said by an annotation and the summary, and makes no red job. The state is kept in any
    case, also where passes broke off or the job was cancelled. Raises `Failure` and `BadSettings` where nothing
    could be begun.
    """
    began = step.clock.now()
    async with _branch(step) as branch:
        restored = await restore(branch, step.places, may_be_public=step.inputs.public_state)
        news: JobNews | None = None
        try:
            with _cancelled_by_signals():
                news = await (_dry_run(step, began) if step.inputs.dry_run else _passes(step, began))
        finally:
            keeping = Keeping.NOT_KEPT if step.inputs.dry_run else await _kept(branch, restored, step)
        is_lost = restored.commit is None and step.job.number > 1 and not step.inputs.dry_run
        news = replace(news, keeping=keeping, is_lost=is_lost, last_run=restored.at)
        news = replace(news, next_run=await _next_run(step))
    _tell(step, news)
    return step.inputs.dry_run or keeping is not Keeping.NOT_KEPT


async def _next_run(step: ActionStep) -> datetime | None:
    """When the workflow's own file has it run next, as that stands on the default branch, which alone counts for
    schedules; None where it has no schedule, or cannot be read."""
    if step.job.workflow is None:
        return None
    try:
        text = await default_file(_access(step), step.clock, step.job.repository, step.job.workflow)
    except Failure:
        return None
    now = step.clock.now()
    return min((cron.following(now) for cron in schedule_of(text)), default=None)


def _access(step: ActionStep) -> GitHubAccess:
    return GitHubAccess(step.job.api_url, TokenCredentials(step.job.token), seconds_between_writes=0)


@asynccontextmanager
async def _branch(step: ActionStep) -> AsyncIterator[StateBranch]:
    branch = StateBranch(_access(step), step.clock, step.job.repository, step.inputs.state_branch)
    try:
        yield branch
    finally:
        await branch.close()


async def _kept(branch: StateBranch, restored: Restored, step: ActionStep) -> Keeping:
    """Keeps the state. What hinders that is told, and hides nothing else that went wrong."""
    try:
        keeping = await keep(branch, restored, step.places, step.clock.now())
    except Failure as failure:
        step.note(AnnotationLevel.ERROR, f"the state could not be kept on {step.inputs.state_branch}: {failure}")
        return Keeping.NOT_KEPT
    if keeping is Keeping.OVERTAKEN:
        step.note(
            AnnotationLevel.NOTICE,
            "another run has kept its state meanwhile, so that of this one is dropped; set `concurrency`",
        )
    return keeping


async def _passes(step: ActionStep, began: datetime) -> JobNews:
    settings, clock = step.opened.settings, step.clock
    async with open_bot(settings, clock) as bot:
        outcomes = await passes(bot, clock, step.inputs.within)
    return replace(await _news(step, began), problems=problems_of(outcomes), passes=len(outcomes))


async def _dry_run(step: ActionStep, began: datetime) -> JobNews:
    plan = await planned_only(step.opened.settings, step.clock)
    news = await _news(step, began, plan.staleness)
    status = replace(news.status, rebuilds=plan.rebuilds)
    problems = tuple(problem for outcome in plan.outcomes for problem in outcome.problems)
    return replace(news, status=status, problems=problems, is_dry=True)


async def _news(step: ActionStep, began: datetime, planned_on: Staleness | None = None) -> JobNews:
    """How things stand in the store, and what the forge grants; where a plan was made on a copy of the store, how
    stale all is by that one."""
    settings, clock = step.opened.settings, step.clock
    async with opened_stores(settings, clock) as stores:
        wanted = await stores[VulnerabilitiesStore].wanted_packages()
        return JobNews(
            began,
            clock.now(),
            await status_in(stores, settings, clock.now()),
            await stores[FleetStore].fleet(FleetFilter(), Cut(1, _MOST_REPOSITORIES)),
            planned_on or staleness_of(await stores[CatchUpStore].behind(), clock.now()),
            await stores[BaseViewsStore].changes_since(began),
            await stores[RolloutViewsStore].ended_since(began),
            await forge_checks(settings, clock, stores),
            cve_sources([source.publication for source in dump_sources(settings)], wanted),
            site=step.job.server_url,
            is_own_token=step.is_own_token,
        )


def _tell(step: ActionStep, news: JobNews) -> None:
    write_summary(step.job.summary, job_summary(news))
    write_outputs(
        step.job.output,
        {
            "moved": news.moved,
            "pull-requests": news.open_requests,
            "failed": news.failed,
            "stale": len(news.staleness.repositories),
            "state": news.keeping.value.replace(" ", "-"),
        },
    )
    if news.is_lost:
        step.note(
            AnnotationLevel.WARNING,
            f"{step.inputs.state_branch} is not there, though this is run {step.job.number} of the workflow: what "
            "earlier runs knew is gone, pauses and holds too",
        )
    if news.problems or news.failed:
        step.note(AnnotationLevel.WARNING, f"something needs attention: see the summary of {step.job.url}")


@contextmanager
def _cancelled_by_signals() -> Iterator[None]:
    """Has SIGINT and SIGTERM, with which the runner cancels a job, end the passes in order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
