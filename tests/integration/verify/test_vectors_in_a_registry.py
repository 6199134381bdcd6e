"""Every recorded signature, kept by a registry beside the digest that it is for, ends as it does in a file."""

import json
from typing import Any

import pytest

from bot.domain.images.stated import BUNDLE, NOTATION
from tests.integration.verify.conftest import Kept
from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence

OTHER = "sha256:" + "0" * 64


def signed_digest(file: str) -> str:
    """What an envelope says to be for; any digest where it says nothing that can be read."""
    facts = json.loads((EVIDENCE / "notation" / "facts.json").read_text()).get(file) or {}
    found: str = ((facts.get("payload") or {}).get("targetArtifact") or {}).get("digest", OTHER)
    return found


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("notation")])
def test_a_recorded_envelope_beside_its_digest_ends_as_the_witness_ended_it(
    case: dict[str, Any], kept: Kept
) -> None:
    folder = EVIDENCE / "notation"
    digest, file = signed_digest(case["file"]), folder / case["file"]
    code, found = kept.verify(
        kept.beside(digest, file, NOTATION, case["media_type"]),
        *("notation", "--trust-dir", folder / case["trust_dir"]),
        *(part for store in case["trust_stores"] for part in ("--trust-store", store)),
        *(part for identity in case["trusted_identities"] for part in ("--identity", identity)),
        *("--timestamp", case["verify_timestamp"], "--at", case["verify_at"]),
    )

    expected = {name: text.partition(":")[0] for name, text in case["expected"].items()}
    assert {name: found[name].partition(":")[0] for name in expected} == expected
    assert code == (0 if expected["strict"] == "valid" else 1)
    assert found["parts"][0]["signatures"] == 1


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("sigstore")])
def test_a_recorded_bundle_beside_its_digest_ends_as_its_witnesses_ended_it(
    case: dict[str, Any], kept: Kept
) -> None:
    folder = EVIDENCE / "sigstore"
    file, kind = folder / case["bundle"], f"{BUNDLE}.v0.3+json"
    identity = case["identity"]
    code, found = kept.verify(
        kept.beside(case["digest"], file, kind, kind),
        *("sigstore", "--trusted-root", folder / case["trusted_root"]),
        *(("--identity", identity["san"], "--issuer", identity["issuer"]) if identity else ()),
    )

    assert (code, found["verdict"]) == (0 if case["expected"] == "valid" else 1, case["expected"]), found
    assert found["parts"][0]["signatures"] == 1
