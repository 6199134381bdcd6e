"""What the operator says of upstream: feeds, copies in other registries, how registries are spoken to, and data
of CVEs."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bot.domain.bases.mirrors import REST, MirrorRule, Mirrors
from bot.domain.globs import may_meet
from bot.settings.section import Section
from bot.settings.values.addresses import Address, host_defect
from bot.settings.values.texts import Name, without_credentials
from bot.upstream.feeds import addresses
from bot.upstream.osv import addresses as dump_addresses


class FeedSettings(Section):
    """Another place than the published one."""

    url: Address = Field(description="Where the feed is published.")


_FEED_SCHEMA = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {"url": {"type": "string", "description": "Where the feed is published."}},
            "required": ["url"],
            "additionalProperties": False,
        },
    ],
}


def _feed(url: str) -> Any:
    def read(value: Any) -> Any:
        if value is None or (not isinstance(value, bool | dict | FeedSettings)):
            raise ValueError("write true, false or {url: https://…}")
        return {"url": url} if value is True else (None if value is False else value)

    return Annotated[FeedSettings | None, BeforeValidator(read), WithJsonSchema(_FEED_SCHEMA)]


class FeedsSettings(Section):
    """Each feed is true (published place), false, or {url: …}."""

    dotnet_releases: _feed(addresses.DOTNET_RELEASES) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.DOTNET_RELEASES), description="Releases of .NET, and the CVEs that each fixes."
    )
    msrc: _feed(addresses.MSRC) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.MSRC),
        description="Severity and affected platforms of CVEs, from Microsoft's security centre.",
    )
    dotnet_cve: _feed(addresses.DOTNET_TIMELINE) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.DOTNET_TIMELINE),
        description="Microsoft's structured disclosures of each month's .NET CVEs.",
    )
    image_info: _feed(addresses.IMAGE_INFO) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.IMAGE_INFO),
        description="Which tags Microsoft publishes now; only here does a withdrawn one show.",
    )
    github_advisories: _feed(addresses.GITHUB_ADVISORIES) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.GITHUB_ADVISORIES), description="Reviewed advisories of NuGet packages."
    )
    announcements: _feed(addresses.ANNOUNCEMENTS) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.ANNOUNCEMENTS), description="Security announcements of the .NET team."
    )
    image_announcements: _feed(addresses.IMAGE_ANNOUNCEMENTS) = Field(  # type: ignore[valid-type]
        FeedSettings(url=addresses.IMAGE_ANNOUNCEMENTS), description="Announcements of the .NET image team."
    )
    offline: bool = Field(
        False,
        description="Ask neither feeds nor addresses of dumps: what a bundle brought stays, and files are read.",
    )
    bundle_key: Path | None = Field(
        None, description="File with the public key that must have signed a bundle that is imported."
    )


_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*(?:/[a-z0-9][a-z0-9._-]*)*(?:/\*)?")
MOST_MIRRORS = 50


def _path(text: str) -> str:
    if "/" not in text or not _PATH.fullmatch(text):
        raise ValueError(
            f"{text[:100]!r} is no place; write registry/repository, or registry/folder/* for a folder"
        )
    return text


MirrorPath = Annotated[str, Field(max_length=255), AfterValidator(without_credentials), AfterValidator(_path)]
"""A repository with its registry, or a folder of repositories that ends in `/*`."""


def mirrors_of(mirrors: Mapping[str, str]) -> Mirrors:
    """The rules that these settings stand for."""
    return Mirrors(tuple(MirrorRule(place, upstream) for place, upstream in mirrors.items()))


def check_mirrors(mirrors: Mapping[str, str], bases: Sequence[str], registries: Collection[str]) -> None:
    """Raises ValueError, in one line, where a rule could never do what it says."""
    for place, upstream in mirrors.items():
        if place.endswith(REST) != upstream.endswith(REST):
            raise ValueError(f"{place} and {upstream}: end both in /* for a folder, or none for one repository")
        for side in (place, upstream):
            host = side.partition("/")[0]
            if host not in registries:
                raise ValueError(f"{side!r} is on {host!r}, which is not in registries; add it there")
        if not any(may_meet(upstream, base) for base in bases):
            raise ValueError(f"{place}: nothing under {upstream} is watched; add it to bases")
    for one, other in combinations(mirrors, 2):
        if may_meet(one, other):
            raise ValueError(f"{one} and {other} are about the same names; leave one of them out")
    for (place, upstream), other in product(mirrors.items(), mirrors):
        if may_meet(upstream, other):
            mirrored = "a mirror of itself" if place == other else f"a mirror of the mirror {other}"
            raise ValueError(f"{place} is {mirrored}; name where it is published first, {mirrors[other]}")


class RegistrySettings(Section):
    """How one registry is spoken to; {} is anonymous over https."""

    username: Name | None = Field(None, description="User name for Basic or token authentication.")
    password_file: Path | None = Field(None, description="File with the password.")
    ca_file: Path | None = Field(None, description="Certificate authority of a private registry (PEM).")
    insecure: bool = Field(False, description="Speak plain HTTP; with a password only on this machine.")
    azure: Literal["workload_identity", "managed_identity"] | None = Field(
        None, description="Sign in with Entra as the pod's service account or as the machine."
    )
    client_id: Name | None = Field(None, description="Which identity in Azure, where there are several.")
    push_username: Name | None = Field(
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
        if self.token_host and not self.username:
            raise ValueError("token_host may be shown the password; it needs username and password_file beside it")
        if self.insecure and self.ca_file:
            raise ValueError("insecure speaks plain HTTP, where ca_file has no effect; keep one of them")
        return self

    @field_validator("token_host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        if host is not None and (defect := host_defect(host)) is not None:
            raise ValueError(defect)
        return host


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


RECOMMENDED = "recommended"
"""What stands for the complete set of sources, in place of their names."""


def _or_recommended(schema: dict[str, Any]) -> None:
    """Lets the schema take the one word in place of the keys."""
    section = dict(schema)
    schema.clear()
    schema["description"] = section["description"]
    schema["anyOf"] = [{"const": RECOMMENDED}, section]


class VulnerabilitiesSettings(Section):
    """CVEs of packages: recommended for all, or each true, false, {url: …} or {file: …}; of OSV also {api: …}"""

    model_config = ConfigDict(json_schema_extra=_or_recommended)
    _is_recommended: bool = PrivateAttr(False)

    @model_validator(mode="wrap")
    @classmethod
    def _written(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Reads the one word as all of its sources. Whoever asks for Azure Linux as it is published gets its OVAL
        too, unless that is named."""
        if values == RECOMMENDED:
            section = handler(dict.fromkeys((*dump_addresses.RECOMMENDED, *addresses.MARKS), True))
            section._is_recommended = True
            return section
        if isinstance(values, str):
            raise ValueError(f"write {RECOMMENDED}, or a source by its name below it")
        if isinstance(values, dict) and values.get("azure_linux") is True:
            values = {"azure_linux_3_oval": True, "azure_linux_2_oval": True} | values
        return handler(values)

    @property
    def is_recommended(self) -> bool:
        """Whether the complete set is asked for, that of .NET's feeds included."""
        return self._is_recommended

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
    known_exploited: _feed(addresses.KEV) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="CISA's catalogue of what is exploited; it goes first everywhere."
    )
    epss: _feed(addresses.EPSS) = Field(  # type: ignore[valid-type]
        False, validate_default=True, description="EPSS: how likely each CVE is exploited within 30 days."
    )
