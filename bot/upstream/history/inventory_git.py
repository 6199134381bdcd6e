"""History out of a clone of dotnet/versions: every published inventory becomes the observations that it changed.

Microsoft commits the image inventory (see `feeds.image_info`) with each publication, so the commits of that one
file are a log of all tags. The clone is read with git itself, as bytes; nothing in it is checked out or fetched.
"""

import os
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import IO

from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Release
from bot.domain.feeds.document import MAX_DOCUMENT_BYTES
from bot.domain.reference import Base
from bot.domain.tags.tag import Tag
from bot.upstream.feeds.doubts import DoubtedLoss, WatchedTag
from bot.upstream.feeds.image_info import PlatformEntry, TagEntry, TagInventory, read
from bot.upstream.feeds.losses import InventoryLook, ended_channels, lost_from_inventory
from bot.upstream.history.log import MCR

DOCUMENT = "build-info/docker/image-info.dotnet-dotnet-docker-main.json"
FAMILIES = ("dotnet/runtime-deps", "dotnet/runtime", "dotnet/aspnet", "dotnet/sdk")
MOST_COMMITS = 50_000
LONGEST_RUN = 1800.0
"""Seconds for one git process; three years of history take less than a minute."""
LONGEST_TIME = 10
"""Digits of a commit's time in seconds, until the year 2286; a commit of any other time is passed over."""

_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
_SAFELY = ("-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-c", "protocol.allow=never")


def read_history(
    clone: Path, *, releases: Collection[Release] = (), document: str = DOCUMENT
) -> Iterator[Observation]:
    """Observations of the floating Linux tags, oldest first: where a digest is new, and where a tag is gone.
    `releases` tell which channels have ended.

    The time is the commit's; should a commit claim to be older than the one before it, it counts as made then.
    What an inventory has lost and should not have is doubted as the service doubts it, without the registry's word.
    Raises `Failure` where there is no clone, no git, or no such document in it. An inventory that cannot be read is
    passed over, as the live bot would keep the last good one.
    """
    earlier: TagInventory | None = None
    doubts: tuple[DoubtedLoss, ...] = ()
    live: dict[Base, Observation] = {}
    for moment, data in _documents(clone, document):
        try:
            inventory, _ = read(data, document)
        except Failure:
            continue
        look = InventoryLook(earlier, inventory, doubts, _list_watched_tags(live), ended_channels(releases, moment))
        weighed, step = lost_from_inventory(look, moment)
        doubts = weighed.doubts
        for base in sorted(Base(MCR, *key) for key in step.withdrawn):
            if live.pop(base, None) is not None:
                yield Observation(moment, base, None)
        for base, observation in sorted(floating(inventory, moment).items()):
            if base not in live or live[base].digest != observation.digest:
                live[base] = observation
                yield observation
        earlier = inventory


def _list_watched_tags(live: Mapping[Base, Observation]) -> list[WatchedTag]:
    return [
        WatchedTag((base.repository, base.tag), base, observation.digest, observation.at)
        for base, observation in live.items()
    ]


def floating(inventory: TagInventory, moment: datetime) -> Mapping[Base, Observation]:
    """What an inventory shows of the families' floating Linux tags (`latest`, `8.0`, `9.0-preview-alpine`)."""
    observations: dict[Base, Observation] = {}
    for entry in inventory.tags.values():
        if entry.repository in FAMILIES and Tag.parse(entry.tag).is_floating:
            observation = _observation(entry, moment)
            if observation is not None:
                observations[observation.base] = observation
    return observations


def _observation(entry: TagEntry, moment: datetime) -> Observation | None:
    images = [
        _image(platform, platform.digest)
        for platform in entry.platforms
        if platform.digest is not None and platform.platform.startswith("linux/")
    ]
    if not images:
        return None
    return Observation(
        at=moment,
        base=Base(MCR, entry.repository, entry.tag),
        digest=entry.index_digest or images[0].digest,
        version=None if entry.repository.endswith("/runtime-deps") else entry.product_version,
        created=None if entry.is_shared else images[0].created,
        platforms=tuple(sorted(images, key=lambda image: image.platform)),
    )


def _image(platform: PlatformEntry, digest: str) -> PlatformImage:
    created = platform.created_at
    return PlatformImage(
        platform=platform.platform,
        digest=digest,
        created=created.isoformat().replace("+00:00", "Z") if created else None,
        os=platform.os_version or None,
        layers=tuple(layer.removeprefix("sha256:")[:12] for layer in platform.layers),
    )


def _documents(clone: Path, document: str) -> Iterator[tuple[datetime, bytes]]:
    commits = _commits(clone, document)
    if not commits:
        message = f"no commit touches {document}"
        raise Failure(Trouble.MISSING, message, where=str(clone), advice="give a full clone of dotnet/versions")
    latest = commits[0][1]
    with _git(clone, "cat-file", "--batch", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for commit, commit_time in commits:
            latest = max(latest, commit_time)
            process.stdin.write(f"{commit}:{document}\n".encode())
            process.stdin.flush()
            data = _blob(process.stdout, clone, commit)
            if data is not None:
                yield latest, data
            elif _is_listed(clone, commit, document):
                raise _clone_failure(clone, f"it lacks the document of commit {commit[:12]}")


def _commits(clone: Path, document: str) -> list[tuple[str, datetime]]:
    """Oldest first, along the main line: a merge counts when it was merged."""
    order = ("log", "--first-parent", "--reverse", "--format=%H %ct", f"--max-count={MOST_COMMITS}")
    with _git(clone, *order, "--", document) as process:
        assert process.stdout is not None
        lines = process.stdout.read().decode("ascii", "replace").split("\n")
    commits: list[tuple[str, datetime]] = []
    for line in lines:
        commit, _, seconds = line.partition(" ")
        if seconds.isdigit() and len(seconds) <= LONGEST_TIME:
            commits.append((commit, datetime.fromtimestamp(int(seconds), UTC)))
    return commits


def _blob(stream: IO[bytes], clone: Path, commit: str) -> bytes | None:
    """One answer of `git cat-file --batch`; None where that commit removed the document, or the clone lacks it."""
    header = stream.readline(4096).decode("utf-8", "replace").split()
    if len(header) != 3 or header[1] != "blob" or not header[2].isdigit():
        if header and header[-1] == "missing":
            return None
        raise _clone_failure(clone, f"git does not give the document of commit {commit[:12]}")
    size = int(header[2])
    if size > MAX_DOCUMENT_BYTES:
        raise _clone_failure(clone, f"the document of commit {commit[:12]} has {size} bytes")
    data = stream.read(size + 1)
    if len(data) != size + 1:
        raise _clone_failure(clone, f"git ended within the document of commit {commit[:12]}")
    return data[:-1]


def _is_listed(clone: Path, commit: str, document: str) -> bool:
    """Whether the commit has the document: a partial or damaged clone may lack what it names."""
    with _git(clone, "ls-tree", "--full-tree", commit, "--", document) as process:
        assert process.stdout is not None
        return bool(process.stdout.read(1))


@contextmanager
def _git(clone: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
    """A git process that is gone when the block is left; its complaint becomes a `Failure`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(clone), *_SAFELY, *arguments]
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, no options  # nosec B603
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment | _ENVIRONMENT,
        )
    except FileNotFoundError:
        raise Failure(Trouble.MISSING, "git is not installed", advice="install git") from None
    watchdog = Timer(LONGEST_RUN, process.kill)
    watchdog.start()
    finished = False
    try:
        with suppress(BrokenPipeError):
            yield process
        finished = True
    finally:
        watchdog.cancel()
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        if not finished:
            process.kill()
        complaint = (process.stderr.read(2000) if process.stderr else b"").decode("utf-8", "replace")
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        status = process.wait()
    if status != 0:
        lines = complaint.strip().splitlines() or [f"git ended with {status}"]
        fatal_line = next((line for line in lines if line.startswith("fatal: ")), lines[-1])
        raise _clone_failure(clone, fatal_line.removeprefix("fatal: "))


def _clone_failure(clone: Path, message: str) -> Failure:
    return Failure(Trouble.MALFORMED, message, where=str(clone), advice="give a full clone of dotnet/versions")
