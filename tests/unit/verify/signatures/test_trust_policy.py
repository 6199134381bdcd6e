"""Notation's trust policy documents."""

import json
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.verify.signatures.notation.trust_policy import read_trust_policy
from bot.verify.signatures.notation.verifying import WhenTimestamped
from tests.unit.verify.signatures.evidence import EVIDENCE, needs_evidence

STATEMENT: dict[str, Any] = {
    "name": "contoso",
    "registryScopes": ["ghcr.io/contoso/app"],
    "signatureVerification": {"level": "strict"},
    "trustStores": ["ca:contoso"],
    "trustedIdentities": ["*"],
}


def document(*statements: dict[str, Any], version: str = "1.0") -> bytes:
    return json.dumps({"version": version, "trustPolicies": list(statements)}).encode()


@needs_evidence
def test_the_policy_for_the_dotnet_images_is_read() -> None:
    policy = read_trust_policy((EVIDENCE / "dotnet-docker" / "trustpolicy.json").read_bytes())

    statement = policy.applying_to("mcr.microsoft.com/dotnet/aspnet")
    assert statement is not None
    assert len(statement.scopes) == 7
    assert statement.stores == ("ca:msft-supplychain", "tsa:msft-supplychain")
    (identity,) = statement.identities
    assert dict(identity.attributes)["ST"] == "Washington"
    assert policy.applying_to("mcr.microsoft.com/dotnet/nightly/aspnet") is None


def test_the_statement_that_names_a_repository_comes_before_the_one_for_all() -> None:
    everywhere = {**STATEMENT, "name": "all", "registryScopes": ["*"]}
    stamped = {**STATEMENT, "signatureVerification": {"level": "audit", "verifyTimestamp": "afterCertExpiry"}}
    policy = read_trust_policy(document(everywhere, stamped))

    named, other = policy.applying_to("ghcr.io/contoso/app"), policy.applying_to("ghcr.io/contoso/other")
    assert named is not None
    assert (named.name, named.level, named.timestamp) == ("contoso", "audit", WhenTimestamped.AFTER_CERT_EXPIRY)
    assert other is not None
    assert other.name == "all"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        document(),
        document(STATEMENT, version="2.0"),
        document(STATEMENT, STATEMENT),
        document(STATEMENT, {**STATEMENT, "name": "again"}),
        document({**STATEMENT, "registryScopes": ["*", "ghcr.io/contoso/app"]}),
        document({**STATEMENT, "registryScopes": []}),
        document({**STATEMENT, "signatureVerification": {"level": "lax"}}),
        document({**STATEMENT, "signatureVerification": {"level": "strict", "verifyTimestamp": "never"}}),
        document({**STATEMENT, "trustStores": ["contoso"]}),
        document({**STATEMENT, "trustStores": []}),
        document({**STATEMENT, "trustedIdentities": ["x509.subject:CN=x"]}),
        document({**STATEMENT, "trustedIdentities": [1]}),
        document({**STATEMENT, "trustedIdentities": ["*", "x509.subject:C=US,ST=WA,O=x"]}),
        document({**STATEMENT, "trustedIdentities": ["x509.subject:C=US,ST=WA,O=x"] * 2}),
        document(
            {**STATEMENT, "trustedIdentities": [f"x509.subject:C=US,ST=WA,O=x{more}" for more in (",CN=y", "")]}
        ),
    ],
)
def test_a_policy_that_cannot_be_used_is_told(content: bytes) -> None:
    with pytest.raises(Failure, match="trust policy cannot be used") as failure:
        read_trust_policy(content, where="trustpolicy.json")

    assert failure.value.advice
