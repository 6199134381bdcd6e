"""What `doctor` finds of repositories in Azure Repos: each permission that the bot lacks, by its name there."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial

from bot.clients.forges.azure_devops.names import AzureNode, node_of
from bot.clients.forges.azure_devops.rights import REPOSITORY_RIGHTS, AzureRight, lacking_at_repositories
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.http.client import Http
from bot.commands.service.pipeline_checks import AREA, Members, lack_of
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.repositories.repository import AZURE_DEVOPS, FleetRepository
from bot.domain.wording.words import counted
from bot.fleet.wiring.pipelines import transports_of
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck

_IDENTITIES = "give its token the scope Identity (read): User settings, Personal access tokens"


async def azure_repository_checks(
    settings: Settings, members: Members, bases: Sequence[Base], http: Http
) -> list[HealthCheck]:
    """Asks each organisation in one request what the bot may do with the repositories there, and in one more for
    somebody who is to review."""
    azure = settings.azure_devops
    if azure is None or not azure.repositories.include:
        return []
    checks: list[HealthCheck] = []
    names: dict[str, dict[AzureNode, str]] = defaultdict(dict)
    reviewers: dict[str, str] = {}
    for member, floating in members:
        if member.forge == AZURE_DEVOPS and member.node_id is not None:
            node = node_of(member.node_id)
            names[node.organization.lower()][node] = member.name
            if (name := _reviewer_of(settings, member, floating or bases)) is not None:
                reviewers.setdefault(node.organization.lower(), name)
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
        if organization in reviewers:
            checks += await _unseen_reviewers(transport, reviewers[organization])
    return checks


def _reviewer_of(settings: Settings, member: FleetRepository, bases: Sequence[Base]) -> str | None:
    """Somebody whom the repository itself, or else a rule for it, has asked to review."""
    return next(iter(member.config.owners or settings.rules.reviewers(member.name, bases)), None)


async def _unseen_reviewers(transport: OrganizationTransport, name: str) -> list[HealthCheck]:
    """What is wrong where people and teams cannot be looked up by their names. The right to is one of a token, so
    none but that question tells whether it is given."""
    found = partial(HealthCheck, AREA, f"{transport.organization}: reviewers")
    try:
        await transport.identities(name.rpartition("/")[2])
    except Failure as failure:
        if failure.trouble is Trouble.DENIED:
            return [found(Health.WRONG, f"Identity (read) is missing, to ask {name} to review", _IDENTITIES)]
        return [found(Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG, failure.what, failure.advice)]
    return []


def _missing(organization: str, right: AzureRight, names: list[str]) -> HealthCheck:
    """One line for each right, however many repositories it is missing at."""
    subject = names[0] if len(names) == 1 else f"{organization}: {counted(len(names), 'repository')}"
    some = ", ".join(sorted(names)[:3]) + (" and others" if len(names) > 3 else "")
    beside = "" if len(names) == 1 else f" ({some})"
    return lack_of(right, subject, beside)
