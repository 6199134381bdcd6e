"""An image's packages, from its layers alone: no engine, no root, nothing unpacked."""

import asyncio
from collections.abc import AsyncGenerator, MutableMapping, Sequence
from contextlib import aclosing
from typing import Protocol

from bot.domain.bases.image import (
    INDEXES,
    Config,
    Descriptor,
    Index,
    Manifest,
    check_digest,
    read_config,
    read_document,
)
from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Inventory
from bot.images.packages.databases.places import packages_in
from bot.images.packages.layers.layer import LayerContents, LayerReader
from bot.images.packages.layers.overlay import overlay
from bot.images.packages.reading import malformed

_DEEPEST = 3
_PREFERRED = "linux/amd64"
_MOST_NAMED = 5
_LARGEST_CONFIG = 4 * 1024 * 1024


class Blobs(Protocol):
    """Where an image's content is: a registry's repository, or a folder with an OCI layout."""

    async def document(self, digest: str) -> bytes:
        """An index or a manifest, checked against its digest. Raises `Failure`."""
        ...

    def blob(self, digest: str) -> AsyncGenerator[bytes, None]:
        """A layer in chunks, as it comes; whoever reads it checks its digest. Raises `Failure`."""
        ...


async def read_image(
    start: Index | Manifest,
    blobs: Blobs,
    *,
    platform: str | None = None,
    kept: MutableMapping[str, LayerContents] | None = None,
) -> Inventory:
    """The packages of the image of `platform`, or of Linux on amd64 where an index leaves a choice.

    `platform` is written as indexes are read, as `Platform` writes it.
    A damaged, hostile or missing layer is a problem of the inventory and hinders no other. `kept` holds layers by
    digest that were read before, and takes those read now. Raises `Failure` for what cannot be reached and where no
    image fits.
    """
    manifest, _, is_told = await _followed(start, "", blobs, platform)
    if platform is not None and not is_told:
        await _check_platform(manifest, blobs, platform)
    known_layers: MutableMapping[str, LayerContents] = {} if kept is None else kept
    contents: list[LayerContents] = []
    problems: list[str] = []
    for digest in reversed(manifest.layers):
        if digest not in known_layers:
            try:
                known_layers[digest] = await _read_layer(digest, blobs)
            except Failure as failure:
                if failure.trouble not in (Trouble.MALFORMED, Trouble.MISSING):
                    raise
                problems.append(str(failure))
                continue
        contents.append(known_layers[digest])
    files, noted = await asyncio.to_thread(overlay, contents)
    return await asyncio.to_thread(packages_in, files, (*problems, *noted))


async def choose_digest(start: Index | Manifest, digest: str, blobs: Blobs, platform: str | None) -> str:
    """Follows indexes, also nested ones, to the one manifest that is meant, and gives its digest.

    `digest` is that of `start`. Raises `Failure`.
    """
    _, chosen, _ = await _followed(start, digest, blobs, platform)
    return chosen


async def _followed(
    start: Index | Manifest, digest: str, blobs: Blobs, platform: str | None
) -> tuple[Manifest, str, bool]:
    """The manifest, its digest, and whether an index on the way to it has told its platform."""
    document, is_told = start, False
    for _ in range(_DEEPEST):
        if isinstance(document, Manifest):
            return document, digest, is_told
        chosen = _chosen(document, platform)
        digest, is_told = chosen.digest, is_told or chosen.platform is not None
        document = read_document(await blobs.document(digest), digest[:19])
    if isinstance(document, Manifest):
        return document, digest, is_told
    raise malformed("nests its indexes too deeply", "index")


def check_one_is_meant(index: Index, platform: str | None) -> None:
    """Refuses a layout with other images beside the one that would be chosen. Raises `Failure`.

    An index in a registry has one image for each platform, of which runtimes take the first; a layout's own index
    lists whatever somebody put there.
    """
    chosen = _chosen(index, platform)
    same = [
        entry.digest
        for entry in index.entries
        if not entry.is_artifact
        and (entry.platform == chosen.platform if entry.platform else entry.media_type in INDEXES)
    ]
    distinct = list(dict.fromkeys(same))
    if len(distinct) > 1:
        short_digests = ", ".join(f"{digest[:19]}…" for digest in distinct[:_MOST_NAMED])
        raise Failure(
            Trouble.MISSING,
            f"does not say which image is meant: {len(distinct)} fit ({short_digests})",
            where="index",
            advice="put the one that is meant into a layout of its own (skopeo copy oci:FOLDER:NAME oci:OTHER)",
        )


def _chosen(index: Index, platform: str | None) -> Descriptor:
    images = index.images() if platform is None else index.images_of_any_system()
    fitting = [entry for entry in images if entry.platform == platform] if platform else list(images)
    if not fitting:
        return _elsewhere(index, images, platform or _PREFERRED, platform)
    preferred = [entry for entry in fitting if entry.platform == _PREFERRED]
    return _only(preferred or fitting, platform, candidates=images)


def _elsewhere(
    index: Index, images: Sequence[Descriptor], chosen_platform: str, platform: str | None
) -> Descriptor:
    """Where no image is told to be for a platform: an index within that is, else what tells of none. Beside images
    that have one, a manifest without is none of them, but a signature, say."""
    plain = [entry for entry in index.entries if not entry.is_artifact]
    within = [entry for entry in plain if entry.media_type in INDEXES]
    fitting = [entry for entry in within if entry.platform == chosen_platform]
    untold = [entry for entry in (within if images else plain) if entry.platform is None]
    candidates = [*images, *(entry for entry in within if entry.platform is not None)]
    return _only(fitting or untold or ([] if images else within), platform, candidates)


def _only(entries: Sequence[Descriptor], platform: str | None, candidates: Sequence[Descriptor] = ()) -> Descriptor:
    """Returns the one image that is left. Raises `Failure` where none is, or several are."""
    if not entries and not candidates:
        raise Failure(Trouble.MISSING, "lists no image", where="index", advice="copy one into it")
    distinct = {entry.digest: entry for entry in entries}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    offered = (
        ", ".join(sorted({entry.platform or "no platform" for entry in candidates})) or f"{len(distinct)} images"
    )
    fault = f"has no image for {platform}" if platform and not distinct else "does not say which image is meant"
    is_told_apart = bool(candidates) and (platform is None or not distinct)
    advice = "put the image that is meant into a layout of its own"
    if is_told_apart:
        advice = f"name one with --platform, or {advice}"
    raise Failure(Trouble.MISSING, f"{fault}: it has {offered}", where="index", advice=advice)


async def _check_platform(manifest: Manifest, blobs: Blobs, platform: str) -> None:
    """Refuses an image that its configuration says is for another platform, where no index says so.

    Raises `Failure`.
    """
    try:
        config = await _config_of(manifest.config.digest, blobs)
    except Failure as failure:
        if failure.trouble not in (Trouble.MALFORMED, Trouble.MISSING):
            raise
        fault = f"{failure.what}, and no index says for which platform the image is that it configures"
        advice = "leave --platform out to read it whatever it is for"
        raise Failure(failure.trouble, fault, where=failure.where, advice=advice) from failure
    own_platform = config.platform
    if own_platform is None or own_platform == platform:
        return
    if not config.is_some_arm or own_platform.split("/")[:2] != platform.split("/")[:2]:
        advice = "leave --platform out to read that one"
        raise Failure(
            Trouble.MISSING, f"has no image for {platform}: it is for {own_platform}", where="image", advice=advice
        )


async def _config_of(digest: str, blobs: Blobs) -> Config:
    """Reads an image's configuration. Raises `Failure`."""
    body = b""
    async with aclosing(blobs.blob(digest)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > _LARGEST_CONFIG:
                raise malformed(f"is larger than {_LARGEST_CONFIG} bytes", f"configuration {digest[:19]}…")
    check_digest(body, digest, "registry or layout")
    return read_config(body, digest[:19])


async def _read_layer(digest: str, blobs: Blobs) -> LayerContents:
    reader = LayerReader(digest)
    async with aclosing(blobs.blob(digest)) as chunks:
        async for chunk in chunks:
            await asyncio.to_thread(reader.feed, chunk)
    return reader.finish()
