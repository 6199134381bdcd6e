"""Asks everybody whom the bot needs, one area after the other; what breaks in one stops no other."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from bot.clients.forges.github import GitHub, Installations
from bot.clients.http.client import Http
from bot.clients.notifiers.slack import SLACK_API, SlackBot
from bot.clients.registry import Registry
from bot.commands.service import permissions
from bot.commands.service.azure_repository_checks import azure_repository_checks
from bot.commands.service.cluster_checks import AREA, cluster_checks
from bot.commands.service.other_bots import OTHER_BOTS, at_work, told_to_write
from bot.commands.service.permissions import of_installation, of_slack_app, wished_by
from bot.commands.service.pipeline_checks import AREA as AZURE_DEVOPS
from bot.commands.service.pipeline_checks import pipeline_checks
from bot.domain.bases.change import Cause
from bot.domain.bases.dotnet import unwatched
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.document import CADENCES, silence
from bot.domain.packages.gate import GateOutcome, idle
from bot.domain.reference import Base
from bot.domain.repositories.repository import GITHUB, FleetRepository, Identity, owner_of
from bot.domain.wording.words import counted, duration
from bot.fleet.watch.feeds.tick import FeedsToRead
from bot.fleet.watch.vulnerabilities import tick as dumps_stage
from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
from bot.fleet.wiring.adapters import apprise_services
from bot.fleet.wiring.gate import gate_options_of
from bot.fleet.wiring.grants import chosen_installations, dump_sources, feed_sources, github_access, http_rules
from bot.fleet.wiring.registries.accesses import accesses_of
from bot.service.opened_stores import opened_stores
from bot.settings import BadSettings, Settings, secret
from bot.store.doctor import DoctorStore
from bot.store.pages.ledger.gaps import NO_IMAGE
from bot.store.pages.ledger.ledger import LedgerStore
from bot.store.stores import Stores
from bot.store.views.fleet import FleetViewsStore
from bot.store.views.images import ImageViewsStore
from bot.views.bases.upstream import feed_name, shown_address
from bot.views.doctor import Health, HealthCheck

GitHubForge = GitHub | Installations
_TOLERATED = timedelta(seconds=30)
"""Of the clocks: GitHub refuses an App whose clock is a minute ahead."""
_LATE = 3
"""A feed that was not read for so many times its interval is late."""
_WORKFLOW = """on: {workflow_dispatch: }"""


async def examine(settings: Settings, clock: Clock) -> list[HealthCheck]:
    """Runs every check. Raises `Failure` where the store is out of reach, `BadSettings` for a missing secret."""
    checks: list[HealthCheck] = []
    async with opened_stores(settings, clock) as stores:
        members = await stores[DoctorStore].members()
        bases = await stores[DoctorStore].used_bases()
        count = len(members)
        scheme, full = urlsplit(settings.store.url).scheme, await stores[FleetViewsStore].lack_of_room()
        if full is None:
            checks.append(HealthCheck("store", scheme, Health.FINE, counted(count, "repository")))
        else:
            checks.append(HealthCheck("store", scheme, Health.WRONG, full.what, full.advice))
        async with _forge(settings, clock) as forge:
            await _all(checks, "GitHub", lambda: _github(forge, settings, clock))
            checks += await other_bot_checks(forge, members, bases)
            async with Http(clock, http_rules(settings, [])) as http:
                await _all(checks, AZURE_DEVOPS, lambda: pipeline_checks(settings, members, bases, http, forge))
                await _all(checks, AZURE_DEVOPS, lambda: azure_repository_checks(settings, members, bases, http))
        accesses = accesses_of(settings)
        async with Http(clock, http_rules(settings, accesses)) as http:
            registry = Registry(http, accesses, clock)
            checks += [await _registry(registry, host, bases) for host in settings.registries]
            checks += [
                permissions.of_token(access.password) for access in accesses if access.host == permissions.HOST
            ]
            await _all(checks, "messages", lambda: _messages(settings, http))
        await _all(checks, AREA, lambda: cluster_checks(settings, stores, clock))
        await _all(checks, "feeds", lambda: feed_checks(stores, settings, clock))
        checks += _workflows(members, settings)
        references = await stores[FleetViewsStore].references_without_base()
        for image in unwatched(references, settings.bases, settings.registries.keys()):
            state = f"{image.family}, {counted(image.references, 'reference')}, not watched"
            hosts = f" and {image.registry} to registries" if image.registry else ""
            checks.append(HealthCheck("bases", image.name, Health.NOTE, state, f"add {image.base} to bases{hosts}"))
        checks += _idle_mirrors(settings, bases)
        checks += [
            HealthCheck("bases", str(base), Health.NOTE, doubt.told, "ask whoever runs the registry, or its cache")
            for base, doubt in await stores[DoctorStore].shown_in_turn()
        ]
        await _all(checks, "CVEs", lambda: _cves(stores))
        await _all(checks, "gate", lambda: _gate(stores, settings, clock))
    return checks


async def forge_checks(settings: Settings, clock: Clock, stores: Stores) -> list[HealthCheck]:
    """Checks what the App or the token may do, and which other bots write the same lines; nothing else."""
    checks: list[HealthCheck] = []
    async with _forge(settings, clock) as forge:
        await _all(checks, "GitHub", lambda: _rights(forge, settings))
        checks += await other_bot_checks(
            forge, await stores[DoctorStore].members(), await stores[DoctorStore].used_bases()
        )
    return checks


async def _cves(stores: Stores) -> list[HealthCheck]:
    """Why `cve` and `packages find` cannot tell all: no image is known, or data of what images hold is not."""
    gaps = await stores[LedgerStore].gaps()
    if NO_IMAGE in gaps:
        advice = "name it in the settings under images, or let a build name it: see docs/operate/image.md"
        return [HealthCheck("CVEs", "images", Health.NOTE, "no image of the fleet is known", advice)]
    return [HealthCheck("CVEs", "data", Health.NOTE, gap, "see docs/operate/ledger.md") for gap in gaps]


async def _gate(stores: Stores, settings: Settings, clock: Clock) -> list[HealthCheck]:
    """What the gate cannot tell, and exceptions that have ended or that no image needs."""
    options = gate_options_of(settings)
    if not options.is_on:
        return []
    views = await stores[ImageViewsStore].views()
    checks = [
        HealthCheck("gate", exception.id, Health.NOTE, f"its exception {state}", "take it out of gate.exceptions")
        for exception in options.exceptions
        if (state := idle(exception, [view.image.claim.name for view in views], clock.now())) is not None
    ]
    gates = [view.gate for view in views if view.gate is not None]
    unknown = [gate.told for gate in gates if gate.outcome is GateOutcome.UNKNOWN]
    if unknown:
        state = f"cannot tell of {counted(len(unknown), 'image')}: {unknown[0]}"
        checks.append(HealthCheck("gate", "images", Health.NOTE, state, "see docs/operate/gate.md"))
    return checks or [HealthCheck("gate", "images", Health.FINE, f"judges {counted(len(gates), 'image')}")]


def _idle_mirrors(settings: Settings, bases: Sequence[Base]) -> list[HealthCheck]:
    """Finds the mirrors under which nothing stands that a repository builds on."""
    return [
        HealthCheck(
            "mirrors", rule.place, Health.NOTE, "no repository builds on it", "take it out, or mend its path"
        )
        for rule in settings.mirror_rules.rules
        if not any(rule.upstream_name(base.name) for base in bases)
    ]


async def _all(
    checks: list[HealthCheck],
    area: str,
    ask: Callable[[], Awaitable[Sequence[HealthCheck]]],
    subject: str = "access",
) -> bool:
    """Adds what is found, or why nothing was; whether there was an answer."""
    try:
        checks += await ask()
    except Failure as failure:
        fault = f"{failure.where}: {failure.what}" if failure.where else failure.what
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        checks.append(HealthCheck(area, subject, verdict, fault, _way_out(failure)))
        return False
    return True


def _way_out(failure: Failure) -> str:
    """What whoever asks can do; what a stage would do by itself in its next pass helps nobody here."""
    if failure.trouble is Trouble.UNREACHABLE:
        return "see that it is up and that this machine reaches it, and ask again"
    return failure.advice


@asynccontextmanager
async def _forge(settings: Settings, clock: Clock) -> AsyncIterator[GitHubForge]:
    access, app = github_access(settings), settings.github.app
    forge = GitHub(access, clock) if app is None else Installations(access, clock, chosen_installations(app))
    try:
        yield forge
    finally:
        await forge.close()


async def _github(forge: GitHubForge, settings: Settings, clock: Clock) -> list[HealthCheck]:
    checks = await _rights(forge, settings)
    if (theirs := await forge.server_time()) is not None:
        apart = abs(theirs - clock.now())
        difference = f"{duration(apart)} from GitHub's"
        is_off = apart > _TOLERATED
        way_out = "set it by NTP: GitHub refuses an App whose clock is wrong" if is_off else ""
        checks.append(
            HealthCheck("clock", "this machine", Health.WRONG if is_off else Health.FINE, difference, way_out)
        )
    return checks


async def _rights(forge: GitHubForge, settings: Settings) -> list[HealthCheck]:
    if isinstance(forge, GitHub):
        who, way_out = await forge.login(), "use a GitHub App, whose rights can be told and are the least"
        doubt = f"a token of {who}; what it may do shows only when it is used"
        return [HealthCheck("GitHub", "token", Health.NOTE, doubt, way_out)]
    checks: list[HealthCheck] = []
    wished = wished_by(settings)
    installations = await forge.installations()
    for installation in installations:
        checks += of_installation(installation, is_used=forge.uses(installation), wished=wished)
    app = settings.github.app
    owners = app.installations if app is not None and app.installations != "all" else []
    missing = sorted({owner.lower() for owner in owners} - {each.account.lower() for each in installations})
    checks += [
        HealthCheck(
            "GitHub",
            owner,
            Health.WRONG,
            "the App is not installed there",
            "install it, or take it out of github.app.installations",
        )
        for owner in missing
    ]
    if not any(forge.uses(each) for each in installations):
        checks.append(
            HealthCheck("GitHub", "App", Health.WRONG, "no installation is used", "install the App somewhere")
        )
    return checks


async def _registry(registry: Registry, host: str, bases: Sequence[Base]) -> HealthCheck:
    base = next((each for each in bases if each.registry == host), None)
    if base is None:
        return HealthCheck("registries", host, Health.NOTE, "nothing of it is followed, so it was not asked")
    try:
        await registry.head(base)
    except Failure as failure:
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return HealthCheck("registries", host, verdict, f"{base.short}: {failure.what}", failure.advice)
    return HealthCheck("registries", host, Health.FINE, f"shows {base.short}")


async def _messages(settings: Settings, http: Http) -> list[HealthCheck]:
    checks: list[HealthCheck] = []
    slack = settings.slack
    if slack is not None and slack.bot_token_file is not None:
        token = secret(slack.bot_token_file, "slack.bot_token_file")
        bot = SlackBot(http, token, slack.channel or "", slack.api_url or SLACK_API)
        try:
            checks += of_slack_app(await bot.check())
        except Failure as failure:
            verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
            checks.append(HealthCheck("messages", "Slack", verdict, failure.what, failure.advice))
    elif slack is not None:
        doubt = "a webhook cannot be tried without a message"
        checks.append(HealthCheck("messages", "Slack", Health.NOTE, doubt, "use a bot token, which can also edit"))
    if settings.teams is not None:
        doubt = "a webhook cannot be tried without a message"
        checks.append(HealthCheck("messages", "Teams", Health.NOTE, doubt))
    if settings.events is not None:
        doubt = "a webhook cannot be tried without an event"
        checks.append(HealthCheck("messages", "events", Health.NOTE, doubt))
    try:
        for service in apprise_services(settings):
            doubt = "a service cannot be tried without a message"
            checks.append(HealthCheck("messages", f"apprise {service.service}", Health.NOTE, doubt))
    except BadSettings as error:
        checks += [HealthCheck("messages", "apprise", Health.WRONG, line) for line in error.lines]
    if not checks:
        checks.append(
            HealthCheck("messages", "nobody", Health.NOTE, "nothing is told to anybody", "set slack or teams")
        )
    return checks


async def feed_checks(stores: Stores, settings: Settings, clock: Clock) -> list[HealthCheck]:
    """Checks which feeds and dumps are kept, and how old each is."""
    read = await stores[DoctorStore].feed_readings()
    checks: list[HealthCheck] = []
    often, seldom = settings.schedule.feeds, dumps_stage.EVERY
    offline = settings.feeds.offline
    expected = [(str(source.kind), source.url, often, not offline) for source in feed_sources(settings)]
    expected += [
        (feed_name(source.publication), source.place, seldom, source.is_file or not offline)
        for source in dump_sources(settings)
    ]
    unwanted = await _told_of_no_image(stores, settings)
    for name, place, every, is_asked in expected:
        read_at, error = read.get(place, (None, None))
        if error is not None:
            checks.append(HealthCheck("feeds", name, Health.WRONG, error, f"see {shown_address(place)}"))
        elif read_at is None and place in unwanted:
            checks.append(HealthCheck("feeds", name, Health.NOTE, "not read: no image has packages of it"))
        elif read_at is None:
            way_out = "run the service, or `once`" if is_asked else "import a bundle that has it"
            checks.append(HealthCheck("feeds", name, Health.UNKNOWN, "not read yet", way_out))
        else:
            checks.append(_age(name, clock.now() - read_at, _LATE * every if is_asked else None))
    return [*checks, *await _silent(stores, clock.now())]


async def _told_of_no_image(stores: Stores, settings: Settings) -> frozenset[str]:
    """Where the dumps are that nobody reads, since they tell of no package that is known."""
    wanted = await stores[VulnerabilitiesStore].wanted_packages()
    places = (source.place for source in dump_sources(settings) if not wanted.are_told_by(source.publication))
    return frozenset(places) if wanted.names else frozenset()


async def _silent(stores: Stores, now: datetime) -> list[HealthCheck]:
    """Finds the sources that have told nothing new for longer than they ever do."""
    newest_at = await stores[DoctorStore].newest_times()
    return [
        HealthCheck("feeds", CADENCES[source].name, Health.UNKNOWN, silence_in_words, CADENCES[source].grounds)
        for source, newest in sorted(newest_at.items())
        if (silence_in_words := silence(source, newest, now)) is not None
    ]


def _age(name: str, age: timedelta, late_after: timedelta | None) -> HealthCheck:
    """Where nothing but a bundle brings a feed, `late_after` is None: then a day is what the log tolerates too."""
    age_in_words = f"read {duration(age)} ago"
    if late_after is None and age > FeedsToRead(()).stale_after:
        return HealthCheck("feeds", name, Health.NOTE, age_in_words, "import a newer bundle")
    if late_after is not None and age > late_after:
        return HealthCheck("feeds", name, Health.WRONG, age_in_words, "see whether the service runs")
    return HealthCheck("feeds", name, Health.FINE, age_in_words)


def _workflows(
    members: Sequence[tuple[FleetRepository, tuple[Base, ...]]], settings: Settings
) -> list[HealthCheck]:
    """Who has bases that float and no workflow that the bot could start to rebuild them."""
    checks: list[HealthCheck] = []
    for member, floating in members:
        if not floating or not member.config.enabled:
            continue
        terms = settings.rules.terms(member.name, floating[0], Cause.OS_UPDATE, None)
        file = member.config.workflow or terms.workflow
        if member.workflow(file) is None:
            fault = f"{floating[0].short} floats, and there is no {file} with workflow_dispatch"
            checks.append(
                HealthCheck("workflows", member.name, Health.NOTE, fault, f"write `{_WORKFLOW}` into {file}")
            )
    return checks


async def other_bot_checks(
    forge: GitHubForge, members: Sequence[tuple[FleetRepository, tuple[Base, ...]]], bases: Sequence[Base]
) -> list[HealthCheck]:
    """Which other bots write the same lines, owner by owner: one whose files cannot be read hides no other's.

    Each owner is asked twice, however many repositories there are: for the bots' settings, and for their open pull
    requests, since settings may come from elsewhere.
    """
    checks: list[HealthCheck] = []
    by_owner: dict[str, list[Identity]] = {}
    for member, _ in members:
        if member.forge == GITHUB:
            by_owner.setdefault(owner_of(member.name), []).append(member.identity)
    for owner, homes in by_owner.items():
        if await _all(checks, OTHER_BOTS, partial(told_to_write, forge, homes), owner):
            await _all(checks, OTHER_BOTS, partial(at_work, forge, homes, bases), owner)
    return checks
