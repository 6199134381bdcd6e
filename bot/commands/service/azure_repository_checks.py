"""What `doctor` finds of repositories in Azure Repos: each permission that the bot lacks, by its name there."""

from collections import Counter, defaultdict

from bot.clients.forges.azure_devops.names import AzureNode, node_of
from bot.clients.forges.azure_devops.rights import REPOSITORY_RIGHTS, AzureRight, lacking_at_repositories
from bot.clients.http.client import Http
from bot.commands.service.pipeline_checks import AREA, Members
from bot.domain.failure import Failure
from bot.domain.repositories.repository import AZURE_DEVOPS
from bot.domain.wording.words import counted
from bot.fleet.wiring.pipelines import transports_of
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck

_GRANT = "allow it: Project settings, Repositories, the repository (or all), Security"


async def azure_repository_checks(settings: Settings, members: Members, http: Http) -> list[HealthCheck]:
    """Asks each organisation in one request what the bot may do with the repositories there."""
    azure = settings.azure_devops
    if azure is None or not azure.repositories.include:
        return []
    checks: list[HealthCheck] = []
    names: dict[str, dict[AzureNode, str]] = defaultdict(dict)
    for member, _ in members:
        if member.forge == AZURE_DEVOPS and member.node_id is not None:
            node = node_of(member.node_id)
            names[node.organization.lower()][node] = member.name
    for organization, transport in transports_of(azure, http, http.clock).items():
        there = names[organization]
        subject = f"{organization}: repositories"
        if not there:
            way_out = "wait for the first listing, or see azure_devops.repositories"
            checks.append(HealthCheck(AREA, subject, Health.NOTE, "none is known there yet", way_out))
            continue
        try:
            lacking = await lacking_at_repositories(transport, list(there))
        except Failure as failure:
            verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
            checks.append(HealthCheck(AREA, subject, verdict, failure.what, failure.advice))
            continue
        if not lacking:
            told = f"{counted(len(there), 'repository')}: {', '.join(right.name for right in REPOSITORY_RIGHTS)}"
            checks.append(HealthCheck(AREA, subject, Health.FINE, told))
        checks += [
            _missing(organization, right, [there[node] for node, rights in lacking.items() if right in rights])
            for right in Counter(right for rights in lacking.values() for right in rights)
        ]
    return checks


def _missing(organization: str, right: AzureRight, names: list[str]) -> HealthCheck:
    """One line for each right, however many repositories it is missing at."""
    subject = names[0] if len(names) == 1 else f"{organization}: {counted(len(names), 'repository')}"
    some = ", ".join(sorted(names)[:3]) + (" and others" if len(names) > 3 else "")
    beside = "" if len(names) == 1 else f" ({some})"
    return HealthCheck(AREA, subject, Health.WRONG, f"{right.name} is missing, to {right.purpose}{beside}", _GRANT)
