"""The files of an artifact, an archive that any workflow may have made: bounded, and never unpacked to a path."""

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from bot.domain.failure import Failure, Trouble
from bot.domain.wording.escaping import terminal
from bot.files.formats.zip_list import DAMAGES, check_list

LARGEST_ARCHIVE = 16 * 1024**2
MOST_FILES = 20
"""Of one artifact that are read."""
_MOST_ENTRIES = 1_000
_LARGEST_LIST = 512 * 1024
_LARGEST_FILE = 16 * 1024**2
_MOST_UNPACKED = 64 * 1024**2
_MOST_TIMES = 200
"""So many times as large may a file become; Trivy's own JSON becomes some 20."""
_SMALL = 64 * 1024
"""What is so small becomes as large as it likes."""
_LONGEST_NAME = 200
_ENDINGS = (".json", ".sarif")
_NOT_READ = "nothing of it is used"


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file by its name in the archive; `problem` says why it could not be read, and it has no bytes then."""

    name: str
    data: bytes = b""
    problem: str | None = None


def report_files(data: bytes, place: str) -> Iterator[ArtifactFile]:
    """The files that may be reports, by their endings, one at a time. Raises `Failure` for what is no archive, and
    where it holds more than a scanner would leave."""
    if len(data) > LARGEST_ARCHIVE:
        raise _malformed(f"has more than {LARGEST_ARCHIVE:,} bytes", place)
    file = io.BytesIO(data)
    check_list(file, place, _LARGEST_LIST, advice=_NOT_READ)
    try:
        archive = zipfile.ZipFile(file)
    except (*DAMAGES, ValueError, NotImplementedError) as error:
        raise _malformed(f"is no archive that can be read: {error}", place) from error
    with archive:
        infos = archive.infolist()
        if len(infos) > _MOST_ENTRIES:
            raise _malformed(f"has {len(infos):,} files, more than {_MOST_ENTRIES:,}", place)
        candidates = [info for info in infos if info.filename.lower().endswith(_ENDINGS) and not info.is_dir()]
        budget = _MOST_UNPACKED
        for info in candidates[:MOST_FILES]:
            report_file = _read_entry(archive, info, budget)
            budget -= len(report_file.data)
            yield report_file
        if len(candidates) > MOST_FILES:
            yield ArtifactFile(
                _shown_name(candidates[MOST_FILES].filename), problem=f"more than {MOST_FILES} reports"
            )


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: int) -> ArtifactFile:
    name = _shown_name(info.filename)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return ArtifactFile(name, problem="is no regular file")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return ArtifactFile(name, problem="is packed in a way that no artifact is")
    most = min(_LARGEST_FILE, budget, max(_MOST_TIMES * info.compress_size, _SMALL))
    try:
        with archive.open(info) as entry:
            data = entry.read(most + 1)
    except (*DAMAGES, ValueError, NotImplementedError) as error:
        return ArtifactFile(name, problem=f"cannot be unpacked: {terminal(str(error))[:_LONGEST_NAME]}")
    if len(data) > most:
        return ArtifactFile(name, problem=f"becomes more than {most:,} bytes")
    return ArtifactFile(name, data)


def _shown_name(name: str) -> str:
    """A name as it can be kept and shown; it is no path that anything is written to."""
    return terminal(name[:_LONGEST_NAME])


def _malformed(reason: str, place: str) -> Failure:
    return Failure(Trouble.MALFORMED, reason, where=place, advice=_NOT_READ)
