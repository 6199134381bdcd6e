"""A registry in memory, as far as what is kept beside images is concerned."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.domain.bases.image import fallback_tag
from bot.domain.failure import Failure, Trouble


@dataclass
class Attachments:
    """Content by digest, and what refers to which digest; `asked` counts the listings, of which some fail."""

    content: dict[str, bytes] = field(default_factory=dict)
    referrers: dict[str, list[str]] = field(default_factory=dict)
    tags: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    failures: dict[str, Failure] = field(default_factory=dict)

    def keep(self, content: bytes | Mapping[str, Any]) -> str:
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        self.content[digest] = text
        return digest

    def attach(self, about: str, kind: str, content: bytes) -> None:
        """Pushes an artifact of this kind that refers to a digest."""
        layer = {"mediaType": kind, "digest": self.keep(content), "size": len(content)}
        manifest = {"artifactType": kind, "subject": {"digest": about}, "layers": [layer]}
        self.referrers.setdefault(about, []).append(self.keep(manifest))

    def tag(self, about: str, suffix: str, *layers: tuple[str, bytes]) -> None:
        """What cosign keeps under a tag that is made of the digest."""
        listed = [{"mediaType": kind, "digest": self.keep(content)} for kind, content in layers]
        self.tags[f"{fallback_tag(about)}.{suffix}"] = json.dumps({"layers": listed}).encode()

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        self.asked.append(digest)
        if digest in self.failures:
            raise self.failures[digest]
        return self.referrers.get(digest, [])

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        return await self.config(registry, repository, digest)

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        assert len(tag) <= 128, "no registry has such a tag"
        return self.tags.get(tag)

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        if digest not in self.content:
            raise Failure(Trouble.MISSING, "is not there", where=digest)
        return self.content[digest]
