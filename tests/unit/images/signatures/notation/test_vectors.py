"""Every recorded case of the Notary Project ends as its own verifier ends it, check by check."""

from datetime import datetime
from typing import Any

import pytest

from bot.images.signatures.notation.names import read_identity
from bot.images.signatures.notation.trust_store import load_stores
from bot.images.signatures.notation.verifying import NotationPolicy, WhenTimestamped, verify_notation
from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence

FOLDER = EVIDENCE / "notation"


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("notation")])
def test_a_recorded_case_ends_as_the_witness_ended_it(case: dict[str, Any]) -> None:
    policy = NotationPolicy(
        store=load_stores(FOLDER / case["trust_dir"], case["trust_stores"]),
        identities=tuple(read_identity(text) for text in case["trusted_identities"]),
        timestamp=WhenTimestamped(case["verify_timestamp"]),
    )

    verdict = verify_notation(
        (FOLDER / case["file"]).read_bytes(), case["media_type"], policy, datetime.fromisoformat(case["verify_at"])
    )

    expected = dict(case["expected"])
    assert str(verdict.outcome) == expected.pop("strict").partition(":")[0], verdict
    made = {check.name: str(check.state) for check in verdict.checks}
    assert {name: made[name] for name in expected} == {
        name: text.partition(":")[0] for name, text in expected.items()
    }
