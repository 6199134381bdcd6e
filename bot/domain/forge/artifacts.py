"""What workflow runs leave behind at the forge."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Artifact:
    """An archive that a run has kept; `size` counts its bytes as packed. One that `is_expired` is listed only.

    `digest` is that of the archive (`sha256:…`), None where the forge does not tell it.
    """

    id: int
    name: str
    size: int
    is_expired: bool = False
    digest: str | None = None
