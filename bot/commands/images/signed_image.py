"""One image in its registry, judged by its signatures alone: by whom the caller trusts, not by the settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.clients.registry import Registry
from bot.commands.images.registry_image import opened_registries
from bot.domain.bases.image import Index, read_document
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.stated import Stated
from bot.domain.reference import Reference
from bot.images.signatures.verdict import CheckState, Remembered, SignatureCheck, SignatureVerdict
from bot.images.trust.collecting import AttachedDocument, signatures_of
from bot.images.trust.judging import Trusted, verdicts
from bot.images.trust.stating import may_state, noting_what_is_stated
from bot.settings import Settings

_COUNT = frozenset({Stated.SIGNATURE, Stated.PROVENANCE})
"""Who asks for signatures by options may mean GitHub's attestations, which are provenance; a note says so."""


@dataclass(frozen=True, slots=True)
class SignedPart:
    """What was asked for, whose `platform` is empty, or an image in it, with the verdicts of its signatures."""

    platform: str
    digest: str
    verdicts: tuple[SignatureVerdict, ...]

    def verdict(self, kind: str) -> SignatureVerdict:
        """One that holds is enough; else the first counts."""
        missing = SignatureCheck(
            "signature", CheckState.FAILED, "no signature of this kind is there", "sign it, or mirror it"
        )
        none = SignatureVerdict(kind, (missing,), digest=self.digest)
        return next((each for each in self.verdicts if each.is_valid), next(iter(self.verdicts), none))


@dataclass(frozen=True, slots=True)
class SignedImage:
    """All parts of an image, the one that was asked for first."""

    reference: Reference
    kind: str
    parts: tuple[SignedPart, ...]
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return self.parts[0].digest

    @property
    def verdict(self) -> SignatureVerdict:
        """The first part's that does not hold, as each part has signatures of its own; else the first part's."""
        failed = next((part for part in self.parts if not part.verdict(self.kind).is_valid), None)
        part = failed or self.parts[0]
        part_note = (f"this is said of {part.platform} in it, {part.digest}",) if part.platform else ()
        return part.verdict(self.kind).noting(*part_note, *self.notes)


async def judge_signatures(
    settings: Settings,
    reference: Reference,
    trusted: Trusted,
    moment: datetime,
    clock: Clock,
    *,
    counts: Callable[[AttachedDocument], bool] = lambda _: True,
) -> SignedImage:
    """Asks the registry for all signatures of an image and of each platform in it.

    `trusted.name` is the kind of signature, `counts` tells which of them are looked at. A digest of which the
    registry keeps signatures alone is judged by them, and that is noted. Raises `Failure` where the registry does
    not answer.
    """
    place = reference.base
    async with opened_registries(settings, clock) as registry:
        digest = reference.digest or (await registry.head(place)).digest
        platforms, notes = await _parts(settings, registry, reference, digest)
        parts: list[SignedPart] = []
        for platform, part_digest in (("", digest), *platforms):
            documents = await signatures_of(registry, place.registry, place.repository, part_digest)
            made = [
                noting_what_is_stated(verdict, one)
                for one in documents
                if counts(one) and may_state(one, _COUNT)
                for verdict in verdicts([one], trusted, part_digest, moment, Remembered())
            ]
            parts.append(SignedPart(platform, part_digest, tuple(made)))
    is_bare = bool(notes) and not parts[0].verdicts
    if is_bare:
        raise Failure(Trouble.MISSING, "is not there", where=f"{place.name}@{digest}", advice="check the digest")
    return SignedImage(reference, trusted.name, tuple(parts), notes)


async def _parts(
    settings: Settings, registry: Registry, reference: Reference, digest: str
) -> tuple[Sequence[tuple[str, str]], tuple[str, ...]]:
    """The images in an index, platform and digest each; and a note where only signatures may be there."""
    place = reference.base
    try:
        body = await registry.manifest(place.registry, place.repository, digest)
    except Failure as failure:
        if failure.trouble is not Trouble.MISSING or reference.digest is None:
            raise
        return (), ("the registry keeps signatures of this digest, and not the image itself",)
    document = read_document(body, f"{place.name}@{digest[:19]}…")
    if not isinstance(document, Index):
        return (), ()
    return [
        (entry.name, entry.digest) for entry in document.every_image() if settings.images.judges(entry.platform)
    ], ()
