"""A software bill of materials: the packages that somebody says an image has, and how much of that is proved."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.evidence import Strength
from bot.domain.packages.package import Inventory


class SbomOrigin(StrEnum):
    """How an SBOM came to an image."""

    BUILDKIT = "BuildKit's attestation"
    ATTESTATION = "signed attestation"
    REFERRER = "referrer"
    TAG = "cosign's tag"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Sbom:
    """What one document lists; its problems say why something of it, or all, cannot be read.

    It is proved only where somebody trusted has signed an attestation of it about this image, else claimed;
    `signer_text` says by whom it is signed, or why that does not count. `document` is the digest of the text.
    """

    document: str
    origin: SbomOrigin
    strength: Strength
    signer_text: str
    inventory: Inventory
    judged_by: str | None = None
    """The mark of who was trusted when it was proved; None of what is claimed."""
    judged_until: datetime | None = None
    """The first moment at which its signature may be judged otherwise; None where time decides nothing."""


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One platform's image in its registry: the digest of its manifest, and that of the index that lists it.

    Both are the same where there is no index.
    """

    registry: str
    repository: str
    digest: str
    index: str

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.repository}"

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests by which a statement about this image may name it."""
        return tuple(dict.fromkeys((self.digest, self.index)))
