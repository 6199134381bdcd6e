"""Where the feeds of releases and advisories are read."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from bot.settings.section import Section
from bot.settings.values.addresses import Address
from bot.upstream.feeds import addresses


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
