"""What a digest says of itself, by one of its images: the version that it declares, and when it was made."""

from collections.abc import Collection, Mapping, Sequence

from bot.domain.bases.image import Descriptor, Index, Manifest, read_config, read_document
from bot.domain.bases.observation import Observation
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.watch.registry.documents import Documents, DocumentsPort
from bot.fleet.watch.registry.index import ObservedPlatform
from bot.fleet.watch.registry.observe import observation

_USUAL = "linux/amd64"


async def read_one_image(registry: DocumentsPort, base: Base, digest: str, clock: Clock) -> Observation:
    """Reads the manifest and the configuration of one image: two requests, a third where the digest is an index.

    All images of an index declare the same version, so that one is enough. Raises `Failure` as the registry does,
    and MALFORMED where the documents do not fit together.
    """
    documents = Documents(registry, _NothingKept(), base)
    source = f"{base.name}@{digest[:19]}…"
    document = read_document((await documents.manifests([digest]))[digest], source)
    platform, own_digest = None, digest
    if isinstance(document, Index):
        entry = _usual(document.images() or document.every_image(), source)
        platform, own_digest = entry.platform, entry.digest
        document = read_document((await documents.manifests([own_digest]))[own_digest], source)
    if not isinstance(document, Manifest):
        raise Failure(Trouble.MALFORMED, "lists an index where an image is expected", where=source)
    config = read_config((await documents.configs([document.config.digest]))[document.config.digest], source)
    name = platform or config.platform
    if name is None:
        raise Failure(Trouble.MALFORMED, "names no platform", where=source)
    return observation(base, digest, [ObservedPlatform(name, own_digest, document, config)], clock.now())


def _usual(entries: Sequence[Descriptor], source: str) -> Descriptor:
    if not entries:
        raise Failure(Trouble.MALFORMED, "lists no image", where=source)
    return next((entry for entry in entries if entry.platform == _USUAL), entries[0])


class _NothingKept:
    """What is read is kept as the answer, and not as documents."""

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        return {}
