"""Which VEX documents a registry shows for an image, and what each is worth."""

import json
import threading
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.images.sbom.collecting import judged_by
from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import MOST as attachments_looked_at
from bot.images.trust.judging import Trusted
from bot.images.vex import attached
from bot.images.vex.attached import AttachedVex, vex_of
from bot.images.vex.statements import VexStatement, read_vex
from tests.fakes.attachments import Attachments
from tests.unit.images.signatures.private_sigstore import AT, IDENTITY, ISSUER, PrivateSigstore, dsse_bundle

SIGSTORE = PrivateSigstore.open()
TRUSTED = Trusted(
    "ours", keyless=(read_trusted_root(SIGSTORE.trusted_root()), accepting([IDENTITY], [], issuer=ISSUER))
)
INDEX, IMAGE, OTHER = ("sha256:" + letter * 64 for letter in "abc")
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
DOCUMENT: dict[str, Any] = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "author": "security@contoso.example",
    "statements": [
        {
            "vulnerability": {"name": "CVE-2026-1"},
            "products": [{"@id": "pkg:nuget/Json@12.0.0"}],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
        }
    ],
}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def signed(about: str, by: str = IDENTITY, predicate: Any = DOCUMENT, kind: str = "") -> bytes:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": about.removeprefix("sha256:")}}],
        "predicateType": kind or "https://openvex.dev/ns/v0.2.0",
        "predicate": predicate,
    }
    return encoded(dsse_bundle(SIGSTORE, SIGSTORE.certificate(by), statement))


async def shown(port: Attachments, trusted: Trusted | None = TRUSTED) -> tuple[AttachedVex, ...]:
    judge = judged_by(trusted, AT, Remembered())
    return await vex_of(port, "registry.example", "shop", (INDEX, IMAGE), judge)


@pytest.mark.parametrize("about", [INDEX, IMAGE], ids=["index", "platform"])
async def test_what_somebody_trusted_has_signed_about_the_image_is_heeded(about: str) -> None:
    port = Attachments()
    port.attach(about, BUNDLE, signed(about))
    [found] = await shown(port)
    assert found.is_heeded
    assert found.statements[0].vulnerabilities == {"CVE-2026-1"}
    assert f"signed by {IDENTITY}" in found.told


@pytest.mark.parametrize(
    "kind",
    ["application/vex+json", "application/vnd.openvex+json", "application/openvex+json", "application/vnd.openvex"],
)
async def test_a_document_that_nobody_signed_is_claimed_and_not_heeded(kind: str) -> None:
    """Whoever may push may attach one."""
    port = Attachments()
    port.attach(IMAGE, kind, encoded(DOCUMENT))
    [found] = await shown(port)
    assert (found.strength, found.is_heeded, len(found.statements)) == (Strength.CLAIMED, False, 1)
    assert str(found) == "claimed, not heeded: not signed; 1 statement"


async def test_a_signature_of_somebody_else_is_a_claim() -> None:
    port = Attachments()
    port.attach(IMAGE, BUNDLE, signed(IMAGE, by="https://github.com/fabrikam/other"))
    [found] = await shown(port)
    assert not found.is_heeded
    [found] = await shown(port, trusted=None)
    assert not found.is_heeded


async def test_a_statement_about_another_image_or_of_another_kind_is_none_of_its() -> None:
    port = Attachments()
    port.attach(IMAGE, BUNDLE, signed(OTHER))
    port.attach(IMAGE, BUNDLE, signed(IMAGE, kind="https://slsa.dev/provenance/v1"))
    port.attach(OTHER, BUNDLE, signed(OTHER))
    assert await shown(port) == ()


async def test_one_that_cannot_be_read_is_there_with_the_reason_and_not_heeded() -> None:
    port = Attachments()
    port.attach(INDEX, "application/vex+json", b"{}")
    port.attach(IMAGE, BUNDLE, signed(IMAGE, predicate={"@context": "https://openvex.dev/ns"}))
    found = await shown(port)
    assert [each.problem for each in found] == ["is no OpenVEX document"] * 2
    assert not any(each.is_heeded for each in found)


async def test_a_document_that_is_attached_twice_counts_once_by_its_proof() -> None:
    port = Attachments()
    port.attach(IMAGE, "application/vex+json", json.dumps(DOCUMENT, sort_keys=True).encode())
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    port.attach(INDEX, BUNDLE, signed(INDEX))
    assert [each.strength for each in await shown(port)] == [Strength.PROVED]


async def test_a_document_is_read_beside_what_else_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some megabytes take a second, and twenty of them may be attached."""
    readers: list[str] = []

    def read(data: bytes, where: str) -> tuple[VexStatement, ...]:
        readers.append(threading.current_thread().name)
        return read_vex(data, where)

    monkeypatch.setattr(attached, "read_vex", read)
    port = Attachments()
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    (found,) = await shown(port)
    assert found.is_heeded
    assert threading.main_thread().name not in readers


async def test_of_too_many_the_heeded_count_first_and_the_newest_and_those_left_are_told() -> None:
    port = Attachments()
    for day in range(1, 24):
        statement = DOCUMENT["statements"][0] | {"timestamp": f"2026-01-{day:02}T00:00:00Z"}
        document = DOCUMENT | {"statements": [statement]}
        port.attach(IMAGE, BUNDLE, signed(IMAGE, predicate=document))
    port.attach(IMAGE, "application/vex+json", encoded(DOCUMENT))
    *counting, left = await shown(port)
    assert [each.said_at.day for each in counting] == list(range(23, 3, -1))
    assert all(each.is_heeded for each in counting)
    assert str(left) == (
        "claimed, not heeded: more than 20 are attached; 4 older documents left out, of which 3 would be heeded"
    )


async def test_documents_behind_more_artifacts_than_are_looked_at_are_told() -> None:
    """Whoever may push could hide one behind so many."""
    port = Attachments()
    for number in range(attachments_looked_at + 1):
        port.attach(IMAGE, "application/report", f"{number}".encode())
    port.attach(IMAGE, BUNDLE, signed(IMAGE))
    [told] = await shown(port)
    assert not told.is_heeded
    assert str(told) == (
        "claimed, not heeded: some may be left out; 52 artifacts refer to it, of which 50 were looked at"
    )
