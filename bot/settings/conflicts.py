"""What settings say in one place that cannot work, or has no effect, because of what they say in another.

Each is refused: whoever wrote it counts on it. What holds within one section stands there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from bot.domain.builder.definitions import definition_of
from bot.domain.globs import any_covers, leaves_owner_open
from bot.domain.wording.words import duration
from bot.settings.model import Settings
from bot.settings.sections.github import API
from bot.settings.sections.rollout import FirstRun
from bot.settings.sections.running import SourceKind
from bot.settings.sections.web import HookSettings, WebAuthSettings

MOST_AN_HOUR, MOST_A_MINUTE = 500, 80
"""New content that GitHub itself takes of anybody before it stops them; a server of one's own may take more."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """`place` are the keys that lead to it; `what` says why it is refused and what to write."""

    place: tuple[str | int, ...]
    what: str


def conflicts(settings: Settings) -> list[Conflict]:
    """All of them, in the order of the settings."""
    return [
        *_writes(settings),
        *_store(settings),
        *_weekly(settings),
        *_waves(settings),
        *_images(settings),
        *_recommended(settings),
        *_trust(settings),
        *_messages(settings),
        *_pipelines(settings),
        *_azure_repositories(settings),
        *_web(settings),
        *_running(settings),
    ]


def _writes(settings: Settings) -> Iterator[Conflict]:
    if settings.github.api_url != API:
        return
    limits = settings.limits
    for key, value, most, span in (
        ("content_per_minute", limits.content_per_minute, MOST_A_MINUTE, "minute"),
        ("content_per_hour", limits.content_per_hour, MOST_AN_HOUR, "hour"),
    ):
        if value > most:
            what = f"GitHub stops whoever writes more than {most} in any {span}; write at most {most}"
            yield Conflict(("limits", key), what)


def _store(settings: Settings) -> Iterator[Conflict]:
    if settings.store.password_file is not None and settings.store.url.startswith("sqlite"):
        yield Conflict(("store", "password_file"), "SQLite asks for no password; leave it out")


def _weekly(settings: Settings) -> Iterator[Conflict]:
    """From one weekly rebuild to the next is the time that it may be spread over."""
    spread, weekly = settings.schedule.weekly_rebuild_over, settings.weekly
    moments = [datetime(2026, 1, 1, tzinfo=UTC)]
    for _ in range(8):
        moments.append(weekly.following(moments[-1]))
    shortest = min(later - earlier for earlier, later in pairwise(moments[1:]))
    if spread > shortest + timedelta(hours=1):  # clocks are put forward
        what = f"the next weekly rebuild begins {duration(shortest)} after the one before; write at most that"
        yield Conflict(("schedule", "weekly_rebuild_over"), what)


def _waves(settings: Settings) -> Iterator[Conflict]:
    rollout, known = settings.rollout, [wave.name for wave in settings.rollout.waves]
    for place, rule in enumerate(settings.policy):
        if rule.wave is not None and rule.wave not in known:
            what = f"no wave is called {rule.wave!r}; rollout.waves has {', '.join(known)}"
            yield Conflict(("policy", place, "wave"), what)
    if rollout.first_run_severity is not None and rollout.first_run is not FirstRun.CATCH_UP:
        what = f"has no effect with first_run: {rollout.first_run}; write first_run: catch_up, or leave it out"
        yield Conflict(("rollout", "first_run_severity"), what)


def _images(settings: Settings) -> Iterator[Conflict]:
    for place, rule in enumerate(settings.images.rules):
        host = (rule.image or "").partition("/")[0]
        if host and "{" not in host and host not in settings.registries:
            what = f"{rule.image!r} is on {host!r}, which is not in registries; add it there"
            yield Conflict(("images", "rules", place, "image"), what)
    if settings.images.attest is not None:
        return
    for host, registry in settings.registries.items():
        if registry.push_username is not None:
            what = "nothing is written beside images without images.attest; set that, or leave it out"
            yield Conflict(("registries", host, "push_username"), what)


def _recommended(settings: Settings) -> Iterator[Conflict]:
    """The complete set of sources has those of .NET in it."""
    if not settings.vulnerabilities.is_recommended:
        return
    for key in ("dotnet_releases", "msrc", "github_advisories"):
        if getattr(settings.feeds, key) is None:
            what = "vulnerabilities: recommended reads it too; turn it on, or name the sources of vulnerabilities"
            yield Conflict(("feeds", key), what)


def _trust(settings: Settings) -> Iterator[Conflict]:
    rules = settings.trust.rules
    for place, rule in enumerate(rules):
        before = next(
            (number for number, other in enumerate(rules[:place]) if any_covers(other.match, rule.match)), None
        )
        if before is not None:
            mode = rules[before].mode
            what = f"never has a say: rule {before}, mode: {mode}, matches all of it before; put this one first"
            yield Conflict(("trust", "rules", place), what)


def _messages(settings: Settings) -> Iterator[Conflict]:
    slack = settings.slack
    if slack is not None and slack.webhook_file is not None and slack.bot_token_file is None and slack.channel:
        what = "a webhook has a channel of its own; leave it out, or use bot_token_file in place of webhook_file"
        yield Conflict(("slack", "channel"), what)


def _pipelines(settings: Settings) -> Iterator[Conflict]:
    """A pipeline is started where its organisation is set up, and builds a repository as a whole."""
    azure = settings.azure_devops
    known = {name.lower() for name in azure.organizations} if azure is not None else set()
    for number, rule in enumerate(settings.policy):
        named: list[tuple[tuple[str | int, ...], str | None]] = [(("workflow",), rule.workflow)]
        named += [(("steps", place, "workflow"), step.workflow) for place, step in enumerate(rule.steps or ())]
        for place, workflow in named:
            pipeline = definition_of(workflow)
            if pipeline is not None and pipeline.organization.lower() not in known:
                what = (
                    f"{pipeline.organization} is not in azure_devops.organizations; add it there with its sign-in"
                )
                yield Conflict(("policy", number, *place), what)
        if rule.workflows and definition_of(rule.workflow) is not None:
            what = "a pipeline builds the whole repository, so its parts need workflows alone; keep one of the two"
            yield Conflict(("policy", number, "workflow"), what)


def _azure_repositories(settings: Settings) -> Iterator[Conflict]:
    """Repositories are read where their organisation is set up."""
    azure = settings.azure_devops
    if azure is None:
        return
    known = {name.lower() for name in azure.organizations}
    for number, glob in enumerate(azure.repositories.include):
        organization = glob.partition("/")[0]
        place = ("azure_devops", "repositories", "include", number)
        if glob != "*" and glob.count("/") != 2:
            yield Conflict(place, "write organisation/project/name, each of which may be a glob, or * for all")
        elif not leaves_owner_open(glob) and organization.lower() not in known:
            yield Conflict(place, f"{organization} is not in organizations; add it there with its sign-in")


def _web(settings: Settings) -> Iterator[Conflict]:
    """Where no page is served, nobody gets in and no event is taken."""
    web = settings.web
    if web.listen is not None:
        return
    for key, value, empty in (("auth", web.auth, WebAuthSettings()), ("hooks", web.hooks, HookSettings())):
        if value != empty:
            yield Conflict(("web", key), "has no effect with listen: null; set listen, or leave it out")


def _running(settings: Settings) -> Iterator[Conflict]:
    """What a cluster tells comes in where the page is served; a step follows what a source tells of."""
    if settings.gate.vex and not settings.gate.rules and not settings.running.sources:
        what = "no rule asks for anything and no source tells what runs, so vex is not read; leave it out"
        yield Conflict(("gate", "vex"), what)
    environments = {source.environment for source in settings.running.sources}
    for place, rule in enumerate(settings.policy):
        for number, step in enumerate(rule.steps or ()):
            if step.environment is not None and step.environment not in environments:
                what = f"no source of running.sources tells what runs in {step.environment!r}; add one"
                yield Conflict(("policy", place, "steps", number, "environment"), what)
    for place, source in enumerate(settings.running.sources):
        if source.kind is SourceKind.PUSH and settings.web.listen is None:
            what = "nobody can tell the bot anything with web.listen: null; set that, or leave the source out"
            yield Conflict(("running", "sources", place), what)
