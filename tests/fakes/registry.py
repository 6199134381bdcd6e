"""Registries in memory: tags, documents, and what goes wrong with them."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from bot.domain.bases.image import OCI_INDEX, OCI_MANIFEST, Head, digest_of
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from tests.fakes.failures import alike

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


class FakeRegistry:
    """`asked` counts what each was asked for; `troubles` are raised for a host, a base or a digest."""

    def __init__(self) -> None:
        self.shown: dict[Base, str] = {}
        self.documents: dict[str, bytes] = {}
        self.troubles: dict[str, Failure] = {}
        self.asked: Counter[str] = Counter()

    def push(
        self, *bases: Base, content: str, version: str = "10.0.0", platforms: Sequence[str] = ("linux/amd64",)
    ) -> str:
        """Makes the tags point to an index whose digests all follow from `content`."""
        entries = []
        for platform in platforms:
            system, architecture = platform.split("/")
            env = {"Env": [f"DOTNET_VERSION={version}"]}
            config = self.keep(
                {
                    "os": system,
                    "architecture": architecture,
                    "created": f"2025-11-11T18:00:00Z{content}",
                    "config": env,
                }
            )
            layer = {"mediaType": "l", "digest": digest_of(content.encode()), "size": 1}
            manifest = self.keep(
                {
                    "schemaVersion": 2,
                    "mediaType": OCI_MANIFEST,
                    "config": _entry(config, OCI_CONFIG),
                    "layers": [layer],
                }
            )
            entries.append({**_entry(manifest), "platform": {"os": system, "architecture": architecture}})
        digest = self.keep({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})
        self.shown.update(dict.fromkeys(bases, digest))
        return digest

    async def head(self, base: Base) -> Head:
        self._ask("head", str(base), base.registry)
        if base not in self.shown:
            raise failure(Trouble.MISSING, str(base))
        return Head(self.shown[base], OCI_INDEX)

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        self._ask("tags", f"{registry}/{repository}", registry)
        return [base.tag for base in self.shown if (base.registry, base.repository) == (registry, repository)]

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        self._ask("manifest", digest, registry)
        return self._document(digest)

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        self._ask("config", digest, registry)
        return self._document(digest)

    def _document(self, digest: str) -> bytes:
        if digest not in self.documents:
            raise Failure(Trouble.MISSING, "is not there", where=digest)
        return self.documents[digest]

    def _ask(self, what: str, *names: str) -> None:
        self.asked[what] += 1
        for name in names:
            if name in self.troubles:
                raise alike(self.troubles[name])

    def keep(self, document: object) -> str:
        body = json.dumps(document).encode()
        self.documents[digest_of(body)] = body
        return digest_of(body)


def failure(trouble: Trouble, where: str = "", retry_after: timedelta | None = None) -> Failure:
    return Failure(trouble, "has a trouble", where=where, advice="do something", retry_after=retry_after)


def _entry(digest: str, media_type: str = OCI_MANIFEST) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest, "size": 1}
