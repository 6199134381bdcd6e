"""What attesting needs of registries and of the store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.reconcile.work import Queue


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
