"""How registries are spoken to."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import host_defect


class RegistrySettings(Section):
    """How one registry is spoken to; {} is anonymous over https."""

    username: str | None = Field(None, description="User name for Basic or token authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authority of a private registry (PEM).")
    insecure: bool = Field(False, description="Speak plain HTTP; with a password only on this machine.")
    azure: Literal["workload_identity", "managed_identity"] | None = Field(
        None, description="Sign in to an Azure Container Registry as the pod's service account or as the machine."
    )
    client_id: str | None = Field(None, description="Which identity in Azure, where there are several.")
    push_username: str | None = Field(
        None, description="User name for writing statements beside images (images.attest)."
    )
    push_password_file: Path | None = Field(None, description="File with its password.")
    token_host: str | None = Field(
        None, description="Token service outside of the registry's domain that may be shown the password."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            given, lacking = ("username", "password_file") if self.username else ("password_file", "username")
            raise ValueError(f"{given} needs {lacking} beside it")
        if (self.push_username is None) != (self.push_password_file is None):
            raise ValueError("push_username and push_password_file need each other")
        if self.azure and self.username:
            raise ValueError("azure and username are two ways to sign in; keep one of them")
        if self.client_id and not self.azure:
            raise ValueError("client_id needs azure beside it")
        return self

    @field_validator("token_host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        if host is not None and (defect := host_defect(host)) is not None:
            raise ValueError(defect)
        return host
