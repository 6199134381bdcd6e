"""The images of an index: each entry is an image that is read, or told as not judged, or marked as no image.

An entry that names its platform is believed; of one that names none the configuration tells. An index within an
index is read as deep as that, once.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.domain.bases.image import (
    CONFIGS,
    INDEXES,
    MANIFESTS,
    UNKNOWN,
    Config,
    Descriptor,
    Index,
    Manifest,
    read_config,
    read_document,
)
from bot.domain.bases.observation import NotJudged
from bot.domain.failure import Failure, Trouble
from bot.fleet.watch.registry.documents import Documents

MOST_PLATFORMS = 32
"""Images of one index that are read, and indexes within it."""
MOST_TOLD = 50
"""Entries of one index that are told as not judged, one by one."""
_LINUX = "linux/"


@dataclass(frozen=True, slots=True)
class ObservedPlatform:
    """One image of an index with what it says of itself."""

    name: str
    digest: str
    manifest: Manifest
    config: Config


@dataclass(frozen=True, slots=True)
class ReadIndex:
    """The images of an index in its order, several of one platform where it has several."""

    platforms: tuple[ObservedPlatform, ...]
    not_judged: tuple[NotJudged, ...]


async def read_index(documents: Documents, index: Index, source: str) -> ReadIndex:
    """Reads every image of an index.

    Raises `Failure` as the registry does, and MALFORMED where it lists no image, or more than are read. What a
    document of an entry without a platform, or of an index within, lacks is told of that entry alone.
    """
    entries = _Entries()
    entries.take(index)
    await _descend(documents, entries, source)
    candidates = _of_one_system(entries)
    if len(candidates) > MOST_PLATFORMS:
        problem = f"lists {len(candidates)} platforms; {MOST_PLATFORMS} are accepted"
        raise Failure(Trouble.MALFORMED, problem, where=source, advice="nothing of it is used")
    room = MOST_PLATFORMS - len(candidates)
    for entry in entries.without_platform[room:]:
        entries.leave(entry, f"is beyond the {MOST_PLATFORMS} images of an index that are read")
    platforms = list(await _read_with_platform(documents, candidates, source))
    for entry in entries.without_platform[:room]:
        platforms += await _read_without_platform(documents, entries, entry, source)
    if not platforms:
        raise _no_image(source)
    places = {digest: place for place, digest in enumerate(entries.by_digest)}
    images = sorted(_compared(platforms, entries), key=lambda each: places[each.digest])
    return ReadIndex(tuple(images), _bound(entries.not_judged))


@dataclass(slots=True)
class _Entries:
    """The entries of an index, sorted by what has to be read of each; `by_digest` has all by their digests, in
    their order."""

    with_platform: list[Descriptor] = field(default_factory=list)
    without_platform: list[Descriptor] = field(default_factory=list)
    nested: list[Descriptor] = field(default_factory=list)
    not_judged: list[NotJudged] = field(default_factory=list)
    by_digest: dict[str, Descriptor] = field(default_factory=dict)

    def take(self, index: Index) -> None:
        self.not_judged += index.unread
        for entry in index.entries:
            self.by_digest.setdefault(entry.digest, entry)
            if entry.is_artifact:
                if entry.platform not in (None, UNKNOWN):
                    self.leave(entry, "is marked as no image and yet names a platform")
            elif entry.media_type in INDEXES:
                self.nested.append(entry)
            elif entry.platform is not None:
                self.with_platform.append(entry)
            elif entry.media_type in ("", *MANIFESTS):
                self.without_platform.append(entry)
            else:
                self.leave(entry, f"is of the unknown type {entry.media_type[:80]!r}")

    def leave(self, entry: Descriptor, reason: str) -> None:
        self.not_judged.append(NotJudged(entry.name, reason))


async def _descend(documents: Documents, entries: _Entries, source: str) -> None:
    """Puts the entries of the indexes within beside the others."""
    outer, entries.nested = entries.nested, []
    for place, entry in enumerate(dict.fromkeys(outer)):
        if place >= MOST_PLATFORMS:
            entries.leave(entry, f"is beyond the {MOST_PLATFORMS} indexes within an index that are read")
            continue
        try:
            document = read_document((await documents.manifests([entry.digest]))[entry.digest], source)
        except Failure as failure:
            entries.leave(entry, _lack_in_words(failure))
            continue
        if isinstance(document, Index):
            entries.take(document)
        else:
            entries.take(Index((replace(entry, media_type=""),)))
    for entry in entries.nested:
        entries.leave(entry, "is an index within an index within an index")


def _of_one_system(entries: _Entries) -> list[Descriptor]:
    """The entries with a platform that are read: those of Linux, where there are any.

    A shared index lists several Windows builds under one platform, and a refreshed Windows image is no news to who
    builds for Linux.
    """
    candidates = list({(entry.platform, entry.digest): entry for entry in entries.with_platform}.values())
    linux = [entry for entry in candidates if str(entry.platform).startswith(_LINUX)]
    for entry in candidates:
        if linux and entry not in linux:
            entries.leave(entry, _BESIDE_LINUX)
    return linux or candidates


_BESIDE_LINUX = "stands beside images for Linux, which alone are compared"


async def _read_with_platform(
    documents: Documents, candidates: list[Descriptor], source: str
) -> Iterable[ObservedPlatform]:
    bodies = await documents.manifests([entry.digest for entry in candidates])
    manifests: list[Manifest] = []
    for entry in candidates:
        document = read_document(bodies[entry.digest], source)
        if not isinstance(document, Manifest):
            raise Failure(Trouble.MALFORMED, f"lists an index as its image for {entry.platform}", where=source)
        manifests.append(document)
    configs = await documents.configs([manifest.config.digest for manifest in manifests])
    return [
        ObservedPlatform(
            str(entry.platform), entry.digest, manifest, read_config(configs[manifest.config.digest], source)
        )
        for entry, manifest in zip(candidates, manifests, strict=True)
    ]


async def _read_without_platform(
    documents: Documents, entries: _Entries, entry: Descriptor, source: str
) -> tuple[ObservedPlatform, ...]:
    """The image of an entry without a platform; none of an artifact, which has a configuration of its own type."""
    try:
        document = read_document((await documents.manifests([entry.digest]))[entry.digest], source)
        if not isinstance(document, Manifest):
            entries.leave(entry, "is an index that is listed as an image")
            return ()
        if document.config.media_type not in ("", *CONFIGS):
            return ()
        config = read_config((await documents.configs([document.config.digest]))[document.config.digest], source)
    except Failure as failure:
        entries.leave(entry, _lack_in_words(failure))
        return ()
    if config.platform is None:
        entries.leave(entry, "names no platform, and neither does its configuration")
        return ()
    return (ObservedPlatform(config.platform, entry.digest, document, config),)


def _lack_in_words(failure: Failure) -> str:
    """Says what a document lacks; raises the failure where that may end by itself, or is for people to mend."""
    if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
        raise failure
    return failure.what


def _compared(platforms: list[ObservedPlatform], entries: _Entries) -> list[ObservedPlatform]:
    """Each image once, and those of Linux alone where configurations have told of some."""
    each_once = list({(each.name, each.digest): each for each in platforms}.values())
    linux = [each for each in each_once if each.name.startswith(_LINUX)]
    if not linux:
        return each_once
    for platform in each_once:
        if platform not in linux:
            entries.leave(replace(entries.by_digest[platform.digest], platform=platform.name), _BESIDE_LINUX)
    return linux


def _bound(not_judged: list[NotJudged]) -> tuple[NotJudged, ...]:
    each_once = tuple(dict.fromkeys(not_judged))
    rest = each_once[MOST_TOLD:]
    more = (NotJudged(f"{len(rest)} more", "are not told one by one"),) if rest else ()
    return (*each_once[:MOST_TOLD], *more)


def _no_image(source: str) -> Failure:
    return Failure(
        Trouble.MALFORMED,
        "lists no image with a platform",
        where=source,
        advice="watch a tag that stands for an image",
    )
