"""Azure DevOps: organisations, whose pipelines are started and whose repositories are read."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import GuardedAddress
from bot.settings.values.numbers import Number
from bot.settings.values.texts import Name

SERVICE = "https://dev.azure.com"


def _organization(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,49}", text, re.ASCII) is None:
        raise ValueError("write the organisation as its address has it: contoso of https://dev.azure.com/contoso")
    return text


class OrganizationSettings(Section):
    """How the bot signs in to one organisation."""

    token_file: Path | None = Field(None, description="File with a personal access token of this organisation.")
    identity: Literal["workload_identity", "managed_identity"] | None = Field(
        None,
        description="Sign in as the pod's service account or as the machine.",
    )
    client_id: Name | None = Field(None, description="Which identity in Azure, where there are several.")
    work_item: int | None = Field(None, ge=1, description="Work item linked to pull requests there.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.token_file is None) == (self.identity is None):
            raise ValueError("set one way to sign in: identity or token_file")
        if self.client_id and not self.identity:
            raise ValueError("client_id needs identity beside it")
        return self


class AzureRepositorySelection(Section):
    """Which repositories of Azure Repos are read; none, unless some are named."""

    include: list[Name] = Field([], description="Globs over organisation/project/name; empty means none.")
    exclude: list[Name] = Field([], description="They win over include.")


class AzureDevOpsSettings(Section):
    """Azure DevOps: organisations, whose pipelines are started and whose repositories are read."""

    url: GuardedAddress = Field(SERVICE, description="Where organisations are.")
    organizations: dict[Annotated[str, AfterValidator(_organization)], OrganizationSettings] = Field(
        max_length=50, description="Organisations, and how the bot signs in."
    )
    repositories: AzureRepositorySelection = Field(
        AzureRepositorySelection(), description="Which of their repositories are read."
    )
    seconds_between_requests: Number = Field(
        0.2, ge=0, le=60, allow_inf_nan=False, description="How far apart requests to one organisation are."
    )

    @field_validator("organizations")
    @classmethod
    def _some(cls, organizations: dict[str, OrganizationSettings]) -> dict[str, OrganizationSettings]:
        if not organizations:
            raise ValueError("name an organisation, or leave azure_devops out")
        names = [name.lower() for name in organizations]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} stands twice; Azure DevOps tells names apart by no case")
        return organizations
