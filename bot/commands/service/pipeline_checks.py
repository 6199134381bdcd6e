"""What `doctor` finds at Azure DevOps: who the bot is there, and what it may do with the pipelines that rebuild."""

from collections.abc import Sequence
from functools import partial

from bot.clients.forges.azure_devops.definitions import check, path_of
from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.repos import Repos
from bot.clients.forges.azure_devops.rights import RIGHTS, AzureRight, lacking_rights, signed_in_as
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.http.client import Http
from bot.commands.service.other_bots import ShowsOthers
from bot.domain.bases.change import Cause
from bot.domain.builder.definitions import Definition, definition_of
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS, FleetRepository, Identity
from bot.files.formats.azure_pipelines.schedules import blind_schedules
from bot.fleet.wiring.pipelines import pipelines_of
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck

AREA = "Azure DevOps"
_SIGN_IN = "renew the token of this organisation, or add the identity: Organization settings, Users, Basic"


Members = Sequence[tuple[FleetRepository, tuple[Base, ...]]]
"""Repositories, each with those of its bases that float."""
_MOST_SOUGHT = 40
"""Times that a project is asked for what builds a repository: there are many of both."""


async def pipeline_checks(
    settings: Settings, members: Members, bases: Sequence[Base], http: Http, forge: ShowsOthers
) -> list[HealthCheck]:
    """Asks each organisation who the bot is, of each pipeline that rebuilds a repository what it may do, and what
    builds those that nothing rebuilds."""
    if settings.azure_devops is None:
        return []
    pipelines = pipelines_of(settings.azure_devops, http, http.clock)
    checks = [await _signed_in(transport) for transport in pipelines.transports.values()]
    in_use = pipelines_in_use(settings, members, bases)
    for definition, member in in_use.items():
        checks += await _of_pipeline(pipelines, definition, member, forge)
    homes = [
        member.identity
        for member, floating in members
        if floating and member not in in_use.values() and _is_rebuilt_by_nothing(member, floating, settings)
    ]
    if all(check.verdict is Health.FINE for check in checks[: len(pipelines.transports)]):
        checks += await _unnamed(pipelines, homes)
    return checks


def _is_rebuilt_by_nothing(member: FleetRepository, floating: Sequence[Base], settings: Settings) -> bool:
    terms = settings.rules.terms(member.name, floating[0], Cause.OS_UPDATE, None)
    return member.config.enabled and member.workflow(member.config.workflow or terms.workflow) is None


async def _unnamed(pipelines: Pipelines, homes: Sequence[Identity]) -> list[HealthCheck]:
    """The pipelines that build repositories which nothing rebuilds, with how they are named."""
    checks: list[HealthCheck] = []
    try:
        places = [
            (transport.organization, project)
            for transport in pipelines.transports.values()
            for project in await pipelines.projects(transport.organization)
        ]
        sought = [(home, place) for home in homes for place in places]
        for home, (organization, project) in sought[:_MOST_SOUGHT]:
            for definition in await pipelines.definitions_of(home, organization, project):
                told = f"a pipeline builds it ({path_of(await pipelines.shown(definition)) or 'without a file'})"
                way_out = f'write workflow: "{definition.workflow}" in a rule for it'
                checks.append(HealthCheck(AREA, home.name, Health.NOTE, told, way_out))
    except Failure as failure:
        doubt = f"cannot tell which pipelines build the fleet: {failure.what}"
        return [*checks, HealthCheck(AREA, "pipelines", Health.NOTE, doubt, failure.advice)]
    if len(sought) > _MOST_SOUGHT:
        doubt = f"sought {_MOST_SOUGHT} of {len(sought)} times, for a repository in a project"
        checks.append(
            HealthCheck(AREA, "pipelines", Health.NOTE, doubt, "name those that are known, and ask again")
        )
    return checks


def pipelines_in_use(
    settings: Settings, members: Members, bases: Sequence[Base]
) -> dict[Definition, FleetRepository]:
    """The pipelines that rules, or repositories themselves, name for what follows a base, and as steps."""
    found: dict[Definition, FleetRepository] = {}
    for member, floating in members:
        for base in floating or bases:
            terms = settings.rules.terms(member.name, base, Cause.OS_UPDATE, None)
            own_steps = [step.workflow for step in terms.steps if step.repository is None]
            for workflow in (member.config.workflow or terms.workflow, *own_steps):
                if (definition := definition_of(workflow)) is not None:
                    found.setdefault(definition, member)
    return found


async def _text_of(home: Identity, path: str, pipelines: Pipelines, forge: ShowsOthers) -> bytes:
    """The file of a pipeline as the default branch has it; nothing where there is none."""
    if home.forge != AZURE_DEVOPS:
        return (await forge.files([home], [path])).get(home, {}).get(path, b"")
    repos = Repos(pipelines.transports)
    head = (await repos.standings([home]))[home].head
    return (await repos.text(home, path, head) if head is not None else None) or b""


async def _signed_in(transport: OrganizationTransport) -> HealthCheck:
    found = partial(HealthCheck, AREA, transport.organization)
    try:
        return found(Health.FINE, f"signed in as {await signed_in_as(transport)}")
    except Failure as failure:
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return found(verdict, failure.what, _SIGN_IN if failure.status == 401 else failure.advice)


async def _of_pipeline(
    pipelines: Pipelines, definition: Definition, member: FleetRepository, forge: ShowsOthers
) -> list[HealthCheck]:
    """One check for the pipeline; where it can be started, one for each right that the bot lacks there."""
    subject = f"{definition.organization}/{definition.project}/{definition.number}"
    found = partial(HealthCheck, AREA, subject)
    try:
        row = await pipelines.shown(definition)
        check(row, member.identity, definition)
        lacking = await lacking_rights(pipelines.transports[definition.organization.lower()], row)
        path = path_of(row)
        text = await _text_of(member.identity, path, pipelines, forge)
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return [found(Health.WRONG, f"not shown, or {RIGHTS[0].name} is missing", RIGHTS[0].way_out)]
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return [found(verdict, failure.what, failure.advice)]
    blind = blind_schedules(text.decode(errors="replace"))
    if blind:
        doubt = f"its schedule {blind[0]} runs only when its source has changed"
        return [
            found(Health.NOTE, doubt, f"write always: true into {path}, or let the bot start it"),
            *(lack_of(right, subject) for right in lacking),
        ]
    if not lacking:
        return [found(Health.FINE, f"builds {member.name}, and may be started and followed")]
    return [lack_of(right, subject) for right in lacking]


def lack_of(right: AzureRight, subject: str, beside: str = "") -> HealthCheck:
    """What is said of a permission that the bot lacks at a subject; `beside` ends the line."""
    verdict = Health.WRONG if right.is_needed else Health.NOTE
    found = f"{right.name} is missing, to {right.purpose}{beside}"
    return HealthCheck(AREA, subject, verdict, found, right.way_out)
