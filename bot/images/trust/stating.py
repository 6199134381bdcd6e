"""What a document that was found beside an image states, as the table of `bot.domain.images.stated` has it.

Nothing of it is judged here: a statement is what its signature is over, so that it is what is judged later.
"""

from collections.abc import Collection

from bot.domain.images.stated import Stated, stated_by_predicate
from bot.images.provenance.statement import Statement, statement_in
from bot.images.signatures.verdict import Refused, SignatureVerdict
from bot.images.trust.collecting import AttachedDocument

_LONGEST = 80


def statement_of(document: AttachedDocument) -> Statement | None:
    """The statement in a document's envelope, not judged; None where there is none that can be read."""
    try:
        return _read(document)
    except Refused:
        return None


def statement_stating(document: AttachedDocument, kind: Stated) -> Statement | None:
    """The statement in a document's envelope, where it states what is asked for; else None."""
    statement = statement_of(document)
    return statement if statement is not None and _stated(statement) is kind else None


def may_state(document: AttachedDocument, kinds: Collection[Stated]) -> bool:
    """Whether it states one of these. What cannot be read may state anything: whoever judges it will refuse it.

    What is in no envelope is a signature: over a document of simple signing, or over the image's manifest itself.
    """
    try:
        statement = _read(document)
    except Refused:
        return True
    return (Stated.SIGNATURE if statement is None else _stated(statement)) in kinds


def told_of(document: AttachedDocument) -> str:
    """What it states, in words: `provenance`, or for what is in no table its type."""
    statement = statement_of(document)
    if statement is None:
        return Stated.SIGNATURE.value
    if (stated := stated_by_predicate(statement.predicate_type)) is not None:
        return stated.value
    return f"a statement of the type {statement.predicate_type[:_LONGEST]!r}"


def noting_what_is_stated(verdict: SignatureVerdict, document: AttachedDocument) -> SignatureVerdict:
    """The same, with a note where what is signed states something else than that somebody signs the image."""
    if not verdict.is_valid or may_state(document, {Stated.SIGNATURE}):
        return verdict
    return verdict.noting(f"what is signed is {told_of(document)}, and no signature of an image")


def _stated(statement: Statement) -> Stated | None:
    return stated_by_predicate(statement.predicate_type, statement.predicate)


def _read(document: AttachedDocument) -> Statement | None:
    """The statement in its envelope, None where it is in none. Raises `Refused` for what cannot be read."""
    if document.unreadable:
        raise Refused(document.unreadable)
    if document.kind == "notation":
        return None
    from bot.images.signatures.cosign.signature_file import read_signature_file  # loads what reads certificates

    envelope = read_signature_file(document.encoded, document.payload).envelope
    return statement_in(envelope) if envelope is not None else None
