"""The published inventory of .NET's images (`image-info.dotnet-dotnet-docker-main.json` in dotnet/versions).

The only place where the withdrawal of a tag shows: the registry goes on serving it. A shared tag names an
index of several platforms, a simple tag one platform.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from bot.upstream.feeds.reading import (
    FeedShape,
    Notes,
    OneLine,
    Parsed,
    UtcMoment,
    json_object,
    links,
    malformed_feed,
    one_line,
)

TagKey = tuple[str, str]
"""Repository (`dotnet/aspnet`) and tag (`8.0-alpine`)."""

_ARCHITECTURES = {"arm32": "arm/v7"}
_LEAD_TO_TAGS = {
    "images": "images",
    "manifest": "manifest",
    "platforms": "platforms",
    "shared_tags": "sharedTags",
    "simple_tags": "simpleTags",
}
_DIGEST = re.compile(r"(?:[a-z0-9][a-z0-9./_:-]{0,250}@)?(sha256:[0-9a-f]{64})")
_Repository = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[._/-][a-z0-9]+)*$", max_length=255)]
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True)
class PlatformEntry:
    """One platform image.

    `platform` is written as in an image index (`linux/arm/v7`); `layers` are whole digests, bottom first.
    """

    platform: str
    os_version: str
    digest: str | None
    created_at: datetime | None
    dockerfile: str
    commit_url: str | None
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A maintained tag. `index_digest` is None for the tag of a single platform."""

    repository: str
    tag: str
    index_digest: str | None
    product_version: str | None
    platforms: tuple[PlatformEntry, ...]

    @property
    def is_shared(self) -> bool:
        return self.index_digest is not None


@dataclass(frozen=True, slots=True)
class TagInventory:
    """All maintained tags. `incomplete` names repositories of which some entries could not be read: the
    absence of a tag there says nothing. `schema` is the version of its form, `members` those of the names that lead
    to tags that it uses."""

    tags: Mapping[TagKey, TagEntry]
    incomplete: frozenset[str] = frozenset()
    schema: str = ""
    members: frozenset[str] = frozenset()

    @property
    def repositories(self) -> frozenset[str]:
        return frozenset(repository for repository, _ in self.tags)


@dataclass(frozen=True, slots=True)
class InventoryStep:
    """The tags that one inventory lists and the next does not, and the other way round."""

    withdrawn: frozenset[TagKey] = frozenset()
    returned: frozenset[TagKey] = frozenset()


class _Repo(FeedShape):
    repo: _Repository
    images: Any = None


class _Image(FeedShape):
    product_version: Annotated[OneLine | None, Field(alias="productVersion")] = None
    manifest: Any = None
    platforms: Any = None


class _Manifest(FeedShape):
    digest: Annotated[str, Field(pattern=f"^{_DIGEST.pattern}$")]
    shared_tags: Annotated[Any, Field(alias="sharedTags")] = None


class _Layer(FeedShape):
    """Since schema 2.0 with its size; before, the bare digest stood in its place."""

    digest: Annotated[str, Field(pattern=f"^{_DIGEST.pattern}$")]

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: object) -> object:
        return {"digest": value} if isinstance(value, str) else value


class _Platform(FeedShape):
    dockerfile: OneLine = ""
    simple_tags: Annotated[Any, Field(alias="simpleTags")] = None
    digest: str | None = None
    os_type: Annotated[OneLine, Field(alias="osType")]
    os_version: Annotated[OneLine, Field(alias="osVersion")] = ""
    architecture: OneLine
    created: UtcMoment | None = None
    commit_url: Annotated[str | None, Field(alias="commitUrl")] = None
    layers: Any = None


def read(data: bytes, document: str = "image-info.json") -> tuple[TagInventory, Parsed[TagEntry]]:
    """The inventory, and the same as entries with their problems; `entries` counts repositories.

    Raises `Failure` where the document is no inventory, or lists no tag at all.
    """
    notes = Notes(document)
    value = json_object(data, document)
    repos: Any = value.get("repos")
    members: set[str] = set()
    tags: dict[TagKey, TagEntry] = {}
    incomplete: set[str] = set()
    for place, repo in notes.all_of(_Repo, repos, "repos"):
        before = notes.count
        for entry in _entries(repo, notes, f"{place}.images", members):
            tags[entry.repository, entry.tag] = entry
        if notes.count > before:
            incomplete.add(repo.repo)
    if not tags:
        raise malformed_feed(document, "lists no image tag")
    schema = one_line(str(value.get("schemaVersion", "")))
    inventory = TagInventory(tags, frozenset(incomplete), schema, frozenset(members))
    return inventory, Parsed(tuple(tags.values()), notes.problems, len(repos))


def compared(before: TagInventory, after: TagInventory) -> InventoryStep:
    """The tags that one inventory lists and the other does not.

    Nothing is concluded for repositories that could not be read whole.
    """
    unsure = before.incomplete | after.incomplete
    gone = frozenset(key for key in before.tags.keys() - after.tags.keys() if key[0] not in unsure)
    come = frozenset(key for key in after.tags.keys() - before.tags.keys() if key[0] not in unsure)
    return InventoryStep(gone, come)


def _entries(repo: _Repo, notes: Notes, list_place: str, members: set[str]) -> Iterator[TagEntry]:
    """Adds to `members` the names by which tags are found."""
    members |= _collect_members(repo)
    for place, image in notes.each(_Image, repo.images, list_place):
        members |= _collect_members(image)
        platforms = []
        for spot, platform in notes.each(_Platform, image.platforms, f"{place}.platforms"):
            members |= _collect_members(platform)
            entry = _platform(platform, notes, spot)
            platforms.append(entry)
            for tag in _tags(platform.simple_tags, notes, f"{spot}.simpleTags"):
                yield TagEntry(repo.repo, tag, None, image.product_version, (entry,))
        if image.manifest is None:
            continue
        manifest = notes.shaped(_Manifest, image.manifest, f"{place}.manifest")
        if manifest is None:
            continue
        members |= _collect_members(manifest)
        for tag in _tags(manifest.shared_tags, notes, f"{place}.manifest.sharedTags"):
            yield TagEntry(repo.repo, tag, _digest(manifest.digest), image.product_version, tuple(platforms))


def _collect_members(shape: FeedShape) -> frozenset[str]:
    """The members of one entry that lead to tags, as they are written."""
    return frozenset(_LEAD_TO_TAGS[name] for name in shape.model_fields_set if name in _LEAD_TO_TAGS)


def _platform(platform: _Platform, notes: Notes, place: str) -> PlatformEntry:
    architecture = platform.architecture.lower()
    top_first = [layer.digest for _, layer in notes.each(_Layer, platform.layers, f"{place}.layers")]
    return PlatformEntry(
        platform=f"{platform.os_type.lower()}/{_ARCHITECTURES.get(architecture, architecture)}",
        os_version=platform.os_version,
        digest=_digest(platform.digest),
        created_at=platform.created,
        dockerfile=platform.dockerfile,
        commit_url=next(iter(links(platform.commit_url)), None),
        layers=tuple(reversed(top_first)),
    )


def _tags(values: object, notes: Notes, place: str) -> Iterator[str]:
    if values is None:
        return
    if not isinstance(values, list):
        notes.add(place, "should be a list; it is skipped")
        return
    for value in values:
        if isinstance(value, str) and _TAG.fullmatch(value):
            yield value
        else:
            notes.add(place, f"{value!r:.80} is no tag; it is skipped")


def _digest(text: str | None) -> str | None:
    """The digest alone, of `sha256:…` or `host/repository@sha256:…`."""
    match = _DIGEST.fullmatch(text) if text else None
    return match[1] if match else None
