"""The VEX documents that a registry shows for an image, each judged by who signed it.

Sources: OCI distribution 1.1 (referrers), Sigstore bundles, cosign's tag `sha256-….att`; the predicate of an
in-toto statement is the OpenVEX document itself.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.evidence import Strength
from bot.domain.failure import Failure
from bot.domain.images.stated import Stated
from bot.domain.wording.words import counted
from bot.images.trust.collecting import CUT, VEX, AttachedDocument, SignaturesPort, attestations_of
from bot.images.trust.judging import Judge, Worth
from bot.images.trust.stating import statement_stating
from bot.images.vex.statements import VexStatement, read_vex

MOST = 20
"""Documents of one image that count."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AttachedVex:
    """What one document says; `document` is the digest of its text.

    It is proved only where somebody trusted has signed it about this image, else claimed; `told` says by whom it is
    signed, or why that does not count. `problem` is why it cannot be read.
    """

    document: str
    strength: Strength
    told: str
    statements: tuple[VexStatement, ...] = ()
    problem: str = ""

    @property
    def is_heeded(self) -> bool:
        return self.strength is Strength.PROVED and not self.problem

    @property
    def said_at(self) -> datetime:
        """When its last statement was made; what bears no time comes before all else."""
        return max((each.at for each in self.statements if each.at is not None), default=_BEFORE_ALL)

    def __str__(self) -> str:
        heeded = "" if self.is_heeded else ", not heeded"
        summary = self.problem or counted(len(self.statements), "statement")
        return f"{self.strength}{heeded}: {self.told}; {summary}"


async def vex_of(
    port: SignaturesPort,
    registry: str,
    repository: str,
    digests: Collection[str],
    judge: Judge,
) -> tuple[AttachedVex, ...]:
    """Each document once, by its best proof, those that are heeded first, and the newest first among them. Where
    there are more than count, the last one stands for those that are left, and says how many; so does one where
    more is attached than was looked at.

    `digests` are those of the image and of its platforms; a statement about another image is none of its. Raises
    `Failure` where the registry does not say.
    """
    documents: list[AttachedVex] = []
    cut: list[AttachedVex] = []
    for digest in digests:
        attached = await attestations_of(port, registry, repository, digest)
        cut += [_unseen(each) for each in attached if each.kind == CUT]
        judged = [_attached(each, digest, judge) for each in attached]
        documents += [await asyncio.to_thread(_document, *each) for each in judged if each is not None]
    best: dict[str, AttachedVex] = {}
    for document in sorted(documents, key=lambda each: each.strength is not Strength.PROVED):
        best.setdefault(document.document, document)
    ordered = sorted(best.values(), key=lambda each: (each.is_heeded, each.said_at), reverse=True)
    return (*ordered[:MOST], *_left(ordered[MOST:]), *dict.fromkeys(cut))


def _unseen(document: AttachedDocument) -> AttachedVex:
    """Makes what stands for documents that may be among what was not looked at."""
    return AttachedVex("", Strength.CLAIMED, "some may be left out", problem=document.unreadable)


def _left(surplus: Sequence[AttachedVex]) -> list[AttachedVex]:
    """What stands for documents that do not count, as there are too many; nothing where none is left."""
    if not surplus:
        return []
    older = counted(len(surplus), "older document")
    problem = f"{older} left out, of which {sum(each.is_heeded for each in surplus)} would be heeded"
    return [AttachedVex("", Strength.CLAIMED, f"more than {MOST} are attached", problem=problem)]


def _attached(
    document: AttachedDocument, digest: str, judge: Judge
) -> tuple[bytes | Mapping[str, Any], Worth, str] | None:
    """What is attached to an image, where it is a VEX document about it, what it is worth, why, and why it cannot
    be read; else None."""
    if document.kind == VEX:
        return document.encoded, Worth(Strength.CLAIMED, "not signed"), document.unreadable
    statement = statement_stating(document, Stated.VEX)
    if statement is None or not statement.is_about(digest):
        return None
    return statement.predicate, judge(document, digest), ""


def _document(content: bytes | Mapping[str, Any], worth: Worth, problem: str) -> AttachedVex:
    """Reads a document and judges it; one of some megabytes takes a second."""
    text = content if isinstance(content, bytes) else json.dumps(content, sort_keys=True).encode()
    document = f"sha256:{hashlib.sha256(text or problem.encode()).hexdigest()}"
    try:
        read = read_vex(text, "a VEX document") if not problem else ()
    except Failure as failure:
        return AttachedVex(document, worth.strength, worth.told, problem=failure.what)
    statements = tuple(replace(each, judged_until=worth.judged_until) for each in read)
    return AttachedVex(document, worth.strength, worth.told, statements, problem)
