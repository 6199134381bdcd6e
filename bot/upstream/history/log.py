"""The observation log and the release log: history as JSON Lines, to keep, to move and to replay.

Observations, oldest first, one a line: `at`, `repository`, `tag`, `digest` (null: withdrawn), `version`, `created`,
`platforms` (`platform`, `digest`, `created`, `os`, `layers` bottom first, whole or 12 hex digits, and
`diff_ids` where they are known). `registry` is written
where it is not mcr.microsoft.com. Releases: `published_at`, `channel`, `release`, `runtime`, `aspnetcore`, `sdks`,
`security`, `cves`, `cves_listed_at`, `date`, `support_phase`, `eol_date`. Unknown keys are skipped, and null is an
empty list.

Files may be plain, gzip or xz; their first bytes tell, not their names.
"""

import gzip
import json
import lzma
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import IO, Annotated, Any, BinaryIO, TypeVar, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
)

from bot.domain.bases.image import MOST_LAYERS
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.domain.wording.misfits import misfit

MCR = "mcr.microsoft.com"
LONGEST_LINE = 1 << 20
"""Bytes. The longest line in three years of Microsoft's history has 2 KB."""


def _within_reach(moment: datetime) -> datetime:
    """In UTC. Far enough from both ends of the calendar that every wait can be added to it."""
    if not 1970 <= moment.year <= 2999:
        raise ValueError("is not between the years 1970 and 2999")
    return moment.astimezone(UTC)


def _empty_if_null(value: object) -> object:
    return [] if value is None else value


_Moment = Annotated[AwareDatetime, AfterValidator(_within_reach)]
_NullIsEmpty = BeforeValidator(_empty_if_null)
_Digest = Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
_Layer = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{12}|sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$")]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=255)]
_Text = Annotated[str, StringConstraints(max_length=256)]
_Cve = Annotated[str, StringConstraints(pattern=r"^CVE-\d{4}-\d{4,12}$")]


class _PlatformRow(BaseModel):
    platform: _Text
    digest: _Digest
    created: _Text | None = None
    os: _Text | None = None
    layers: Annotated[list[_Layer], Field(max_length=MOST_LAYERS), _NullIsEmpty] = []
    diff_ids: Annotated[list[_Digest], Field(max_length=MOST_LAYERS), _NullIsEmpty] = []


class _ObservationRow(BaseModel):
    at: _Moment
    registry: _Name = MCR
    repository: _Name
    tag: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    digest: _Digest | None
    version: _Text | None = None
    created: _Text | None = None
    platforms: Annotated[list[_PlatformRow], Field(max_length=64), _NullIsEmpty] = []


class _ReleaseRow(BaseModel):
    published_at: _Moment
    channel: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}$")]
    release: _Text
    runtime: _Text | None = None
    aspnetcore: _Text | None = None
    sdks: Annotated[list[_Text], Field(max_length=256), _NullIsEmpty] = []
    security: bool | None = None
    cves: Annotated[list[_Cve], Field(max_length=1024), _NullIsEmpty] = []
    cves_listed_at: _Moment | None = None
    released_on: date | None = Field(None, alias="date")
    support_phase: _Text | None = None
    eol_date: date | None = None


_Row = TypeVar("_Row", bound=BaseModel)


def read_observations(path: Path) -> Iterator[Observation]:
    """Reads a log line by line, so that a long one needs no memory; raises `Failure` naming the line that is wrong.

    A line that is older than the one before it is refused: a replay would see the past change.
    """
    latest: datetime | None = None
    for place, row in _rows(path, _ObservationRow):
        moment = row.at
        if latest is not None and moment < latest:
            raise _line_failure(
                place, f"observed at {_time(moment)}, before the line above it", "sort the log by `at`"
            )
        latest = moment
        yield Observation(
            at=moment,
            base=_base(row.registry, row.repository, row.tag),
            digest=row.digest,
            version=row.version,
            created=row.created,
            platforms=tuple(
                PlatformImage(
                    image.platform,
                    image.digest,
                    image.created,
                    image.os,
                    tuple(image.layers),
                    tuple(image.diff_ids),
                )
                for image in row.platforms
            ),
        )


def read_release_log(path: Path) -> tuple[Release, ...]:
    """Reads the releases in the order of the file; raises `Failure` naming the line that is wrong."""
    return tuple(
        Release(
            channel=row.channel,
            version=row.release,
            published_at=row.published_at,
            runtime=row.runtime,
            aspnetcore=row.aspnetcore,
            sdks=tuple(row.sdks),
            security=bool(row.security),
            cves=tuple(row.cves),
            cves_listed_at=row.cves_listed_at,
            released_on=row.released_on,
            support_phase=row.support_phase,
            end_of_life=row.eol_date,
        )
        for _, row in _rows(path, _ReleaseRow)
    )


def write_observations(observations: Iterable[Observation], out: IO[str]) -> int:
    """Writes what `read_observations` reads, the same bytes for the same input; returns the lines written."""
    return _write((observation_row(observation) for observation in observations), out)


def write_releases(releases: Iterable[Release], out: IO[str]) -> int:
    return _write((release_row(release) for release in releases), out)


def observation_row(observation: Observation) -> dict[str, Any]:
    base = observation.base
    row: dict[str, Any] = {"at": _time(observation.at)}
    if base.registry != MCR:
        row["registry"] = base.registry
    row |= {"repository": base.repository, "tag": base.tag, "digest": observation.digest}
    if observation.digest is None:
        return row
    return row | {
        "version": observation.version,
        "created": observation.created,
        "platforms": [_platform_row(image) for image in observation.platforms],
    }


def _platform_row(image: PlatformImage) -> dict[str, Any]:
    row: dict[str, Any] = {
        "platform": image.platform,
        "digest": image.digest,
        "created": image.created,
        "os": image.os,
        "layers": list(image.layers),
    }
    return row | {"diff_ids": list(image.diff_ids)} if image.diff_ids else row


def release_row(release: Release) -> dict[str, Any]:
    return {
        "date": _day(release.released_on),
        "published_at": _time(release.published_at),
        "channel": release.channel,
        "release": release.version,
        "runtime": release.runtime,
        "aspnetcore": release.aspnetcore,
        "sdks": list(release.sdks),
        "security": release.security,
        "cves": list(release.cves),
        "cves_listed_at": _time(release.cves_listed_at) if release.cves_listed_at else None,
        "support_phase": release.support_phase,
        "eol_date": _day(release.end_of_life),
    }


def read_lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """`("name line 3", bytes)` for every line that is not blank, unpacked; raises `Failure`."""
    place = path.name
    number = 0
    try:
        with _open_unpacked(path) as stream:
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                place = f"{path.name} line {number}"
                if number == 1:
                    line = line.removeprefix(BOM_UTF8)
                if len(line) > LONGEST_LINE:
                    raise _line_failure(place, f"longer than {LONGEST_LINE >> 10} KiB", "one JSON object a line")
                if line.strip():
                    yield place, line
    except FileNotFoundError:
        raise Failure(Trouble.MISSING, "no such file", where=str(path), advice="check the path") from None
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        advice = "fetch the file again"
        raise _line_failure(f"{path.name} after line {number}", f"cannot be unpacked: {error}", advice) from None
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise Failure(
            Trouble.DENIED, message, where=str(path), advice="check the path and its permissions"
        ) from None


def _rows(path: Path, model: type[_Row]) -> Iterator[tuple[str, _Row]]:
    for place, line in read_lines(path):
        try:
            yield place, model.model_validate_json(line)
        except ValidationError as error:
            raise _line_failure(place, misfit(error), "one JSON object a line, see the log format") from None


@contextmanager
def _open_unpacked(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        magic = raw.peek(6)[:6]  # a pipe cannot be read twice
        if magic == b"\xfd7zXZ\x00":
            with lzma.open(raw) as stream:
                yield cast(BinaryIO, stream)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.open(raw) as stream:
                yield cast(BinaryIO, stream)
        else:
            yield raw


@lru_cache(maxsize=8192)
def _base(registry: str, repository: str, tag: str) -> Base:
    return Base(registry, repository, tag)


def _write(rows: Iterable[dict[str, Any]], out: IO[str]) -> int:
    count = 0
    for row in rows:
        out.write(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")
        count += 1
    return count


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _line_failure(place: str, message: str, advice: str) -> Failure:
    return Failure(Trouble.MALFORMED, message, where=place, advice=advice)
