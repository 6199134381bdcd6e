"""Every command that shows what the store knows fits a terminal of 80 columns, over a fleet with long names."""

import asyncio
import io
import json
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import main
from bot.domain.clock import SystemClock
from bot.store.engine.codec import say_once
from bot.store.engine.database import open_database
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.serving import NOW
from tests.migrated import new_sqlite
from tests.plain_logs import log_plainly

BASE = "aspnet:10.0-noble-chiseled"
OF_ALL = [
    *(["status"], ["plan"], ["images"], ["cve"], ["journal"], ["promises"], ["summary"]),
    *(["rollout", "list"], ["quarantine", "list"], ["packages", "find", "openssl"]),
]
SHOWN = [
    *OF_ALL,
    *(["history", BASE], ["tree", BASE], ["image", "orders-consumer"], ["explain", "contoso/orders-consumer"]),
    *(["rollout", "show", "13"], ["cve", "CVE-2026-31790"], ["cve", "CVE-2026-31790", "--all"]),
    *(["audit", "contoso/orders-consumer", "--all"], ["catch-up", "--dry-run"]),
    ["policy", "test", "-r", "contoso/orders-consumer", "-b", BASE],
]
COLUMNS = 80
_STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;.*?\x1b\\")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings of a bot whose store has a fleet of forty repositories."""
    folder = tmp_path_factory.mktemp("stored")
    asyncio.run(_write(new_sqlite(folder / "fleet.db")))
    return settings_of(folder)


def settings_of(folder: Path) -> Path:
    path = folder / "freshness.yaml"
    path.write_text(f"store: {{url: 'sqlite:///{folder}/fleet.db'}}\n")
    return path


async def _write(url: str) -> None:
    database = await open_database(url)
    await StoredFleet(database, NOW, 40, 4).write()
    await database.close()


def shown(monkeypatch: pytest.MonkeyPatch, out: io.StringIO, words: list[str], config: Path) -> str:
    """What a command writes at the moment to which the fleet is told: later, less and less of it is shown."""
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setattr(sys, "argv", ["freshness-bot", *words, "-c", str(config)])
    monkeypatch.setattr(sys, "stdout", out)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None, 1, 3)
    return out.getvalue()


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_no_line_is_wider_than_the_terminal_unless_it_is_one_name(
    monkeypatch: pytest.MonkeyPatch, config: Path, words: list[str]
) -> None:
    lines = _STYLE.sub("", shown(monkeypatch, Terminal(), words, config)).splitlines()
    assert too_wide(lines) == []
    assert lines


def test_what_an_old_package_is_in_fits_a_screen_or_so(monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    words = ["packages", "find", "openssl"]
    lines = shown(monkeypatch, Terminal(), words, config).splitlines()
    assert len(lines) <= 50
    assert len(shown(monkeypatch, Terminal(), [*words, "--all"], config).splitlines()) > 200


def test_nor_is_one_where_there_is_nothing_to_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    new_sqlite(tmp_path / "fleet.db")
    config = settings_of(tmp_path)
    for words in OF_ALL:
        lines = _STYLE.sub("", shown(monkeypatch, Terminal(), words, config)).splitlines()
        assert (words, too_wide(lines)) == (words, [])


def too_wide(lines: list[str]) -> list[str]:
    return [line for line in lines if len(line) > COLUMNS and len(line.split()) > 1]


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_as_json_it_is_one_document(monkeypatch: pytest.MonkeyPatch, config: Path, words: list[str]) -> None:
    assert isinstance(json.loads(shown(monkeypatch, io.StringIO(), [*words, "-f", "json"], config)), dict | list)


def test_a_row_that_cannot_be_read_is_told_beside_the_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path, tmp_path: Path
) -> None:
    shutil.copy(config.parent / "fleet.db", tmp_path / "fleet.db")
    with closing(sqlite3.connect(tmp_path / "fleet.db")) as database, database:
        database.execute("UPDATE bases SET due_at = 'noon' WHERE id = 1")
    say_once.cache_clear()
    json.loads(shown(monkeypatch, io.StringIO(), ["status", "-f", "json"], settings_of(tmp_path)))
    log_plainly()
    out, err = capsys.readouterr()
    assert (out, "row cannot be read" in err) == ("", True)
