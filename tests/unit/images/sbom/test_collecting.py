"""Which SBOMs a registry shows for an image, and what each is worth."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.stated import COSIGN_SBOM, ENVELOPE
from bot.domain.packages.package import ImagePlace, Sbom, SbomOrigin
from bot.images.sbom.collecting import MOST as READ
from bot.images.sbom.collecting import judged_by, sboms_of
from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import MOST
from bot.images.trust.judging import Trusted
from tests.fakes.attachments import Attachments
from tests.unit.images.signatures.private_sigstore import AT, IDENTITY, ISSUER, PrivateSigstore, dsse_bundle

SIGSTORE = PrivateSigstore.open()
TRUSTED = Trusted(
    "ours", keyless=(read_trusted_root(SIGSTORE.trusted_root()), accepting([IDENTITY], [], issuer=ISSUER))
)
IMAGE, OTHER, LONG = "sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha512:" + "c" * 128
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [{"type": "library", "name": "libssl3", "purl": "pkg:deb/ubuntu/libssl3@3.0.13?arch=amd64"}],
}
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def digest_of(text: bytes) -> str:
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def statement(about: str, predicate: Any = None) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": about.removeprefix("sha256:")}}],
        "predicateType": "https://cyclonedx.org/bom",
        "predicate": predicate or CYCLONEDX,
    }


def signed(about: str, by: str = IDENTITY, predicate: Any = None) -> bytes:
    return json.dumps(dsse_bundle(SIGSTORE, SIGSTORE.certificate(by), statement(about, predicate))).encode()


class Port(Attachments):
    def index(self, *said: Mapping[str, Any]) -> ImagePlace:
        """An index as BuildKit pushes it, with what it says of the image beside it."""
        layers = [
            {
                "mediaType": "application/vnd.in-toto+json",
                "digest": self.keep(each),
                "size": 1,
                "annotations": {"in-toto.io/predicate-type": "https://cyclonedx.org/bom"},
            }
            for each in said
        ]
        attested = self.keep({"layers": layers})
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": IMAGE}
        return ImagePlace(
            "registry.example",
            "shop",
            IMAGE,
            self.keep({"manifests": [{"digest": IMAGE}, {"digest": attested, "annotations": about}]}),
        )


ALONE = ImagePlace("registry.example", "shop", IMAGE, IMAGE)


async def found(port: Port, place: ImagePlace = ALONE, trusted: Trusted | None = TRUSTED) -> list[Sbom]:
    return list(await sboms_of(port, place, judged_by(trusted, AT, Remembered())))


async def test_an_attestation_that_a_trusted_workflow_signed_is_proved() -> None:
    port = Port()
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    [sbom] = await found(port)
    assert (sbom.origin, sbom.strength) == (SbomOrigin.ATTESTATION, Strength.PROVED)
    assert IDENTITY in sbom.signer_text
    assert [each.name for each in sbom.inventory.packages] == ["libssl3"]


async def test_an_attestation_that_holds_its_document_as_text_is_read() -> None:
    port = Port()
    port.attach(IMAGE, BUNDLE, signed(IMAGE, predicate=json.dumps(CYCLONEDX)))
    [sbom] = await found(port)
    assert sbom.strength is Strength.PROVED
    assert [each.name for each in sbom.inventory.packages] == ["libssl3"]


async def test_signed_by_somebody_else_or_where_nobody_is_trusted_it_is_claimed() -> None:
    port = Port()
    port.attach(IMAGE, BUNDLE, signed(IMAGE, IDENTITY.replace("contoso", "mallory")))
    assert [each.strength for each in await found(port)] == [Strength.CLAIMED]
    assert [each.strength for each in await found(port, trusted=None)] == [Strength.CLAIMED]


async def test_an_attestation_about_another_image_says_nothing_of_this_one() -> None:
    port = Port()
    port.attach(IMAGE, BUNDLE, signed(OTHER))
    assert await found(port) == []


async def test_a_document_that_is_attached_as_it_is_is_claimed() -> None:
    port = Port()
    port.attach(IMAGE, "application/vnd.cyclonedx+json", json.dumps(CYCLONEDX).encode())
    [sbom] = await found(port)
    assert (sbom.origin, sbom.strength, sbom.signer_text) == (SbomOrigin.REFERRER, Strength.CLAIMED, "not signed")


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("application/vnd.cyclonedx+json", CYCLONEDX),
        ("text/spdx+json", {"spdxVersion": "SPDX-2.3", "packages": [{"name": "libssl3", "versionInfo": "3.0.13"}]}),
    ],
)
async def test_a_document_under_cosigns_tag_for_sboms_is_claimed(kind: str, document: Any) -> None:
    port = Port()
    port.tag(IMAGE, "sbom", (kind, json.dumps(document).encode()))
    [sbom] = await found(port)
    assert (sbom.origin, sbom.strength, sbom.signer_text) == (SbomOrigin.TAG, Strength.CLAIMED, "not signed")
    assert [each.name for each in sbom.inventory.packages] == ["libssl3"]


async def test_one_under_the_tag_that_is_no_sbom_or_gone_says_why_and_hinders_no_other() -> None:
    port = Port()
    port.tag(IMAGE, "sbom", ("text/spdx", b"SPDXVersion: SPDX-2.3"), ("text/spdx+json", b"{}"))
    port.tag(OTHER, "sbom", ("application/vnd.cyclonedx+json", json.dumps(CYCLONEDX).encode()))
    del port.content[digest_of(b"{}")]
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    proved, unread, gone = await found(port)
    assert (proved.strength, proved.inventory.problems) == (Strength.PROVED, ())
    assert "JSON" in unread.inventory.problems[0]
    assert "is not there" in gone.inventory.problems[0]


async def test_a_document_is_there_once_wherever_it_is_kept() -> None:
    port = Port()
    text = json.dumps(CYCLONEDX).encode()
    for kind in ("application/vnd.cyclonedx+json", COSIGN_SBOM):
        port.attach(IMAGE, kind, text)
    port.tag(IMAGE, "sbom", ("application/vnd.cyclonedx+json", text))
    assert [each.origin for each in await found(port)] == [SbomOrigin.REFERRER]


async def test_a_signed_envelope_counts_under_the_tag_and_as_a_referrer_alike() -> None:
    bundle = json.loads(signed(IMAGE))
    envelope = json.dumps(bundle["dsseEnvelope"]).encode()
    tagged, referring = Port(), Port()
    tagged.tag(IMAGE, "att", (ENVELOPE, envelope))
    referring.attach(IMAGE, ENVELOPE, envelope)
    for port in (tagged, referring):
        assert [(each.origin, each.strength) for each in await found(port)] == [
            (SbomOrigin.ATTESTATION, Strength.CLAIMED)
        ]


async def test_an_sbom_of_an_image_named_by_sha512_stands_under_a_tag_cut_off() -> None:
    port = Port()
    port.tag(LONG, "sbom", ("application/vnd.cyclonedx+json", json.dumps(CYCLONEDX).encode()))
    [sbom] = await found(port, replace(ALONE, digest=LONG, index=LONG))
    assert sbom.origin is SbomOrigin.TAG


async def test_what_buildkit_puts_beside_an_image_is_claimed_and_about_that_image_only() -> None:
    port = Port()
    [sbom] = await found(port, port.index(statement(IMAGE)))
    assert (sbom.origin, sbom.strength) == (SbomOrigin.BUILDKIT, Strength.CLAIMED)
    assert await found(port, port.index(statement(OTHER))) == []


async def test_what_buildkit_puts_beside_an_image_without_a_name_names_no_subject() -> None:
    port = Port()
    [sbom] = await found(port, port.index({**statement(IMAGE), "subject": []}))
    assert (sbom.origin, sbom.strength) == (SbomOrigin.BUILDKIT, Strength.CLAIMED)


async def test_the_same_document_counts_once_by_its_best_proof() -> None:
    port = Port()
    place = port.index(statement(IMAGE))
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    assert [each.strength for each in await found(port, place)] == [Strength.PROVED]


async def test_one_that_cannot_be_read_says_why_and_hinders_no_other() -> None:
    port = Port()
    port.attach(IMAGE, "application/spdx+json", b"no JSON")
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    proved, unread = await found(port)
    assert (proved.inventory.problems, proved.strength) == ((), Strength.PROVED)
    assert unread.inventory.packages == ()
    assert "JSON" in unread.inventory.problems[0]


async def test_damaged_attestations_beside_an_image_are_a_problem_and_no_crash() -> None:
    port = Port()
    place = port.index(statement(IMAGE))
    for digest in (place.index, *list(port.content)):
        spoilt = {**port.content, digest: b"[]"}
        for sbom in await found(Port(spoilt), place):
            assert sbom.strength is Strength.CLAIMED


async def test_sboms_behind_more_artifacts_than_are_looked_at_are_told() -> None:
    port = Port()
    for number in range(MOST + 1):
        port.attach(IMAGE, "application/report", f"{number}".encode())
    port.attach(IMAGE, "application/vnd.cyclonedx+json", json.dumps(CYCLONEDX).encode())
    [told] = await sboms_of(
        port, ImagePlace("registry.example", "shop", IMAGE, IMAGE), judged_by(TRUSTED, AT, Remembered())
    )
    assert told.strength is Strength.CLAIMED
    assert told.inventory.problems == (f"{MOST + 2} artifacts refer to it, of which {MOST} were looked at",)


async def test_sboms_beyond_those_that_count_are_told() -> None:
    port = Port()
    for number in range(READ + 3):
        text = json.dumps(CYCLONEDX | {"serialNumber": f"urn:uuid:{number}"}).encode()
        port.attach(IMAGE, "application/vnd.cyclonedx+json", text)
    *read, told = await found(port)
    assert len(read) == READ
    assert told.inventory.problems == ("more than 20 are attached: 3 more SBOMs left out, of which 0 proved",)


async def test_sboms_of_a_build_beyond_those_that_count_are_told() -> None:
    port = Port()
    place = port.index(*(statement(IMAGE, {**CYCLONEDX, "version": number}) for number in range(READ + 2)))
    *read, told = await found(port, place)
    assert len(read) == READ
    assert told.inventory.problems == ("22 are beside the image, of which 20 were looked at",)
