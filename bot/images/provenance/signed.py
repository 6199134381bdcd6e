"""Signed statements → the provenance among them that somebody trusted has signed, with who built."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.images.image import GITHUB, Builder
from bot.domain.images.stated import Stated
from bot.images.provenance.builders import ISOLATED_BUILDERS, judge_builder
from bot.images.provenance.slsa import Provenance, read_provenance
from bot.images.provenance.statement import Statement
from bot.images.signatures.remembered import Remembered
from bot.images.signatures.verdict import Refused
from bot.images.trust.collecting import AttachedDocument
from bot.images.trust.judging import Trusted, verdicts
from bot.images.trust.stating import statement_stating


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
