"""The examples for admission controllers ask for the statement that the bot writes; no cluster is asked."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec

from bot.domain.reference import Base
from bot.fleet.verify.attesting.summary import LEVEL, PREDICATE, Verifier, summary
from tests.integration.deploy.kustomize import DEPLOY

WRITTEN = yaml.safe_load(
    summary(
        Base("ghcr.io", "contoso/shop", "1"),
        f"sha256:{'a' * 64}",
        (),
        Verifier("https://freshness.example.com", ec.generate_private_key(ec.SECP256R1())),
        datetime(2026, 11, 27, 8, tzinfo=UTC),
    )
)["predicate"]


def policy(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "admission" / name).read_text())
    return loaded


def test_kyverno_asks_for_what_is_written() -> None:
    [rule] = policy("kyverno.yaml")["spec"]["rules"]
    [attestation] = rule["verifyImages"][0]["attestations"]
    [conditions] = attestation["conditions"]
    asked = {each["key"]: each["value"] for each in conditions["all"]}
    assert attestation["type"] == PREDICATE
    assert asked["{{ verifier.id }}"] == WRITTEN["verifier"]["id"]
    assert asked["{{ verificationResult }}"] == WRITTEN["verificationResult"]
    assert asked[LEVEL] == "{{ verifiedLevels }}"
    assert asked["{{ time_since('', '{{ timeVerified }}', '') }}"] == "48h"


@pytest.mark.parametrize("member", ["verifier", "verificationResult", "verifiedLevels", "timeVerified"])
def test_policy_controller_asks_for_what_is_written(member: str) -> None:
    [authority] = policy("policy-controller.yaml")["spec"]["authorities"]
    [attestation] = authority["attestations"]
    assert attestation["predicateType"] == PREDICATE
    assert f"input.predicate.{member}" in attestation["policy"]["data"]
    assert member in WRITTEN
