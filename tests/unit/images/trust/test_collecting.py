"""Signatures of a digest as they are collected: what is gone or broken hides none of the others."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import COSIGN, NOTATION
from bot.images.trust.collecting import MOST, AttachedDocument, referrers_of, signatures_of

IMAGE = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass
class Kept:
    """A registry in memory; `broken` raise instead of being read."""

    listed: list[str] = field(default_factory=list)
    content: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, bytes] = field(default_factory=dict)
    broken: dict[str, Trouble] = field(default_factory=dict)

    def put(self, content: bytes) -> str:
        self.content[digest_of(content)] = content
        return digest_of(content)

    def attach(self, kind: str, blob: bytes, subject: str = IMAGE) -> str:
        layers = [{"mediaType": "application/cose", "digest": self.put(blob)}]
        document: dict[str, Any] = {"artifactType": kind, "layers": layers, "subject": {"digest": subject}}
        digest = self.put(json.dumps(document).encode())
        self.listed.append(digest)
        return digest

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        return self.listed

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        if digest in self.broken:
            raise Failure(self.broken[digest], "is broken")
        return self.content[digest]

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        assert len(tag) <= 128, "no registry has such a tag"
        return self.tags.get(tag)

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        return await self.manifest(registry, repository, digest)


async def found(kept: Kept) -> tuple[AttachedDocument, ...]:
    return await signatures_of(kept, "registry.example", "shop", IMAGE)


async def test_a_listed_artifact_that_is_gone_is_left_out() -> None:
    kept = Kept()
    kept.broken[kept.attach(NOTATION, b"one")] = Trouble.MISSING
    kept.attach(NOTATION, b"two")
    assert [each.encoded for each in await found(kept)] == [b"two"]


async def test_more_artifacts_than_are_looked_at_are_told_and_not_taken_for_all() -> None:
    kept = Kept()
    for number in range(MOST + 1):
        kept.attach("application/report", f"{number}".encode())
    [told] = await found(kept)
    assert told.unreadable == f"{MOST + 1} artifacts refer to it, of which {MOST} were looked at"


async def test_a_broken_artifact_is_told_beside_the_others() -> None:
    kept = Kept()
    kept.broken[kept.attach(NOTATION, b"one")] = Trouble.MALFORMED
    kept.attach(NOTATION, b"two")
    broken, whole = await found(kept)
    assert (broken.unreadable, whole.encoded) == ("a referrer cannot be read: is broken", b"two")


@pytest.mark.parametrize("trouble", [Trouble.MISSING, Trouble.MALFORMED])
async def test_a_signature_whose_bytes_are_gone_or_others_is_told_beside_the_others(trouble: Trouble) -> None:
    kept = Kept(broken={digest_of(b"one"): trouble})
    kept.attach(NOTATION, b"one")
    kept.attach(NOTATION, b"two")
    broken, whole = await found(kept)
    assert (broken.kind, broken.unreadable, whole.encoded) == ("notation", "is broken", b"two")


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.THROTTLED, Trouble.DENIED])
async def test_what_a_registry_does_not_say_is_not_taken_for_no_signature(trouble: Trouble) -> None:
    kept = Kept()
    kept.broken[kept.attach(NOTATION, b"one")] = trouble
    with pytest.raises(Failure):
        await found(kept)


async def test_an_artifact_of_another_image_is_left_out_wherever_it_is_listed() -> None:
    kept = Kept()
    kept.attach(NOTATION, b"one", subject=OTHER)
    assert await found(kept) == ()


async def test_an_image_named_by_sha512_is_asked_for_no_tag_that_is_too_long() -> None:
    digest, kept = "sha512:" + "1" * 128, Kept()
    kept.attach(NOTATION, b"one", subject=digest)
    signatures = await signatures_of(kept, "registry.example", "shop", digest)
    assert [each.encoded for each in signatures] == [b"one"]


@pytest.mark.parametrize("is_artifact", [True, False])
async def test_each_layer_of_cosign_s_older_layout_is_a_signature_of_its_own(is_artifact: bool) -> None:
    kept = Kept()
    layers = [{"digest": kept.put(b"payload"), "annotations": {"signature": name}} for name in ("one", "two")]
    document = json.dumps({"artifactType": COSIGN, "layers": layers, "subject": {"digest": IMAGE}}).encode()
    if is_artifact:
        kept.listed.append(kept.put(document))
    else:
        kept.tags[f"sha256-{'1' * 64}.sig"] = document
    signatures = await found(kept)
    assert [each.payload for each in signatures] == [b"payload"] * 2
    assert [json.loads(each.encoded)["layers"] for each in signatures] == [[layer] for layer in layers]


async def test_what_refers_to_an_image_is_what_its_manifest_says_and_about_this_image_alone() -> None:
    kept = Kept()
    kept.attach("application/lifecycle", b"one")
    kept.attach("application/lifecycle", b"two", subject=OTHER)
    before_artifact_types: dict[str, Any] = {
        "subject": {"digest": IMAGE},
        "config": {"mediaType": "application/old"},
    }
    kept.listed.append(kept.put(json.dumps(before_artifact_types).encode()))
    kept.broken[kept.attach("application/lifecycle", b"three")] = Trouble.MALFORMED
    found = await referrers_of(kept, "registry.example", "shop", IMAGE)
    assert [each["artifactType"] for each in found] == ["application/lifecycle", "application/old"]


async def test_what_refers_to_an_image_is_not_told_where_the_registry_does_not_say() -> None:
    kept = Kept()
    kept.broken[kept.attach("application/lifecycle", b"one")] = Trouble.UNREACHABLE
    with pytest.raises(Failure):
        await referrers_of(kept, "registry.example", "shop", IMAGE)
