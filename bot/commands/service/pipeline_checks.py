"""What `doctor` finds at Azure DevOps: who the bot is there, and what it may do with the pipelines that rebuild."""

from collections.abc import Sequence
from functools import partial

from bot.clients.forges.azure_devops.definitions import check
from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.rights import RIGHTS, lacking_rights, signed_in_as
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.http.client import Http
from bot.domain.bases.change import Cause
from bot.domain.builder.definitions import Definition, definition_of
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.fleet.wiring.pipelines import pipelines_of
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck

AREA = "Azure DevOps"
_SIGN_IN = "renew the token of this organisation, or add the identity: Organization settings, Users, Basic"
_GRANT = "allow it: Pipelines, the pipeline, ⋮, Manage security"


async def pipeline_checks(
    settings: Settings,
    members: Sequence[tuple[FleetRepository, tuple[Base, ...]]],
    bases: Sequence[Base],
    http: Http,
) -> list[HealthCheck]:
    """Asks each organisation who the bot is, and of each pipeline that rebuilds a repository what it may do."""
    if settings.azure_devops is None:
        return []
    pipelines = pipelines_of(settings.azure_devops, http, http.clock)
    checks = [await _signed_in(transport) for transport in pipelines.transports.values()]
    for definition, member in pipelines_in_use(settings, members, bases).items():
        checks += await _of_pipeline(pipelines, definition, member)
    return checks


def pipelines_in_use(
    settings: Settings, members: Sequence[tuple[FleetRepository, tuple[Base, ...]]], bases: Sequence[Base]
) -> dict[Definition, FleetRepository]:
    """The pipelines that rules, or repositories themselves, name for what follows a base."""
    found: dict[Definition, FleetRepository] = {}
    for member, floating in members:
        for base in floating or bases:
            terms = settings.rules.terms(member.name, base, Cause.OS_UPDATE, None)
            definition = definition_of(member.config.workflow or terms.workflow)
            if definition is not None:
                found.setdefault(definition, member)
    return found


async def _signed_in(transport: OrganizationTransport) -> HealthCheck:
    found = partial(HealthCheck, AREA, transport.organization)
    try:
        return found(Health.FINE, f"signed in as {await signed_in_as(transport)}")
    except Failure as failure:
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return found(verdict, failure.what, _SIGN_IN if failure.status == 401 else failure.advice)


async def _of_pipeline(pipelines: Pipelines, definition: Definition, member: FleetRepository) -> list[HealthCheck]:
    """One check for the pipeline; where it can be started, one for each right that the bot lacks there."""
    found = partial(HealthCheck, AREA, f"{definition.organization}/{definition.project}/{definition.number}")
    try:
        row = await pipelines.shown(definition)
        check(row, member.identity, definition)
        lacking = await lacking_rights(pipelines.transports[definition.organization.lower()], row)
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return [found(Health.WRONG, f"not shown, or {RIGHTS[0].name} is missing", _GRANT)]
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return [found(verdict, failure.what, failure.advice)]
    if not lacking:
        return [found(Health.FINE, f"builds {member.name}, and may be started and followed")]
    return [found(Health.WRONG, f"{right.name} is missing, to {right.purpose}", _GRANT) for right in lacking]
