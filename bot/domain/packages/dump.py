"""A dump of vulnerabilities, as it was opened, and what tells whether it has changed."""

from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class DumpMark:
    """Validators of the server that gave it, or size and time of its file."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class OpenedDump:
    """A dump to be read; a temporary file is gone once it is closed."""

    file: IO[bytes]
    mark: DumpMark
