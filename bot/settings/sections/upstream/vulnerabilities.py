"""Whose data of vulnerabilities is read, and where it is."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import Address
from bot.watch.osv import addresses


class DumpSettings(Section):
    """Another place than the published one: an address, a file, or an API to be asked."""

    url: Address | None = Field(None, description="Where the dump is published.")
    file: Path | None = Field(None, description="A dump on this machine.")
    api: Address | None = Field(None, description="An API such as https://api.osv.dev, asked about packages here.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "DumpSettings":
        if [self.url, self.file, self.api].count(None) != 2:
            raise ValueError("write one of url, file and api")
        return self


_DUMP_SCHEMA = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {
                "url": {"type": "string", "description": "Where the dump is published."},
                "file": {"type": "string", "description": "A dump on this machine."},
                "api": {
                    "type": "string",
                    "description": "An API such as https://api.osv.dev, asked about packages here.",
                },
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        },
    ],
}


def _dump(url: str) -> Any:
    def read(value: Any) -> Any:
        if value is None or (not isinstance(value, bool | dict | DumpSettings)):
            raise ValueError("write true, false, {url: https://…}, {file: …} or {api: https://…}")
        return {"url": url} if value is True else (None if value is False else value)

    return Annotated[DumpSettings | None, BeforeValidator(read), WithJsonSchema(_DUMP_SCHEMA)]


class VulnerabilitiesSettings(Section):
    """Dumps in the format of OSV. Each is true (published place), false, {url: …}, {file: …} or {api: …}."""

    ubuntu: _dump(addresses.UBUNTU) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Ubuntu's security notices and the state of each CVE."
    )
    debian: _dump(addresses.DEBIAN) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Debian's security advisories and the state of each CVE."
    )
    alpine: _dump(addresses.ALPINE) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Alpine's security database."
    )
    azure_linux: _dump(addresses.AZURE_LINUX) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Vulnerabilities of Azure Linux and CBL-Mariner."
    )
    nuget: _dump(addresses.NUGET) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Advisories of packages from NuGet, beyond those of .NET itself."
    )
