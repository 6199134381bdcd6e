"""Every recorded Sigstore bundle ends as its witnesses ended it."""

from typing import Any

import pytest

from bot.images.signatures.cosign.policy import accepting
from bot.images.signatures.cosign.trusted_root import read_trusted_root
from bot.images.signatures.cosign.verifying import SignedSubject, verify_keyless
from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence

FOLDER = EVIDENCE / "sigstore"


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("sigstore")])
@pytest.mark.parametrize("by", ["file", "digest"])
def test_a_recorded_bundle_ends_as_its_witnesses_ended_it(case: dict[str, Any], by: str) -> None:
    identity = case["identity"] or {}
    policy = accepting([identity["san"]] if identity else [], [], identity.get("issuer"))
    artifact = (FOLDER / case["artifact"]).read_bytes() if case["artifact"] and by == "file" else None
    root = read_trusted_root((FOLDER / case["trusted_root"]).read_bytes())

    verdict = verify_keyless(
        (FOLDER / case["bundle"]).read_bytes(),
        root,
        policy,
        SignedSubject(artifact, "" if artifact is not None else case["digest"]),
    )

    assert str(verdict.outcome) == case["expected"], verdict
