"""How registries are spoken to."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from bot.settings.sections.section import Section
from bot.settings.sections.values import host_defect


class RegistrySettings(Section):
    """How one registry is spoken to; {} is anonymous over https."""

    username: str | None = Field(None, description="User name for Basic or token authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authority of a private registry (PEM).")
    insecure: bool = Field(False, description="Speak plain HTTP; with a password only on this machine.")
    token_host: str | None = Field(
        None, description="Token service outside of the registry's domain that may be shown the password."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            given, lacking = ("username", "password_file") if self.username else ("password_file", "username")
            raise ValueError(f"{given} needs {lacking} beside it")
        return self

    @field_validator("token_host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        if host is not None and (defect := host_defect(host)) is not None:
            raise ValueError(defect)
        return host
