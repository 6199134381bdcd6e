"""A dump of vulnerabilities, as it was opened, and what tells whether it has changed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Self


@dataclass(frozen=True, slots=True)
class DumpMark:
    """Validators of the server that gave it, or size and time of its file."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of_file(cls, size: int, written_ns: int) -> Self:
        """Of a file of so many bytes, written so many nanoseconds after 1970."""
        return cls(f"{size}", f"{written_ns}")

    @property
    def written_at(self) -> datetime | None:
        """When a file was written; None where it is no mark of a file."""
        if not self.last_modified.isdecimal() or not self.last_modified.isascii():
            return None
        try:
            return datetime.fromtimestamp(int(self.last_modified) // 10**9, UTC)
        except (ValueError, OverflowError, OSError):
            return None


@dataclass(frozen=True, slots=True)
class OpenedDump:
    """A dump to be read; a temporary file is gone once it is closed."""

    file: IO[bytes]
    mark: DumpMark
