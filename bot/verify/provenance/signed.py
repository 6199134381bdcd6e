"""Signed statements → the provenance among them that somebody trusted has signed, with who built."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.images.builder import GITHUB, Builder
from bot.verify.provenance.builders import ISOLATED_BUILDERS, judge_builder
from bot.verify.provenance.slsa import V0_2, V1, Provenance, read_provenance
from bot.verify.provenance.statement import Statement, statement_in
from bot.verify.signatures.cosign.signature_file import read_signature_file
from bot.verify.signatures.remembered import Remembered
from bot.verify.signatures.verdict import Refused
from bot.verify.trust.collecting import AttachedDocument
from bot.verify.trust.judging import Trusted, verdicts


@dataclass(frozen=True, slots=True)
class SignedProvenance:
    """What a builder says of one build, and who the builder is."""

    provenance: Provenance
    builder: Builder


def signed_provenance(
    statements: Sequence[AttachedDocument],
    trusted: Trusted,
    digest: str,
    at: datetime,
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
    for found in statements:
        statement = statement_of(found)
        if statement is None or statement.predicate_type not in (V0_2, V1):
            continue
        for verdict in verdicts([found], trusted, digest, at, remembered):
            if verdict.is_valid and (provenance := _provenance(statement)) is not None:
                known = (*ISOLATED_BUILDERS, *isolated)
                builder = judge_builder(statement, provenance, digest, verdict, isolated=known, forge=forge)
                made.append(SignedProvenance(provenance, builder))
    return tuple(made)


def statement_of(found: AttachedDocument) -> Statement | None:
    """The statement in a signature's envelope, not judged; None where there is none that can be read."""
    try:
        envelope = read_signature_file(found.encoded, found.payload).envelope
        return statement_in(envelope) if envelope is not None else None
    except Refused:
        return None


def _provenance(statement: Statement) -> Provenance | None:
    try:
        return read_provenance(statement)
    except Refused:
        return None
