"""The store between two runs: a compressed copy on a branch, which only a run that knows the newest may replace.

What feeds and registries hand out again lies apart, in a folder that a cache may keep. It counts only where the
state names it: what else lies there is of another run, or of somebody else.
"""

import asyncio
import json
import lzma
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from bot.clients.forges.github.state_branch import KeptFiles, StateBranch, StateHome
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.refusals import BranchMoved
from bot.settings import BadSettings
from bot.store.refetchable import TakenApart, mark_of, put_together, take_apart

_DATABASE = "freshness.db.xz"
_FACTS = "state.json"
_CACHED = "refetchable.db"
_FORMAT = 1
_README = """\
# What the freshness bot remembers

This branch has one commit, which each run of the bot replaces. `freshness.db.xz` is its database (SQLite,
compressed with xz): which images stand on which bases, what was rebuilt and why, what people have said. It names
repositories and open CVEs, so it is as private as this repository.

Deleting the branch has the bot look at everything for the first time again.
"""


class Keeping(StrEnum):
    """What became of the state at the end of a run, as the output `state` tells it."""

    KEPT = "kept"
    UNCHANGED = "unchanged"
    OVERTAKEN = "overtaken"
    NOT_KEPT = "not kept"


@dataclass(frozen=True, slots=True)
class StorePlaces:
    """Where the database of this run lies, and the folder that keeps from run to run what can be fetched again."""

    store: Path
    cache: Path

    @property
    def cached(self) -> Path:
        return self.cache / _CACHED


@dataclass(frozen=True, slots=True)
class Restored:
    """The state as the last run has left it. `commit` is None where there was none; `runs` counts those that have
    kept one, the last of them `at` that moment. `cached` is the mark of what lay apart."""

    home: StateHome
    commit: str | None = None
    runs: int = 0
    at: datetime | None = None
    database: bytes = b""
    cached: str = ""


async def restore(branch: StateBranch, places: StorePlaces, *, may_be_public: bool) -> Restored:
    """Writes the database of the last run; nothing where there is none.

    Raises `BadSettings` where everybody could read it, and `Failure` where it cannot be read.
    """
    home = await branch.home()
    if home.is_public and not may_be_public:
        raise BadSettings(
            [
                f"{home.identity} is public: the state names repositories and open CVEs, which all could read; "
                "put the workflow into a private repository, or set the input public-state to true"
            ]
        )
    kept = await branch.read(home)
    if kept is None:
        return Restored(home)
    restored = await asyncio.to_thread(_read, home, kept)
    await asyncio.to_thread(_write, restored, places)
    return restored


def _write(restored: Restored, places: StorePlaces) -> None:
    cached = places.cached.read_bytes() if places.cached.is_file() else None
    if cached is not None and mark_of(cached) != restored.cached:
        cached = None
    put_together(places.store, restored.database, cached)


def _read(home: StateHome, kept: KeptFiles) -> Restored:
    try:
        facts = json.loads(kept.files[_FACTS])
        if int(facts["format"]) > _FORMAT:
            what = f"it was kept by a newer version of the bot ({facts['bot']})"
            raise Failure(
                Trouble.MALFORMED, what, where="the state's branch", advice="use that version, or a later one"
            )
        kept_at, database = datetime.fromisoformat(facts["at"]), lzma.decompress(kept.files[_DATABASE])
        return Restored(home, kept.commit, int(facts["runs"]), kept_at, database, str(facts.get("cached", "")))
    except (KeyError, ValueError, TypeError, lzma.LZMAError) as error:
        raise Failure(
            Trouble.MALFORMED,
            f"what it holds is no state of the bot ({type(error).__name__})",
            where="the state's branch",
            advice="delete the branch, and the bot looks at everything for the first time again",
        ) from error


async def keep(branch: StateBranch, restored: Restored, places: StorePlaces, now: datetime) -> Keeping:
    """Puts the database of this run in the place of the one before, unless nothing in it has changed.

    Another run that was faster is left its own: what this one did on the forge shows there. Raises `Failure`.
    """
    if not places.store.exists():
        return Keeping.UNCHANGED
    parts = await asyncio.to_thread(take_apart, places.store)
    if parts.own == restored.database:
        return Keeping.UNCHANGED
    facts = {
        "format": _FORMAT,
        "bot": version("freshness-bot"),
        "runs": restored.runs + 1,
        "at": now.isoformat(),
        "cached": parts.mark,
    }
    files = {
        _DATABASE: await asyncio.to_thread(lzma.compress, parts.own, preset=6),
        _FACTS: (json.dumps(facts, indent=2) + "\n").encode(),
        "README.md": _README.encode(),
    }
    try:
        await branch.replace(restored.home, files, f"State after {facts['runs']} runs", restored.commit)
    except BranchMoved:
        return Keeping.OVERTAKEN
    await asyncio.to_thread(_keep_apart, parts, places)
    return Keeping.KEPT


def _keep_apart(parts: TakenApart, places: StorePlaces) -> None:
    places.cache.mkdir(mode=0o700, exist_ok=True)
    places.cached.write_bytes(parts.refetchable)
