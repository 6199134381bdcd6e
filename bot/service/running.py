"""The service: APScheduler wakes the ticks, a signal ends them in order, other settings begin them anew; and what
its page reads from."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, TypeVar

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.domain.bases.incident import Incident
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.log import log
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.stage import Bot, Stage, run_stage
from bot.fleet.stages import STAGES
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.grants import forge_page
from bot.fleet.wiring.opening import open_bot
from bot.service.logs import set_up
from bot.service.settings_file import SettingsFile
from bot.service.waking import Waking
from bot.settings import BadSettings, Settings, secret
from bot.settings.sections.running import SourceKind
from bot.settings.tokens import Token, parse
from bot.store.engine.database import SchemaChanged
from bot.store.engine.queue.leases import free_leases_of_the_dead, give_all_back
from bot.store.engine.queue.news import Newsboard
from bot.store.rows.schema import every_table
from bot.web.access.connections import HeldConnections, Rates
from bot.web.app import app_of, health_app_of
from bot.web.serving import Listening, listening_on, serving
from bot.web.site import Proxy, Senders, Site, WebAccess

T = TypeVar("T")

GRACE = timedelta(seconds=25)
"""With a request to GitHub that nobody can cut short (20 s), less than the minute that the manifest grants."""


NEWS_EVERY = timedelta(seconds=2)
"""Webhooks and orders are taken up within that."""
_APART = timedelta(milliseconds=50)
"""Between stages that wake together. A tick that finds nothing takes less, and so they need a connection after the
other: with one for each, most are opened anew each time, and what each has cached takes 30 MB more."""
_FIRST_WITHIN = timedelta(seconds=1)
"""So long the first tick of a stage is waited for before the next stage has its own, for the same reason: the first
ones ask about the whole fleet."""
_SOONER = 0.1
"""By up to this part of its sleep a stage wakes sooner, so that stages stay apart."""
_CLOCK_EVERY = timedelta(seconds=10)
_SET_BY = timedelta(seconds=5)
"""The clock of the machine has been set where it went on by so much more or less than time did."""

_SETTINGS_EVERY = timedelta(seconds=10)
_EDITS_EVERY = timedelta(seconds=30)
"""A rollout under way changes by the second, and nobody reads that fast."""


async def run(file: SettingsFile, clock: Clock, stop: asyncio.Event | None = None) -> None:
    """Serves until SIGTERM or SIGINT (or `stop`), each time anew where the settings changed.

    Raises `Failure` or `BadSettings` where nothing can be opened with the settings at the start; later the settings
    before stay in force then. Raises `SchemaChanged` once another version of the bot has migrated the database.
    """
    stop = stop or _stop_on_signals()
    while not stop.is_set():
        set_up(file.settings.log)
        async with AsyncExitStack() as open_parts:
            try:
                web = file.settings.web
                listening = open_parts.enter_context(listening_on(web.listen, web.health_listen))
                bot = await open_parts.enter_async_context(open_bot(file.settings, clock, edits_every=_EDITS_EVERY))
            except (Failure, BadSettings) as error:
                if not file.take_back(str(error)):
                    raise
                continue
            file.opened()
            await serve(bot, stop, file, listening)


async def serve(
    bot: Bot,
    stop: asyncio.Event,
    file: SettingsFile | None = None,
    listening: Listening = Listening(),  # noqa: B008
) -> None:
    """Runs until `stop`, or until other settings are to be served, then lets running ticks finish and gives leases
    back. What is `listening` is served up to the end: it says how things stand while ticks finish.

    Raises `SchemaChanged` once running ticks have finished where the database has become another version's; what is
    leased then is left to run out, since nothing may be written any more.
    """
    beats = Heartbeats()
    async with AsyncExitStack() as open_parts:
        site = wire_site(bot, beats)
        if listening.health is not None:
            await open_parts.enter_async_context(serving(health_app_of(site), listening.health))
            log.info("serving health", address="{}:{}".format(*listening.health.getsockname()))
        if listening.page is not None:
            proxies = site.access.proxy.networks if site.access.proxy is not None else ()
            page = serving(app_of(site), listening.page, HeldConnections(proxies))
            await open_parts.enter_async_context(page)
            log.info("serving", address="{}:{}".format(*listening.page.getsockname()))
        await asyncio.to_thread(every_table)  # loads what stages keep, while whoever asks is answered
        await _free_leases_of_the_dead(bot)
        board = await open_parts.enter_async_context(aclosing(Newsboard(bot.database)))
        await _tick_until(bot, stop, file, beats, board)


async def _tick_until(
    bot: Bot, stop: asyncio.Event, file: SettingsFile | None, beats: Heartbeats, board: Newsboard
) -> None:
    beats.expect({stage.name: stage.sleeps for stage in STAGES}, bot.clock.now())
    waking = Waking(STAGES, beats)
    running: set[asyncio.Task[object]] = set()
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    outdated: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def under_way(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        running.add(task)
        task.add_done_callback(running.discard)
        return task

    ended = {stage.name: asyncio.Event() for stage in STAGES}

    async def tick(stage: Stage) -> None:
        try:
            if await under_way(_tick_measured(stage, bot, beats)):
                waking.broke(stage)
        except asyncio.CancelledError:  # at a stop; APScheduler would log it with its trace
            pass
        except SchemaChanged as changed:
            if not outdated.done():
                outdated.set_exception(changed)
        finally:
            ended[stage.name].set()

    async def wake() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            waking.note_news(await under_way(board.news(bot.clock.now())))
            for place, (stage, wait) in enumerate(waking.woken(bot.clock.now())):
                _bring_forward(scheduler.get_job(stage.name), wait + place * _APART)

    await board.news(bot.clock.now())  # what was before the first ticks is seen by them
    for stage in STAGES:
        sooner = stage.sleeps.total_seconds() * _SOONER
        sleeps: dict[str, Any] = {"seconds": stage.sleeps.total_seconds() - sooner, "jitter": sooner}
        scheduler.add_job(tick, "interval", [stage], id=stage.name, **sleeps)
    scheduler.add_job(wake, "interval", seconds=NEWS_EVERY.total_seconds())
    scheduler.start()
    beginning = asyncio.create_task(_begin(scheduler, ended))
    watching = asyncio.create_task(_wake_once_set(scheduler))
    log.info("started", worker=bot.worker.name, store=bot.database.engine.dialect.name)
    reason_to_end: asyncio.Future[object] = asyncio.ensure_future(
        stop.wait() if file is None else _wait_for_change(bot, stop, file)
    )
    await asyncio.wait([reason_to_end, outdated], return_when=asyncio.FIRST_COMPLETED)
    log.info("stopping", running=len(running))
    watching.cancel()
    beginning.cancel()
    scheduler.pause()
    bot.worker.draining.set()
    cut_off = await _drain(running)
    scheduler.shutdown(wait=False)
    if outdated.done():
        reason_to_end.cancel()
        await asyncio.gather(reason_to_end, return_exceptions=True)
        outdated.result()
    await reason_to_end
    await _give_back(bot, attempted=cut_off)


async def _begin(scheduler: AsyncIOScheduler, ended: Mapping[str, asyncio.Event]) -> None:
    """Has every stage tick for the first time, one after the other; `ended` tells by its name that a tick has."""
    for name, has_ticked in ended.items():
        _bring_forward(scheduler.get_job(name), timedelta(0))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(has_ticked.wait(), _FIRST_WITHIN.total_seconds())


def _bring_forward(job: Job, wait: timedelta) -> None:
    """Has the next tick of a stage begin after `wait`, unless it begins before."""
    moment = datetime.now(UTC) + wait
    if job.next_run_time > moment:
        job.modify(next_run_time=moment)


async def _wake_once_set(scheduler: AsyncIOScheduler) -> None:
    """Wakes every stage at once whenever the clock of the machine has been set.

    APScheduler keeps the time of each next tick by that clock. Where it was a year ahead then, nothing would tick
    for a year once it is right again. The time of the event loop is set by nobody.
    """
    loop = asyncio.get_running_loop()
    began, began_by_loop = datetime.now(UTC), loop.time()
    while True:
        await asyncio.sleep(_CLOCK_EVERY.total_seconds())
        now, passed = datetime.now(UTC), timedelta(seconds=loop.time() - began_by_loop)
        if abs(now - began - passed) > _SET_BY:
            log.warning("clock was set", ahead_by_seconds=int((now - began - passed).total_seconds()))
            for job in scheduler.get_jobs():
                job.modify(next_run_time=now)
        began, began_by_loop = now, loop.time()


async def _free_leases_of_the_dead(bot: Bot) -> None:
    """A database that can only be read keeps the page from nobody: what the dead had leased runs out."""
    try:
        await free_leases_of_the_dead(bot.database, bot.worker)
    except Failure as failure:
        log.warning("leases of the dead kept", detail=str(failure))


async def _give_back(bot: Bot, *, attempted: bool) -> None:
    """A database that does not answer keeps nothing from stopping, or from beginning anew with another password:
    what is leased runs out."""
    try:
        freed = await give_all_back(bot.database, bot.worker, attempted=attempted)
    except Failure as failure:
        log.warning("stopped", leases_given_back=0, detail=str(failure))
    else:
        log.info("stopped", leases_given_back=freed)


async def _tick_measured(stage: Stage, bot: Bot, beats: Heartbeats) -> bool:
    """Runs one tick of a stage with its heartbeat and metrics; returns whether it broke."""
    began = bot.clock.now()
    beats.began(stage.name, began)
    outcome = None
    try:
        outcome = await run_stage(stage, bot)
    finally:
        now = bot.clock.now()
        broke = outcome is None or outcome.broke
        beats.ended(stage.name, now)
        bot.meter.ticked(stage.name, now - began, 0 if outcome is None else len(outcome.problems), broke=broke)
    return outcome.broke


async def _wait_for_change(bot: Bot, stop: asyncio.Event, file: SettingsFile) -> None:
    """Waits for `stop`, or for other valid settings, which are looked for at SIGHUP and every few seconds."""
    told_problems: tuple[str, ...] | None = None
    with _hangup() as hangup:
        while not stop.is_set():
            if file.take_up():
                log.info("settings changed", path=str(file.path))
                return
            if file.problems != told_problems:
                told_problems = file.problems
                bot.meter.settings_refused(bool(told_problems))
                await _tell(bot, told_problems)
            await _first_of(stop, hangup, within=_SETTINGS_EVERY)
            hangup.clear()


async def _tell(bot: Bot, problems: tuple[str, ...]) -> None:
    """What is wrong with the changed settings, in the log and as an incident until it is mended."""
    for problem in problems:
        log.error("settings refused", detail=problem, kept="those before")
    place = f"settings:settings at {bot.worker.name.partition('/')[0]}"
    incident = Incident(place, bot.clock.now(), f"{'; '.join(problems)}; those before are kept")
    with contextlib.suppress(Failure):
        open_incidents = [
            each for each in await bot.stores[WatchStore].open_incidents(place) if each.subject == place
        ]
        opened = [incident] if problems and [each.detail for each in open_incidents] != [incident.detail] else []
        await bot.stores[WatchStore].save_incidents(opened, open_incidents if opened or not problems else [])


async def _first_of(*events: asyncio.Event, within: timedelta) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, timeout=within.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _drain(running: set[asyncio.Task[object]]) -> bool:
    """APScheduler's own waiting shutdown would cancel coroutines, so the ticks are waited for here.

    Whether any had to be cut off, so that what it had begun counts as attempted.
    """
    if not running:
        return False
    _, late = await asyncio.wait(running, timeout=GRACE.total_seconds())
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return bool(late)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@contextlib.contextmanager
def _hangup() -> Iterator[asyncio.Event]:
    """Gives an event that SIGHUP sets as long as the body goes on."""
    hangup = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        yield hangup
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def wire_site(bot: Bot, beats: Heartbeats) -> Site:
    """What the page reads from, and who gets in."""
    return Site(
        clock=bot.clock,
        stores=bot.stores,
        beats=beats,
        meter=bot.meter,
        access=_access(bot.settings),
        rollout_options=rollout_options_of(bot.policy),
        forge=forge_page(bot.settings.github.api_url),
        rates=Rates(),
        senders=_senders(bot.settings),
        has_running=bool(bot.settings.running.sources),
    )


def _access(settings: Settings) -> WebAccess:
    auth, proxy = settings.web.auth, settings.web.auth.proxy
    believed = None
    if proxy is not None:
        networks = tuple(ip_network(each) for each in proxy.addresses)
        believed = Proxy(networks, proxy.user_header, tuple(proxy.acting))
    return WebAccess(_tokens(settings), believed, settings.web.url, auth.open_badges)


def _senders(settings: Settings) -> Senders:
    hooks = settings.web.hooks
    files = {
        "github": hooks.github_secret_file,
        "registry": hooks.registry_secret_file,
        "registry_path": hooks.registry_path_file,
        "azure_devops": hooks.azure_devops_secret_file,
    }
    secrets = {
        name: secret(file, f"web.hooks.{name}") if file is not None else None for name, file in files.items()
    }
    clusters = {
        source.name: secret(source.token_file, f"running.sources.{number}.token_file")
        for number, source in enumerate(settings.running.sources)
        if source.kind is SourceKind.PUSH and source.token_file is not None
    }
    return Senders(**secrets, clusters=clusters)


def _tokens(settings: Settings) -> tuple[Token, ...]:
    file = settings.web.auth.tokens_file
    return () if file is None else parse(secret(file, "web.auth.tokens_file"))
