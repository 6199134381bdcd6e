"""The SBOMs that a registry shows for an image, wherever they may be kept, each judged by who signed it.

Sources: BuildKit's "Image attestation storage" (beside the images of an index), OCI distribution 1.1 (referrers),
Sigstore bundles, and cosign's tags `sha256-….att` and `.sbom`.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from bot.domain.evidence import Strength
from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import Stated, stated_by_predicate
from bot.domain.packages.package import ImagePlace, Inventory, Sbom, SbomOrigin
from bot.domain.strict_json import read_strict_json
from bot.domain.wording.words import counted
from bot.images.provenance.attestations import attested_in, statements_in
from bot.images.provenance.statement import read_statement
from bot.images.sbom.reading import read_sbom
from bot.images.signatures.verdict import Refused, Remembered
from bot.images.trust.collecting import CUT, SBOM, SBOM_TAG, AttachedDocument, SignaturesPort, attestations_of
from bot.images.trust.judging import Judge, Trusted, Worth, longest_held, verdicts
from bot.images.trust.stating import statement_stating

MOST = 20
"""SBOMs of one image that are read."""
_PLAIN = {SBOM: SbomOrigin.REFERRER, SBOM_TAG: SbomOrigin.TAG}
_UNSIGNED = "not signed"


def judged_by(trusted: Trusted | None, moment: datetime, remembered: Remembered) -> Judge:
    """Makes a judge that believes those who are trusted, and nobody where no rule names any."""

    def judge(document: AttachedDocument, digest: str) -> Worth:
        if trusted is None:
            return Worth(Strength.CLAIMED, "signed, and no rule of trust says by whom it must be")
        made = verdicts([document], trusted, digest, moment, remembered)
        verdict = longest_held(made)
        if verdict is not None:
            reason = f"signed by {verdict.signer} ({verdict.kind})"
            return Worth(Strength.PROVED, reason, trusted.name, verdict.holds_until)
        why = f"its {made[0].kind} signature is {made[0]}" if made else "nobody who is trusted has signed it"
        return Worth(Strength.CLAIMED, why)

    return judge


async def sboms_of(port: SignaturesPort, place: ImagePlace, judge: Judge) -> tuple[Sbom, ...]:
    """Each document once, by its best proof; one that cannot be read is there with the reason, and so is, at the
    end, that there are more than count, or that more is attached than was looked at.

    A statement about another image than this is none of its. Raises `Failure` where the registry does not say.
    """
    sboms: list[Sbom] = []
    cut: list[Sbom] = []
    for digest in place.digests:
        for document in await attestations_of(port, place.registry, place.repository, digest):
            if document.kind == CUT:
                cut.append(_unread(document.unreadable, SbomOrigin.REFERRER))
            else:
                sboms += attached_sbom(document, (digest,), judge)
    of_build, left = await _of_buildkit(port, place)
    sboms, cut = [*sboms, *of_build], [*cut, *left]
    best: dict[str, Sbom] = {}
    for sbom in sorted(sboms, key=lambda each: each.strength is not Strength.PROVED):
        best.setdefault(sbom.document, sbom)
    ordered = tuple(best.values())
    return (*ordered[:MOST], *_left(ordered[MOST:]), *{each.document: each for each in cut}.values())


def _left(surplus: Sequence[Sbom]) -> list[Sbom]:
    """What stands for SBOMs that do not count, as there are too many; nothing where none is left."""
    if not surplus:
        return []
    proved = sum(each.strength is Strength.PROVED for each in surplus)
    left = counted(len(surplus), "more SBOM")
    return [_unread(f"more than {MOST} are attached: {left} left out, of which {proved} proved", surplus[0].origin)]


def attached_sbom(document: AttachedDocument, digests: Sequence[str], judge: Judge) -> tuple[Sbom, ...]:
    """What is attached to an image, where it is an SBOM and about one of these digests; else nothing."""
    if (origin := _PLAIN.get(document.kind)) is not None:
        return (
            _unread(document.unreadable, origin) if document.unreadable else plain_sbom(document.encoded, origin),
        )
    statement = statement_stating(document, Stated.SBOM)
    if statement is None:
        return ()
    about = next((digest for digest in digests if statement.is_about(digest)), None)
    if about is None:
        return ()
    text = json.dumps(statement.predicate, sort_keys=True).encode()
    return (_read(text, SbomOrigin.ATTESTATION, judge(document, about)),)


def plain_sbom(text: bytes, origin: SbomOrigin) -> Sbom:
    """Reads an SBOM that nobody has signed."""
    return _read(text, origin, Worth(Strength.CLAIMED, _UNSIGNED))


async def _of_buildkit(port: SignaturesPort, place: ImagePlace) -> tuple[list[Sbom], list[Sbom]]:
    """Those that BuildKit put beside the image, and what tells that there are more than are looked at."""
    sboms: list[Sbom] = []
    cut: list[Sbom] = []
    if place.index == place.digest:
        return sboms, cut
    try:
        index = read_strict_json(await port.manifest(place.registry, place.repository, place.index))
        for attested in attested_in(index):
            if attested.about != place.digest:
                continue
            manifest = read_strict_json(await port.manifest(place.registry, place.repository, attested.digest))
            blobs = statements_in(manifest, attested.about)
            blob_digests = [
                blob.digest for blob in blobs if stated_by_predicate(blob.predicate_type) is Stated.SBOM
            ]
            for digest in blob_digests[:MOST]:
                sboms += await _statement(port, place, digest)
            if len(blob_digests) > MOST:
                reason = f"{len(blob_digests)} are beside the image, of which {MOST} were looked at"
                cut.append(_unread(reason, SbomOrigin.BUILDKIT))
    except Failure as failure:
        if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
            raise
        sboms.append(_unread(failure.told, SbomOrigin.BUILDKIT))
    except Refused as error:
        sboms.append(_unread(str(error), SbomOrigin.BUILDKIT))
    except (ValueError, RecursionError):
        sboms.append(_unread("its manifest is not JSON", SbomOrigin.BUILDKIT))
    return sboms, cut


async def _statement(port: SignaturesPort, place: ImagePlace, blob: str) -> list[Sbom]:
    """One that BuildKit put beside the image. Of an image that the build gave no name it names no subject."""
    try:
        statement = read_statement(await port.config(place.registry, place.repository, blob))
    except Failure as failure:
        if failure.trouble not in (Trouble.MISSING, Trouble.MALFORMED):
            raise
        return [_unread(failure.told, SbomOrigin.BUILDKIT)]
    if statement.subjects and not statement.is_about(place.digest):
        return []
    return [plain_sbom(json.dumps(statement.predicate, sort_keys=True).encode(), SbomOrigin.BUILDKIT)]


def _read(text: bytes, origin: SbomOrigin, worth: Worth) -> Sbom:
    document = f"sha256:{hashlib.sha256(text).hexdigest()}"
    try:
        inventory = read_sbom(text, origin.value)
    except Failure as failure:
        inventory = Inventory(problems=(str(failure),))
    return Sbom(document, origin, worth.strength, worth.told, inventory, worth.judged_by, worth.judged_until)


def _unread(why: str, origin: SbomOrigin) -> Sbom:
    document = f"sha256:{hashlib.sha256(why.encode()).hexdigest()}"
    return Sbom(document, origin, Strength.CLAIMED, _UNSIGNED, Inventory(problems=(why,)))
