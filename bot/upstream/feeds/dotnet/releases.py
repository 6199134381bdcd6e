""".NET's release metadata: `releases-index.json` and a `releases.json` per channel.

The shape is that of the published documents, described in dotnet/core's `release-notes/schemas`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from bot.domain.feeds.advisory import Release
from bot.upstream.feeds.reading import (
    ChannelNumber,
    Cve,
    Day,
    HyphenatedShape,
    Notes,
    OneLine,
    Parsed,
    Version,
    json_object,
    web_address,
    whole,
)


@dataclass(frozen=True, slots=True)
class ReleaseChannel:
    """One row of the index; `releases_url` is where its releases are listed, None where that is no address."""

    channel: str
    releases_url: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """`releases` holds all that is known afterwards, by version; `changed` those that differ from before."""

    releases: Mapping[str, Release]
    changed: tuple[Release, ...] = ()
    newly_published: tuple[Release, ...] = ()


class _IndexRow(HyphenatedShape):
    channel_version: ChannelNumber
    releases_url: str | None = Field(default=None, alias="releases.json")


class _Component(HyphenatedShape):
    version: Version


class _ListedCve(HyphenatedShape):
    cve_id: Cve


class _ReleaseRow(HyphenatedShape):
    release_version: Version
    release_date: Day | None = None
    security: Annotated[bool, Field(strict=True)] = False
    runtime: Any = None
    aspnetcore_runtime: Any = None
    sdk: Any = None
    sdks: Any = None
    cve_list: Any = None


class _ChannelDocument(HyphenatedShape):
    channel_version: ChannelNumber
    support_phase: OneLine | None = None
    eol_date: Day | None = None
    releases: Any = None


_FIELDS = {
    "release_date": "released_on",
    "security": "security",
    "support_phase": "support_phase",
    "eol_date": "end_of_life",
}
"""Of `Release` by those of the documents."""


def parse_index(data: bytes, seen_at: datetime, document: str = "releases-index.json") -> Parsed[ReleaseChannel]:
    """The channels of `releases-index.json`, in the document's order (newest first)."""
    notes = Notes(document)
    rows = json_object(data, document).get("releases-index")
    entries = notes.all_of(_IndexRow, rows, "releases-index")
    channels = tuple(ReleaseChannel(row.channel_version, web_address(row.releases_url)) for _, row in entries)
    return Parsed(channels, notes.problems, len(rows or ()))


def parse(data: bytes, seen_at: datetime, document: str = "releases.json") -> Parsed[Release]:
    """The releases of one channel, each as if it were first seen now; `merge` puts that right.

    Raises `Failure` where the document is no release list.
    """
    notes = Notes(document)
    value = json_object(data, document)
    channel = whole(_ChannelDocument, value, notes)
    rows = notes.all_of(_ReleaseRow, channel.releases, "releases")
    releases = tuple(_release(channel, row, seen_at, notes, place) for place, row in rows)
    return Parsed(releases, notes.problems, len(channel.releases))


def _release(channel: _ChannelDocument, row: _ReleaseRow, seen_at: datetime, notes: Notes, place: str) -> Release:
    unread = {_FIELDS[name] for name in channel.unread | row.unread if name in _FIELDS}
    if "security" not in row.model_fields_set:
        unread.add("security")
    before = notes.count
    cve_entries = notes.each(_ListedCve, row.cve_list, f"{place}.cve-list")
    cves = tuple(sorted({entry.cve_id for _, entry in cve_entries}))
    if notes.count > before:
        unread.add("cves")
    before = notes.count
    sdk = _version(row.sdk, notes, f"{place}.sdk")
    sdks = [entry.version for _, entry in notes.each(_Component, row.sdks, f"{place}.sdks")]
    if notes.count > before:
        unread.add("sdks")
    return Release(
        channel=channel.channel_version,
        version=row.release_version,
        published_at=seen_at,
        runtime=_version(row.runtime, notes, f"{place}.runtime"),
        aspnetcore=_version(row.aspnetcore_runtime, notes, f"{place}.aspnetcore-runtime"),
        sdks=tuple(dict.fromkeys([sdk, *sdks] if sdk else sdks)),
        security=row.security or bool(cves),
        cves=cves,
        cves_listed_at=seen_at if cves else None,
        released_on=row.release_date,
        support_phase=channel.support_phase,
        end_of_life=channel.eol_date,
        unread=tuple(sorted(unread)),
    )


def _version(component: object, notes: Notes, place: str) -> str | None:
    """The version of a component; null and `{}` stand for none (a release of SDKs alone has no runtime)."""
    if not component:
        return None
    entry = notes.shaped(_Component, component, place)
    return entry.version if entry else None


def merge(known_releases: Mapping[str, Release], parsed: Iterable[Release]) -> Merged:
    """What is known once `parsed`, a reading of one or more channels, is added to it.

    First-seen times stay: the feed rewrites `release-date` when a later SDK joins a release, and lists CVEs up
    to days after it. The rest follows the newest reading, but for what that could not read. The first reading of a
    channel publishes nothing new: its history is only new to us.
    """
    releases = dict(known_releases)
    channels = {release.channel for release in known_releases.values()}
    changed: dict[str, Release] = {}
    published: list[Release] = []
    for release in parsed:
        before = releases.get(release.version)
        after = _keeping_first_seen(before, release) if before else release
        releases[after.version] = after
        if after != before:
            changed[after.version] = after
        if before is None and after.channel in channels:
            published.append(after)
    return Merged(releases, tuple(changed.values()), tuple(published))


def _keeping_first_seen(before: Release, release: Release) -> Release:
    listings = [moment for moment in (before.cves_listed_at, release.cves_listed_at) if moment is not None]
    merged_release = replace(
        release,
        published_at=min(before.published_at, release.published_at),
        cves_listed_at=min(listings, default=None),
    )
    return _keeping_unread(before, merged_release)


def _keeping_unread(before: Release, release: Release) -> Release:
    """What cannot be read of a release now stays as it was read before; of its lists, what can be read is added.

    A security release that lists no CVE at all any more is taken for one of which they cannot be read.
    """
    old_values: dict[str, Any] = {
        name: getattr(before, name) for name in release.unread if name not in before.unread
    }
    if "sdks" in old_values:
        old_values["sdks"] = tuple(dict.fromkeys((*release.sdks, *before.sdks)))
    if "cves" in old_values or (release.security and not release.cves):
        old_values["cves"] = tuple(sorted({*release.cves, *before.cves}))
    old_values["security"] = old_values.get("security", release.security) or bool(
        old_values.get("cves", release.cves)
    )
    return replace(release, **old_values, unread=tuple(name for name in release.unread if name not in old_values))
