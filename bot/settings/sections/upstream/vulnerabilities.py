"""Whose data of vulnerabilities is read, and where it is."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import Address
from bot.upstream.osv import addresses as dump_addresses


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


_PLACES = {
    "url": "Where the dump is published.",
    "file": "A dump on this machine.",
    "api": "An API such as https://api.osv.dev, asked about packages here.",
}


def _schema(*places: str) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "boolean"},
            {
                "type": "object",
                "properties": {each: {"type": "string", "description": _PLACES[each]} for each in places},
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

    return Annotated[DumpSettings | None, BeforeValidator(read), WithJsonSchema(_schema("url", "file", "api"))]


def _document(url: str) -> Any:
    def read(value: Any) -> Any:
        if value is None or (not isinstance(value, bool | dict | DumpSettings)):
            raise ValueError("write true, false, {url: https://…} or {file: …}")
        if isinstance(value, dict) and "api" in value:
            raise ValueError("no API tells it; write true, false, {url: https://…} or {file: …}")
        return {"url": url} if value is True else (None if value is False else value)

    return Annotated[DumpSettings | None, BeforeValidator(read), WithJsonSchema(_schema("url", "file"))]


class VulnerabilitiesSettings(Section):
    """Dumps of OSV, and OVAL. Each is true (published place), false, {url: …} or {file: …}; of OSV also {api: …}"""

    @model_validator(mode="before")
    @classmethod
    def _with_oval(cls, values: Any) -> Any:
        """Whoever asks for Azure Linux as it is published gets its OVAL too, unless that is named."""
        if not isinstance(values, dict) or values.get("azure_linux") is not True:
            return values
        return {"azure_linux_3_oval": True, "azure_linux_2_oval": True} | values

    ubuntu: _dump(dump_addresses.UBUNTU) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Ubuntu's security notices and the state of each CVE."
    )
    debian: _dump(dump_addresses.DEBIAN) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Debian's security advisories and the state of each CVE."
    )
    alpine: _dump(dump_addresses.ALPINE) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Alpine's security database."
    )
    azure_linux_3_oval: _document(dump_addresses.AZURE_LINUX_3_OVAL) = Field(  # type: ignore[valid-type]
        False,
        validate_default=True,
        description="Azure Linux 3 in Microsoft's OVAL; on with azure_linux.",
    )
    azure_linux_2_oval: _document(dump_addresses.AZURE_LINUX_2_OVAL) = Field(  # type: ignore[valid-type]
        False,
        validate_default=True,
        description="CBL-Mariner 2 in Microsoft's OVAL; on with azure_linux.",
    )
    azure_linux: _dump(dump_addresses.AZURE_LINUX) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Azure Linux and CBL-Mariner in OSV, and their OVAL."
    )
    nuget: _dump(dump_addresses.NUGET) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="Advisories of packages from NuGet, beyond those of .NET itself."
    )
