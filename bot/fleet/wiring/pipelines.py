"""What is asked of the settings' organisations of Azure DevOps, each signed in to by itself."""

from datetime import timedelta

from bot.clients.entra import AzureIdentity
from bot.clients.forges.azure_devops.pace import OrganizationPace
from bot.clients.forges.azure_devops.pipelines import Pipelines
from bot.clients.forges.azure_devops.sign_in import EntraSignIn, PersonalToken
from bot.clients.forges.azure_devops.transport import OrganizationTransport
from bot.clients.http.client import Http
from bot.domain.clock import Clock
from bot.settings import secret
from bot.settings.sections.azure_devops import AzureDevOpsSettings, OrganizationSettings


def transports_of(azure: AzureDevOpsSettings, http: Http, clock: Clock) -> dict[str, OrganizationTransport]:
    """By organisation, in lower case. Raises `BadSettings` where the secret of one is missing."""
    apart = OrganizationPace(timedelta(seconds=azure.seconds_between_requests))
    return {
        name.lower(): OrganizationTransport(
            *(http, clock, name, _sign_in(name, organization, clock).authorization),
            service=azure.url.rstrip("/"),
            pace=apart,
        )
        for name, organization in azure.organizations.items()
    }


def pipelines_of(azure: AzureDevOpsSettings, http: Http, clock: Clock) -> Pipelines:
    """Raises `BadSettings` where the secret of an organisation is missing."""
    return Pipelines(transports_of(azure, http, clock))


def _sign_in(name: str, organization: OrganizationSettings, clock: Clock) -> PersonalToken | EntraSignIn:
    if organization.token_file is not None:
        return PersonalToken(secret(organization.token_file, f"azure_devops.organizations.{name}.token_file"))
    assert organization.identity is not None, "the settings have one way to sign in"
    return EntraSignIn(AzureIdentity(organization.identity), clock, organization.client_id)
