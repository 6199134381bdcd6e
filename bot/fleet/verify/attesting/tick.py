"""One tick: images that are proved fresh get a statement that says so, renewed while that lasts.

A statement is never taken back: it ends by not being renewed, and whoever asks for one sets how old it may be.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageState
from bot.domain.reference import Base
from bot.fleet.verify.attesting.summary import PREDICATE, Verifier, signed, summary
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff


class Attacher(Protocol):
    """Registries as far as something is put beside an image."""

    async def attach(self, place: Base, digest: str, envelope: bytes, verifier: str, predicate_type: str) -> None:
        """Puts a signed statement beside the image `digest`, in place of an earlier one of this verifier.

        Raises `Failure`.
        """
        ...


@dataclass(frozen=True, slots=True)
class DueAttestation:
    """An image of which it may be stated anew that it is fresh."""

    id: int
    image: ProducedImage


class AttestingStore(Protocol):
    """Each method is one transaction."""

    @property
    def attestations(self) -> Queue[DueAttestation]: ...

    async def make_due(self) -> None:
        """A row for each image that has none, and at once what was seen with another digest since."""
        ...

    async def settle_attestation(self, attestation: DueAttestation, due_at: datetime, *, attached: bool) -> None:
        """Notes that the image was considered, and whether a statement was attached. Raises `LeaseLost`."""
        ...


RENEWED_EVERY = timedelta(hours=24)
_LOOKED_AGAIN = timedelta(hours=1)
"""After which an image that is not fresh is considered again; a look that finds a new digest does so at once."""


@dataclass(frozen=True, slots=True)
class AttestingTally:
    """How many statements were attached, and what hindered others, one line each."""

    attached: int = 0
    problems: tuple[str, ...] = field(default=())


def is_proved_fresh(image: ProducedImage) -> bool:
    """Whether all its platforms are proved to stand on what their base shows now, and nobody else claims it."""
    return image.state is ImageState.CURRENT and image.doubt is None


async def tick(store: AttestingStore, attacher: Attacher, verifier: Verifier, loop: Loop) -> AttestingTally:
    """Attaches to each image that is due and fresh the statement that it is so."""
    await store.make_due()
    work = _Attesting(store, attacher, verifier, loop)
    tally = await loop.run(work)
    return AttestingTally(work.attached, tuple(tally.problems))


class _Attesting(Work[DueAttestation, bool]):
    """The result is whether a statement was attached."""

    stage = "attest"
    rests_by_backoff = True
    batch = 200

    def __init__(self, store: AttestingStore, attacher: Attacher, verifier: Verifier, loop: Loop) -> None:
        self._store = store
        self._attacher = attacher
        self._verifier = verifier
        self._clock = loop.clock
        self.attached = 0

    @property
    def queue(self) -> Queue[DueAttestation]:
        return self._store.attestations

    def host(self, item: DueAttestation) -> str:
        return item.image.claim.registry

    def key(self, item: DueAttestation) -> object | None:
        """Two repositories may claim one image; a registry's document is changed by one at a time."""
        return item.image.claim.name

    async def attempt(self, item: DueAttestation, lease: Lease) -> bool:
        image, verifier = item.image, self._verifier
        if image.digest is None or not is_proved_fresh(image):
            return False
        statement = summary(image.place, image.digest, image.standings, verifier, self._clock.now())
        await lease.check()
        await self._attacher.attach(image.place, image.digest, signed(statement, verifier), verifier.id, PREDICATE)
        return True

    async def settle(self, item: DueAttestation, result: bool) -> None:
        rest = RENEWED_EVERY if result else _LOOKED_AGAIN
        await self._store.settle_attestation(item, self._clock.now() + rest, attached=result)
        self.attached += result

    async def failed(self, item: DueAttestation, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"{item.image.place}: no statement is attached: {failure.told}"
