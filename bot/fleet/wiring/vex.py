"""The VEX documents that settings name, as they are read from their files."""

from pathlib import Path

from bot.domain.failure import Failure, Trouble
from bot.images.vex.statements import LARGEST_VEX, VexStatement, read_vex


def read_vex_file(path: Path) -> tuple[bytes, list[VexStatement]]:
    """Reads a document: its bytes, and what it states; raises `Failure` where it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_VEX + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise Failure(Trouble.MALFORMED, reason, where=str(path), advice="mount it there, see gate.vex") from None
    return data, list(read_vex(data, str(path)))
