"""A verdict about a digest is kept as long as it holds, and for those alone who are trusted now."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure
from bot.domain.images.stated import NOTATION
from bot.domain.images.trust import Trust
from bot.domain.reference import Base
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.registries.trust import Trusting
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.settings import Settings
from tests.fakes.attachments import Attachments
from tests.unit.images.signatures.keys import KEY, public, sign
from tests.unit.images.signatures.making import NOW, Draft, Holder, chain_of_three, cose
from tests.unit.images.signatures.private_sigstore import (
    AT,
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    b64,
    simple_signing,
)

PLACE = Base("ghcr.io", "contoso/shop", "latest")
SIGNER = chain_of_three()
HOUR = timedelta(hours=1)


@dataclass
class Registry(Attachments):
    """An image of one platform, and what is kept beside it."""

    def push(self) -> str:
        return self.keep({"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []})

    def notation(self, digest: str, **more: Any) -> None:
        self.attach_signature(digest, cose(Draft(SIGNER, digest=digest, **more)))

    def attach_signature(self, digest: str, envelope: bytes) -> None:
        layer = {"mediaType": "application/cose", "digest": self.keep(envelope)}
        manifest = {"artifactType": NOTATION, "subject": {"digest": digest}, "layers": [layer]}
        self.referrers.setdefault(digest, []).append(self.keep(manifest))

    def cosign(self, digest: str, key: Any = KEY) -> None:
        payload = simple_signing(digest)
        layer = {
            "digest": self.keep(payload),
            "annotations": {"dev.cosignproject.cosign/signature": b64(sign(key, payload))},
        }
        self.tags[f"{digest.replace(':', '-')}.sig"] = json.dumps({"layers": [layer]}).encode()


@dataclass
class Looking:
    """One process that asks about an image again and again."""

    registry: Registry
    digest: str
    trusting: Trusting
    clock: ManualClock

    async def at(self, moment: datetime) -> Trust:
        self.clock.at = moment
        found = await self.trusting.trust(PLACE, self.digest)
        assert found is not None
        return found


def looking(folder: Path, rule: dict[str, Any]) -> Looking:
    settings = Settings.model_validate({"trust": {"rules": [{"match": ["ghcr.io/contoso/*"], **rule}]}})
    registry, clock = Registry(), ManualClock(NOW)
    trusting = Trusting(settings, registry, cast(WatchStore, None), clock)
    return Looking(registry, registry.push(), trusting, clock)


def trusting_the_root(folder: Path, signer: Holder = SIGNER) -> dict[str, Any]:
    store = folder / "x509" / "ca" / "contoso"
    store.mkdir(parents=True, exist_ok=True)
    (store / "root.pem").write_bytes(signer.chain[-1].public_bytes(Encoding.PEM))
    return {"notation": {"trust_dir": str(folder), "stores": ["ca:contoso"], "identities": ["*"]}}


async def test_a_signature_that_expires_holds_until_then_in_the_same_process(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest, expiry=NOW + HOUR)
    assert (await one.at(NOW)).until == NOW + HOUR
    assert (await one.at(NOW + HOUR - timedelta(seconds=1))).holds
    expired = await one.at(NOW + HOUR)
    assert (expired.holds, "the signature expired on" in expired.text) == (False, True)


async def test_one_without_a_timestamp_holds_until_its_certificate_ends(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest)
    end = min(each.not_valid_after_utc for each in SIGNER.chain)
    assert (await one.at(NOW)).holds
    assert (await one.at(end)).holds
    assert not (await one.at(end + timedelta(seconds=1))).holds


async def test_after_the_verdict_has_ended_a_new_signature_counts(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest, expiry=NOW + HOUR)
    assert (await one.at(NOW)).holds
    one.registry.notation(one.digest, expiry=NOW + 9 * HOUR)
    assert (await one.at(NOW + 2 * HOUR)).until == NOW + 9 * HOUR


async def test_a_clock_that_is_set_back_brings_no_verdict_of_later_back(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest, signed_at=NOW)
    assert (await one.at(NOW)).holds
    assert "is yet to come" in (await one.at(NOW - HOUR)).text


@pytest.mark.parametrize("is_listed", [True, False])
async def test_what_holds_costs_the_registry_no_second_look(tmp_path: Path, is_listed: bool) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest)
    for minutes in range(3):
        assert (await one.at(NOW + timedelta(minutes=minutes))).holds
    assert len(one.registry.asked) == 1


async def test_a_key_that_is_replaced_on_disk_is_believed_no_longer(tmp_path: Path) -> None:
    (tmp_path / "cosign.pub").write_bytes(public(KEY))
    one = looking(tmp_path, {"key": str(tmp_path / "cosign.pub")})
    one.registry.cosign(one.digest)
    assert (await one.at(NOW)).holds
    other = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "cosign.pub").write_bytes(public(other))
    assert not (await one.at(NOW)).holds
    one.registry.cosign(one.digest, other)
    assert (await one.at(NOW + timedelta(minutes=2))).holds


async def test_a_root_that_is_taken_out_of_its_store_is_believed_no_longer(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    one.registry.notation(one.digest)
    assert (await one.at(NOW)).holds
    trusting_the_root(tmp_path, chain_of_three())
    assert "no certificate of it is trusted" in (await one.at(NOW)).text


async def test_whom_nobody_can_read_any_more_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "cosign.pub").write_bytes(public(KEY))
    one = looking(tmp_path, {"key": str(tmp_path / "cosign.pub")})
    one.registry.cosign(one.digest)
    assert (await one.at(NOW)).holds
    (tmp_path / "cosign.pub").unlink()
    with pytest.raises(Failure, match="cannot be read"):
        await one.at(NOW)


def test_a_trusted_root_whose_authorities_end_is_another_to_trust(tmp_path: Path) -> None:
    sigstore, root = PrivateSigstore.open(), tmp_path / "root.json"
    keyless = {"trusted_root": str(root), "identities": [IDENTITY], "issuer": ISSUER}
    trust = Settings.model_validate({"trust": {"rules": [{"match": ["*"], "keyless": keyless}]}}).trust
    [rule] = trust.rules
    root.write_bytes(sigstore.trusted_root())
    before = trusted_by(trust, rule)
    assert trusted_by(trust, rule) is before
    root.write_bytes(sigstore.trusted_root(end=AT))
    assert trusted_by(trust, rule).name != before.name


def index_of(one: Looking, *platforms: str) -> dict[str, str]:
    """The digests of an index's images by platform; the index takes the place of the image."""
    digests = {
        platform: one.registry.keep({**MANIFEST, "annotations": {"for": platform}}) for platform in platforms
    }
    entries = [
        {"digest": digest, "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True))}
        for platform, digest in digests.items()
    ]
    one.digest = one.registry.keep({"schemaVersion": 2, "manifests": entries})
    return digests


MANIFEST = {"schemaVersion": 2, "config": {"digest": "sha256:" + "0" * 64}, "layers": []}


async def test_an_unsigned_windows_image_beside_a_signed_one_is_not_signed(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    images = index_of(one, "linux/amd64", "windows/amd64")
    for digest in (one.digest, images["linux/amd64"]):
        one.registry.notation(digest)
    assert not (await one.at(NOW)).holds
    of_base = await one.trusting.trust(PLACE, one.digest, of_base=True)
    assert of_base is not None
    assert of_base.holds


async def test_a_platform_that_the_operator_leaves_out_need_not_be_signed(tmp_path: Path) -> None:
    one = looking(tmp_path, trusting_the_root(tmp_path))
    images = index_of(one, "linux/amd64", "windows/amd64")
    one.trusting.settings.images.platforms.append("linux/amd64")
    for digest in (one.digest, images["linux/amd64"]):
        one.registry.notation(digest)
    assert (await one.at(NOW)).holds
