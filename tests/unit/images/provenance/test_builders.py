"""Who built, and which level of SLSA that supports."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.evidence import Strength
from bot.images.provenance.signed import GITHUB_ACTIONS, judge_builder
from bot.images.provenance.slsa import Material, Provenance
from bot.images.provenance.statement import Statement, Subject
from bot.images.signatures.verdict import CheckState, SignatureCheck, SignatureVerdict

DIGEST = "sha256:" + "1" * 64
STATEMENT = Statement("https://slsa.dev/provenance/v1", (Subject("", frozenset({DIGEST})),), {})
OWN = "https://github.com/contoso/app/.github/workflows/build.yml@refs/heads/main"
GENERATOR = (
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/"
    "generator_container_slsa3.yml@refs/tags/v2.0.0"
)


def provenance(builder: str = "") -> Provenance:
    return Provenance(builder, (), Material("", frozenset()))


def signed(
    workflow: str, *, state: CheckState = CheckState.OK, issuer: str = GITHUB_ACTIONS, **facts: str
) -> SignatureVerdict:
    found = {"build_signer_uri": workflow, "build_config_uri": OWN, "runner_environment": "github-hosted", **facts}
    check = SignatureCheck("signature", state, "" if state is CheckState.OK else "a reason")
    return SignatureVerdict("sigstore", (check,), signer=workflow, issuer=issuer, facts=tuple(found.items()))


@pytest.mark.parametrize(
    ("verdict", "claimed", "level", "strength"),
    [
        (None, "", 1, Strength.CLAIMED),
        (None, GENERATOR, 1, Strength.CLAIMED),
        (signed(OWN), OWN, 2, Strength.PROVED),
        (signed(OWN), "", 2, Strength.PROVED),
        (signed(OWN, run="https://github.com/contoso/app/actions/runs/7"), "", 2, Strength.PROVED),
        (signed(OWN, runner_environment="self-hosted"), OWN, 1, Strength.PROVED),
        (signed(OWN, issuer="https://accounts.example.com"), OWN, 1, Strength.PROVED),
        (signed(GENERATOR), GENERATOR, 3, Strength.PROVED),
        (signed(GENERATOR, runner_environment="self-hosted"), GENERATOR, 1, Strength.PROVED),
        (signed(GENERATOR, build_config_uri=GENERATOR), GENERATOR, 2, Strength.PROVED),
        (signed(GENERATOR.replace("refs/tags/v2.0.0", "refs/heads/main")), "", 2, Strength.PROVED),
        (signed(GENERATOR.replace("slsa-framework", "mallory")), "", 2, Strength.PROVED),
        (signed(OWN), GENERATOR, 0, Strength.CONTRADICTED),
        (signed(OWN, state=CheckState.FAILED), OWN, 0, Strength.CONTRADICTED),
        (signed(OWN, state=CheckState.CANNOT_TELL), OWN, 0, Strength.UNKNOWN),
    ],
)
def test_a_level_is_supported_by_who_signed(verdict: Any, claimed: str, level: int, strength: Strength) -> None:
    builder = judge_builder(STATEMENT, provenance(claimed), DIGEST, verdict)

    assert (builder.level, builder.strength) == (level, strength), builder
    assert builder.supports(level) is (strength is Strength.PROVED)
    assert not builder.supports(level + 1)
    assert builder.reason or level == 3


def test_an_operator_names_the_builders_that_are_isolated() -> None:
    shared = "https://github.com/contoso/builders/.github/workflows/dotnet.yml@refs/tags/v1"
    named = judge_builder(
        STATEMENT,
        provenance(),
        DIGEST,
        signed(shared),
        isolated=(r"https://github\.com/contoso/builders/.*@refs/tags/v1",),
    )

    assert named.level == 3
    assert judge_builder(STATEMENT, provenance(), DIGEST, signed(shared)).level == 2


def test_provenance_about_something_else_is_contradicted() -> None:
    other = replace(STATEMENT, subjects=(Subject("", frozenset({"sha256:" + "2" * 64})),))

    assert judge_builder(other, provenance(OWN), DIGEST, signed(OWN)).strength is Strength.CONTRADICTED
