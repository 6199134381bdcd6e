"""OCI and Docker image documents as frozen values, read from untrusted bytes.

The shapes are those of the OCI image specification 1.1 (image-index, manifest, config) and of Docker's schema 2,
which differ in media types alone. Every reader raises `Failure` (malformed) with one line that names the `place`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.bases.observation import NotJudged
from bot.domain.failure import Failure, Trouble
from bot.domain.platform import InvalidPlatform, Platform
from bot.domain.strict_json import read_strict_json

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
CONFIGS = frozenset({"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"})
"""The types of configurations that images have; any other is that of an artifact."""

MOST_ENTRIES = 500
MOST_LAYERS = 500
LONGEST_TEXT = 256
UNKNOWN = "unknown/unknown"
"""The platform that BuildKit gives to attestation manifests."""

_ARM = "arm"
_LONGEST_NAME = 80
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """What a tag points to."""

    digest: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A descriptor: what an index or a manifest points to. `platform` is written as `Platform` writes it.

    `is_artifact` where it is marked as no image to run: BuildKit's attestations, and what has an `artifactType`.
    `system_version` is `os.version`, which tells builds of Windows apart.
    """

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    is_artifact: bool = False
    system_version: str = ""

    @property
    def name(self) -> str:
        """How an entry of an index is shown: its platform, else the first digits of its digest."""
        if self.platform is None:
            return f"{self.digest[:19]}…"
        return f"{self.platform} {self.system_version}".rstrip()


@dataclass(frozen=True, slots=True)
class Index:
    """A list of images, one for each platform. `unread` are the entries that have no shape that is known here."""

    entries: tuple[Descriptor, ...]
    unread: tuple[NotJudged, ...] = ()

    def images(self) -> tuple[Descriptor, ...]:
        """The images that have a platform, the first of each as runtimes choose it, without nested indexes.

        Linux images alone, where there are any: a shared index lists several Windows builds under one platform
        name, and a refreshed Windows image is no news to who builds for Linux.
        """
        every = self.images_of_any_system()
        linux = tuple(entry for entry in every if str(entry.platform).startswith("linux/"))
        return linux or every

    def every_image(self) -> tuple[Descriptor, ...]:
        """All that may be an image: several of one platform, those without a platform and indexes within too."""
        return tuple({entry.digest: entry for entry in self.entries if not entry.is_artifact}.values())

    def images_of_any_system(self) -> tuple[Descriptor, ...]:
        """The images that have a platform, those of Windows beside Linux too, the first of each."""
        first: dict[str, Descriptor] = {}
        for entry in self.entries:
            if entry.platform is None or entry.is_artifact or entry.media_type in INDEXES:
                continue
            first.setdefault(entry.platform, entry)
        return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """One image. `layers` are the full digests, bottom first."""

    config: Descriptor
    layers: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """What an image says of itself. `history` holds each step's `created_by`, oldest first, and `steps` a short
    digest of each with its time; `diff_ids` are the digests of its layers unpacked, bottom first, empty where they
    are not told for all.

    `platform` is None for what is no image (a chart, a signature); `created` is RFC 3339. `is_some_arm` is True
    where it tells no variant of arm: builders that set none write the same of each.
    """

    platform: str | None
    created: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    history: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    diff_ids: tuple[str, ...] = ()
    is_some_arm: bool = False


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def fallback_tag(digest: str) -> str:
    """The tag made of a digest under which a registry without the referrers API keeps what refers to it.

    Longer digests are cut off, as a tag has 128 characters at most.
    Source: OCI distribution specification 1.1, "Referrers Tag Schema".
    """
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def digest_of(body: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def check_digest(body: bytes, digest: str, place: str) -> None:
    """Raises `Failure` unless `body` is what `digest` (sha256 or sha512) names."""
    if not is_digest(digest):
        raise _malformed(f"names {digest[:80]!r}, which is no sha256 or sha512 digest", place)
    actual = digest_of(body, digest.partition(":")[0])
    if actual != digest:
        raise _malformed(f"sent content with digest {actual[:19]}… instead of {digest[:19]}…", place)


def read_document(body: bytes, place: str) -> Index | Manifest:
    """An index or a manifest, told apart by `mediaType` and, as OCI leaves that optional, by its members."""
    document = _object(body, place)
    media_type = None if document.get("mediaType") is None else str(document["mediaType"])
    if document.get("schemaVersion") != 2:
        raise _malformed("sent a manifest that is not of schema version 2", place)
    if media_type in INDEXES or (media_type is None and "manifests" in document):
        return _index(document, digest_of(body), place)
    if media_type in MANIFESTS or (media_type is None and "layers" in document):
        return _manifest(document, place)
    raise _malformed(f"sent a manifest of the unknown type {str(media_type)[:80]!r}", place)


def read_config(body: bytes, place: str) -> Config:
    """Reads an image's configuration; what is not needed may have any shape. Raises `Failure`."""
    document = _object(body, place)
    inner = document.get("config") or {}
    history = document.get("history") or []
    if not isinstance(inner, dict) or not isinstance(history, list):
        raise _malformed("sent an image config of the wrong shape", place)
    steps = [step for step in history[:MOST_LAYERS] if isinstance(step, dict)]
    created = document.get("created")
    return Config(
        platform=_platform(document, place),
        created=created if isinstance(created, str) and _TIME.fullmatch(created) else None,
        env=_environment(inner.get("Env")),
        labels=_texts(inner.get("Labels")),
        history=tuple(str(step.get("created_by", ""))[: 4 * LONGEST_TEXT] for step in steps),
        steps=tuple(map(_step_digest, steps)),
        diff_ids=_diff_ids(document.get("rootfs")),
        is_some_arm=document.get("architecture") == _ARM and not document.get("variant"),
    )


def _step_digest(step: Mapping[str, Any]) -> str:
    values = [step.get(name) for name in ("created", "created_by", "empty_layer")]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]


def _diff_ids(rootfs: object) -> tuple[str, ...]:
    entries = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(entries, list) or len(entries) > MOST_LAYERS:
        return ()
    digests = tuple(each for each in entries if isinstance(each, str) and is_digest(each))
    return digests if len(digests) == len(entries) else ()


def _index(document: Mapping[str, Any], own: str, place: str) -> Index:
    manifests = document.get("manifests")
    if not isinstance(manifests, list):
        raise _malformed("sent an index without a list of manifests", place)
    if len(manifests) > MOST_ENTRIES:
        raise _malformed(f"lists {len(manifests)} manifests in one index; {MOST_ENTRIES} are accepted", place)
    entries: list[Descriptor] = []
    refused: list[tuple[object, Failure]] = []
    for each in manifests:
        try:
            entries.append(_entry(each, place))
        except Failure as failure:
            refused.append((each, failure))
    if refused and not entries:
        raise refused[0][1]
    if any(entry.digest == own for entry in entries):
        raise _malformed("lists an index within itself", place)
    return Index(tuple(entries), tuple(NotJudged(_name_of_unread(each), failure.what) for each, failure in refused))


def _name_of_unread(entry: object) -> str:
    """How an entry is called that cannot be read."""
    members = entry if isinstance(entry, dict) else {}
    platform = members.get("platform")
    words = [platform.get(word) for word in ("os", "architecture", "variant")] if isinstance(platform, dict) else []
    platform_name = "/".join(word for word in words if isinstance(word, str) and word)
    return (platform_name or str(members.get("digest") or "an entry"))[:_LONGEST_NAME]


def _manifest(document: Mapping[str, Any], place: str) -> Manifest:
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise _malformed("sent a manifest without a list of layers", place)
    if len(layers) > MOST_LAYERS:
        raise _malformed(f"lists {len(layers)} layers in one image; {MOST_LAYERS} are accepted", place)
    return Manifest(
        config=_entry(document.get("config"), place),
        layers=tuple(_entry(each, place).digest for each in layers),
        annotations=_texts(document.get("annotations")),
    )


def _entry(value: object, place: str) -> Descriptor:
    if not isinstance(value, dict):
        raise _malformed("sent a descriptor of the wrong shape", place)
    digest, size, platform = value.get("digest"), value.get("size"), value.get("platform")
    if not isinstance(digest, str) or not is_digest(digest):
        raise _malformed(f"names {str(digest)[:80]!r}, which is no sha256 or sha512 digest", place)
    words = platform if isinstance(platform, dict) else {}
    name, version = _platform(words, place), words.get("os.version")
    annotations = _texts(value.get("annotations"))
    is_attestation = name == UNKNOWN or annotations.get("vnd.docker.reference.type") == "attestation-manifest"
    return Descriptor(
        media_type=str(value.get("mediaType", ""))[:LONGEST_TEXT],
        digest=digest,
        size=size if isinstance(size, int) and size >= 0 else 0,
        platform=name,
        is_artifact=is_attestation or bool(value.get("artifactType")),
        system_version=version[:_LONGEST_NAME] if isinstance(version, str) else "",
    )


def _platform(value: Mapping[str, Any], place: str) -> str | None:
    system, architecture, variant = value.get("os"), value.get("architecture"), value.get("variant")
    if not system or not architecture:
        return None
    try:
        return str(Platform.of(*(_text(word) for word in (system, architecture, variant or ""))))
    except InvalidPlatform as error:
        raise _malformed("names a platform that is none", place) from error


def _text(word: object) -> str:
    if not isinstance(word, str):
        raise InvalidPlatform("no text")
    return word


def _environment(value: object) -> dict[str, str]:
    lines = value[:MOST_ENTRIES] if isinstance(value, list) else []
    pairs = (line.partition("=") for line in lines if isinstance(line, str))
    return {name[:LONGEST_TEXT]: text[:LONGEST_TEXT] for name, _, text in pairs}


def _texts(value: object) -> dict[str, str]:
    pairs = list(value.items())[:MOST_ENTRIES] if isinstance(value, dict) else []
    return {str(name)[:LONGEST_TEXT]: text[:LONGEST_TEXT] for name, text in pairs if isinstance(text, str)}


def _object(body: bytes, place: str) -> Mapping[str, Any]:
    try:
        document = read_strict_json(body)
    except (ValueError, RecursionError) as error:
        raise _malformed("sent something that is not JSON", place) from error
    if not isinstance(document, dict):
        raise _malformed("sent JSON that is not an object", place)
    return document


def _malformed(fault: str, place: str) -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=place, advice="nothing of it is used")
