"""Every command that shows what the store knows fits a terminal of 80 columns, over a fleet with long names."""

import asyncio
import io
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli import main
from bot.cli.screen import output
from bot.domain.clock import SystemClock
from bot.store.engine.codec import say_once
from sandbox.stored_fleet.serving import NOW
from tests.integration.cli.stored_fleet import settings_of, write_fleet
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
    asyncio.run(write_fleet(new_sqlite(folder / "fleet.db")))
    return settings_of(folder)


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


@pytest.mark.parametrize("words", [*SHOWN, ["backtest"]], ids=" ".join)
def test_the_first_line_is_the_answer_and_no_heading(
    monkeypatch: pytest.MonkeyPatch, config: Path, words: list[str]
) -> None:
    headings: list[Sequence[str]] = []
    write = output._plain

    def noted(columns: Sequence[str], rows: Sequence[Sequence[output._Cell]]) -> Iterator[str]:
        headings.append(columns)
        return write(columns, rows)

    monkeypatch.setattr(output, "_plain", noted)
    first = shown(monkeypatch, io.StringIO(), words, config).splitlines()[0]
    assert [columns for columns in headings if first.split() == " ".join(columns).split()] == []
    assert len(first.split()) > 1


@pytest.mark.parametrize("file", [io.StringIO, Terminal])
def test_a_replay_breaks_no_word(
    monkeypatch: pytest.MonkeyPatch, config: Path, file: Callable[[], io.StringIO]
) -> None:
    replayed = shown(monkeypatch, file(), ["backtest"], config)
    bases = json.loads(shown(monkeypatch, io.StringIO(), ["status", "-f", "json"], config))["bases"]
    words = {word.strip(",;:") for word in _STYLE.sub("", replayed).split()}
    named = {word for word in words if ":10.0" in word or ":9.0" in word}
    assert named
    assert named <= {each["base"].rpartition("/")[2] for each in bases}


def test_a_replay_of_the_bots_own_store_says_how_to_get_more(monkeypatch: pytest.MonkeyPatch, config: Path) -> None:
    replayed = shown(monkeypatch, io.StringIO(), ["backtest"], config)
    assert "freshness-bot import --from-git versions" in replayed.splitlines()[-1]


def test_a_store_that_has_seen_nothing_is_not_replayed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    new_sqlite(tmp_path / "fleet.db")
    monkeypatch.setattr(sys, "argv", ["freshness-bot", "backtest", "-c", str(settings_of(tmp_path))])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "the store has seen no base yet, so there is nothing to replay; for years of history clone "
        "https://github.com/dotnet/versions, then call `freshness-bot import --from-git versions`\n"
    )
