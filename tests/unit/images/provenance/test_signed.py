"""Provenance counts once somebody who is trusted has signed it, in each layout in which it is kept."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.evidence import Strength
from bot.images.provenance.signed import SignedProvenance, signed_provenance
from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.judging import Trusted
from tests.unit.images.provenance.attested import DIGEST, KEYLESS, LAYOUTS, SIGSTORE, bundled, keyed, tagged
from tests.unit.images.signatures.private_sigstore import AT, PrivateSigstore, dsse_bundle

ASPNET = "pkg:docker/mcr.microsoft.com/dotnet/aspnet@10.0?platform=linux%2Famd64"


def statement(
    digest: str = DIGEST, source: str = "", kind: str = "https://slsa.dev/provenance/v0.2"
) -> dict[str, Any]:
    materials = [{"uri": ASPNET, "digest": {"sha256": "a" * 64}}]
    predicate = {"invocation": {"configSource": {"uri": source}}, "materials": materials}
    subject = [{"name": "shop", "digest": {"sha256": digest.removeprefix("sha256:")}}]
    return {
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": subject,
        "predicateType": kind,
        "predicate": predicate,
    }


Make = Callable[[dict[str, Any]], AttachedDocument]


def held(found: AttachedDocument, trusted: Trusted, digest: str = DIGEST) -> tuple[SignedProvenance, ...]:
    return signed_provenance([found], trusted, digest, AT, Remembered())


@pytest.mark.parametrize(("make", "trusted"), LAYOUTS.values(), ids=LAYOUTS)
def test_provenance_that_somebody_trusted_signed_names_base_builder_and_source(
    make: Make, trusted: Trusted
) -> None:
    [found] = held(make(statement(source="git+https://github.com/contoso/app@refs/heads/main")), trusted)
    assert [base.image for base in found.provenance.bases] == ["mcr.microsoft.com/dotnet/aspnet"]
    level = 2 if trusted is KEYLESS else 1
    assert (found.builder.strength, found.builder.level) == (Strength.PROVED, level)
    assert found.builder.repository == "contoso/app"


@pytest.mark.parametrize(("make", "trusted"), LAYOUTS.values(), ids=LAYOUTS)
def test_provenance_of_another_image_counts_for_nothing(make: Make, trusted: Trusted) -> None:
    assert held(make(statement()), trusted, "sha256:" + "0" * 64) == ()


@pytest.mark.parametrize("make", [bundled, tagged, keyed])
def test_provenance_that_a_stranger_signed_counts_for_nothing(make: Make) -> None:
    other = PrivateSigstore.open()
    root = read_trusted_root(other.trusted_root())
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert held(make(statement()), Trusted("x", keyless=(root, accepting([], [], None)))) == ()
    assert held(make(statement()), Trusted("x", key=stranger)) == ()


@pytest.mark.parametrize(("make", "trusted"), LAYOUTS.values(), ids=LAYOUTS)
def test_signed_statements_of_other_kinds_are_no_provenance(make: Make, trusted: Trusted) -> None:
    assert held(make(statement(kind="https://spdx.dev/Document")), trusted) == ()


def test_the_source_that_the_certificate_names_counts_not_what_the_builder_writes() -> None:
    [found] = held(bundled(statement(source="git+https://github.com/mallory/app")), KEYLESS)
    assert found.builder.repository == "contoso/app"


def test_a_builder_that_the_operator_knows_to_be_isolated_reaches_level_three() -> None:
    shared = "https://github.com/contoso/builders/.github/workflows/dotnet.yml@refs/tags/v1"
    signer = SIGSTORE.certificate(facts={9: shared})
    encoded = json.dumps(dsse_bundle(SIGSTORE, signer, statement())).encode()
    for isolated, level in (((), 2), ((r"https://github\.com/contoso/builders/.*",), 3)):
        [found] = signed_provenance(
            [AttachedDocument("sigstore", encoded, "")], KEYLESS, DIGEST, AT, Remembered(), isolated=isolated
        )
        assert found.builder.level == level


def test_what_is_no_statement_counts_for_nothing() -> None:
    for encoded in (b"", b"{}", b"not json"):
        assert held(AttachedDocument("sigstore", encoded, ""), KEYLESS) == ()
    assert held(AttachedDocument("", b"", "", unreadable="it is gone"), KEYLESS) == ()
