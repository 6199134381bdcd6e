"""Signed statements to the provenance that somebody trusted has signed, with who built it and at which SLSA level.

Source: SLSA 1.0, "Security levels" of the build track. Level 1: provenance exists. Level 2: a hosted build platform
signed it. Level 3: the platform keeps the build, and what signs it, apart from whoever calls it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain.evidence import Strength
from bot.domain.images.image import GITHUB, Builder, repository_at_address
from bot.domain.images.stated import Stated
from bot.images.provenance.slsa import Provenance, read_provenance
from bot.images.provenance.statement import Statement
from bot.images.signatures.verdict import Refused, Remembered, SignatureVerdict, Validity
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.judging import Trusted, verdicts
from bot.images.trust.stating import statement_stating

GITHUB_ACTIONS = "https://token.actions.githubusercontent.com"
ISOLATED_BUILDERS = (
    r"https://github\.com/slsa-framework/slsa-github-generator/\.github/workflows/"
    r"(builder|generator)_[a-z0-9_-]+_slsa3\.yml@refs/tags/v[0-9]+\.[0-9]+\.[0-9]+",
)
"""Reusable workflows that are known to keep the build apart from the workflow that calls them."""


def judge_builder(
    statement: Statement,
    provenance: Provenance,
    digest: str,
    verdict: SignatureVerdict | None,
    *,
    isolated: Sequence[str] = ISOLATED_BUILDERS,
    forge: str = GITHUB,
) -> Builder:
    """Who built the digest, from its provenance and the verdict of the signature around just this statement.

    Whatever provenance tells beyond the builder (materials, source) is what this builder says: it is worth as much
    as the builder is trusted. GitHub's certificate tells the source itself. `isolated` are whole patterns of
    workflows whose callers cannot reach into the build; `forge` is as in `repository_at_address`.
    """
    claimed = provenance.builder
    if not statement.is_about(digest):
        return Builder(claimed, 0, Strength.CONTRADICTED, f"the provenance is not about {digest}")
    if verdict is None:
        return Builder(claimed, 1, Strength.CLAIMED, "the provenance is not signed: anybody may have written it")
    match verdict.outcome:
        case Validity.INVALID:
            return Builder(claimed, 0, Strength.CONTRADICTED, f"its signature does not hold: {verdict.reason}")
        case Validity.CANNOT_TELL:
            return Builder(claimed, 0, Strength.UNKNOWN, f"its signature cannot be judged: {verdict.reason}")
    if verdict.issuer != GITHUB_ACTIONS:
        reason = "it is signed, and not by a build platform that is known"
        return Builder(
            verdict.signer, 1, Strength.PROVED, reason, repository_at_address(provenance.source.uri, forge)
        )
    source = repository_at_address(dict(verdict.facts).get("source_repository", ""), forge)
    return replace(_judge_github(provenance, verdict, isolated), repository=source)


def _judge_github(provenance: Provenance, verdict: SignatureVerdict, isolated: Sequence[str]) -> Builder:
    facts = dict(verdict.facts)
    workflow = facts.get("build_signer_uri") or verdict.signer
    if not _may_claim(provenance.builder, workflow, facts):
        return Builder(
            workflow,
            0,
            Strength.CONTRADICTED,
            f"it names {provenance.builder[:200]!r} as builder, and {workflow} signed",
        )
    if facts.get("runner_environment") != "github-hosted":
        return Builder(workflow, 1, Strength.PROVED, "it was not built on a runner that GitHub hosts")
    if workflow == facts.get("build_config_uri") or not any(re.fullmatch(one, workflow) for one in isolated):
        return Builder(workflow, 2, Strength.PROVED, "the workflow that was called could reach into the build")
    return Builder(workflow, 3, Strength.PROVED, "")


def _may_claim(builder: str, workflow: str, facts: Mapping[str, str]) -> bool:
    """Whether a builder's name is one that this workflow may go by: nothing, itself, its platform or its run."""
    run = facts.get("run", "")
    platform = "https://github.com/actions/runner/github-hosted"
    return builder in ("", workflow, workflow.partition("@")[0], run, platform)


@dataclass(frozen=True, slots=True)
class SignedProvenance:
    """What a builder says of one build, and who the builder is."""

    provenance: Provenance
    builder: Builder
    until: datetime | None = None
    """The first moment at which its signature may be judged otherwise; None where time decides nothing."""


def signed_provenance(
    statements: Sequence[AttachedDocument],
    trusted: Trusted,
    digest: str,
    moment: datetime,
    remembered: Remembered,
    *,
    isolated: Sequence[str] = (),
    forge: str = GITHUB,
) -> tuple[SignedProvenance, ...]:
    """The provenance of a digest whose signature holds, as its builder is judged; none of the others.

    What does not hold, or is signed by somebody who is not trusted, is worth no more than if it were not there.
    `isolated` are builders beyond those that are known, and `forge` is, as for `judge_builder`.
    """
    made: list[SignedProvenance] = []
    for document in statements:
        statement = statement_stating(document, Stated.PROVENANCE)
        if statement is None:
            continue
        for verdict in verdicts([document], trusted, digest, moment, remembered):
            if verdict.is_valid and (provenance := _provenance(statement)) is not None:
                builders = (*ISOLATED_BUILDERS, *isolated)
                builder = judge_builder(statement, provenance, digest, verdict, isolated=builders, forge=forge)
                made.append(SignedProvenance(provenance, builder, verdict.holds_until))
    return tuple(made)


def _provenance(statement: Statement) -> Provenance | None:
    try:
        return read_provenance(statement)
    except Refused:
        return None
