"""The program as installed: its help, its exit codes, and how it fails."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.clock import ManualClock
from bot.domain.repositories.repository import Reading, Repository
from bot.files.formats.finding import find_usages
from bot.store.engine.database import open_database
from tests.integration.cli.conftest import PROGRAM, Command
from tests.integration.cli.settings_files import with_token
from tests.integration.store.filling import Stores
from tests.migrated import new_sqlite

HEAVY = ("sqlalchemy", "alembic", "httpx", "github", "starlette", "cryptography", "jinja2")
COMMANDS = [
    *(["run"], ["once"], ["status"], ["plan"], ["explain"], ["scan"], ["update"], ["history"]),
    *(["backtest"], ["config"], ["config", "check"], ["config", "schema"], ["policy", "test"]),
]


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("words", [[], ["config"]])
def test_help_needs_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['freshness-bot', *{words!r}, '--help']\n"
        "from bot.cli import main\n"
        "try:\n    main()\n"
        f"finally:\n    sys.stderr.write(' '.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Usage: freshness-bot" in ended.stdout


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(bot: Command, words: list[str]) -> None:
    ran = bot(*words, "--help")
    assert ran.code == 0
    first = ran.out.partition("\n\n")[2].strip().partition("\n")[0]
    assert first[0].isupper(), ran.out
    assert "!" not in ran.out


def test_the_help_lists_every_command_and_the_exit_codes(bot: Command) -> None:
    out = bot("--help", "all").out
    assert all(f"  {words[0]} " in out for words in COMMANDS)
    assert "Exit codes: 0 done" in out


def test_the_version_is_that_of_the_package() -> None:
    assert run("--version").stdout.startswith("freshness-bot 0.")


@pytest.mark.parametrize(
    "words", [["unknown"], ["scan", "--unknown"], ["scan", "--format", "xml"], ["explain"], ["update", "--set"]]
)
def test_a_wrong_command_line_ends_with_code_2(bot: Command, words: list[str]) -> None:
    ran = bot(*words)
    assert (ran.code, ran.out) == (2, "")
    assert "Error: " in ran.err or "Missing" in ran.err


@pytest.mark.parametrize(
    ("words", "may_be"),
    [
        (["promises", "--by"], "'--by': 'nonsense' is not one of 'month', 'family', 'base'"),
        (["status", "-f"], "'--format' / '-f': 'nonsense' is not one of 'table', 'json'"),
        (["sbom", "export", "shop", "-f"], "'--format' / '-f': 'nonsense' is not one of 'spdx', 'cyclonedx'"),
    ],
)
def test_a_choice_that_there_is_not_is_a_line_that_names_those_there_are(
    bot: Command, words: list[str], may_be: str
) -> None:
    ran = bot(*words, "nonsense")
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: Invalid value for {may_be}.\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status", "--bogus"], "No such option: --bogus; see `freshness-bot status --help`"),
        (["--bogus"], "No such option: --bogus; see `freshness-bot --help`"),
        (["rollout", "show"], "Missing argument 'ID'; see `freshness-bot rollout show --help`"),
        (["status", "a"], "Got unexpected extra argument(s) (a); see `freshness-bot status --help`"),
        (["stats"], "No such command 'stats'. Did you mean 'status'; see `freshness-bot --help`"),
        (["summary", "--days", "x"], "Invalid value for '--days': expected a whole number, found text"),
        (["summary", "--days", "0"], "Invalid value for '--days': expected at least 1"),
    ],
)
def test_a_command_line_that_is_not_taken_ends_in_one_line(bot: Command, words: list[str], told: str) -> None:
    ran = bot(*words)
    assert (ran.code, ran.out, ran.err) == (2, "", f"Error: {told}\n")


@pytest.mark.parametrize("command", ["show", "pause", "resume", "cancel"])
@pytest.mark.parametrize("number", ["99999999999999999999", "0", "x", "١"])
def test_what_no_rollout_can_be_called_by_is_refused_in_one_line(bot: Command, command: str, number: str) -> None:
    words = () if command == "show" else ("--reason", "x")
    ran = bot("rollout", command, number, *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"Error: Invalid value for 'ID': {number!r} is no number of a rollout; "
        "`freshness-bot rollout list` shows them\n"
    )


def test_bad_settings_end_in_a_line_each_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("githb: {}\nlog: loud\n")
    ended = run("config", "check", "-c", path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        f"{path}:1: githb: unknown key; did you mean 'github'?",
        f"{path}:2: log: expected one of 'json' or 'text'",
    ]


@pytest.mark.parametrize("command", [["run"], ["once"], ["once", "--dry-run"], ["config", "check"]])
def test_what_needs_secrets_says_which_is_missing(bot: Command, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text(
        f"github: {{token_file: {tmp_path}/absent, repositories: {{include: [contoso/*]}}}}\n"
        f"store: {{url: 'sqlite:///{tmp_path}/f.db'}}\n"
    )
    ran = bot(*command, "-c", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        f"{tmp_path}/absent: cannot read github.token_file: No such file or directory; mount the secret there\n"
    )
    assert not (tmp_path / "f.db").exists()


def test_a_secret_written_where_a_file_is_named_is_not_shown(bot: Command, tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("github: {token_file: ghp_0123456789abcdefghij, repositories: {include: [contoso/*]}}\n")
    ran = bot("config", "check", "-c", path)
    assert ran.code == 2
    assert "github.token_file" in ran.err
    assert "ghp_" not in ran.err


def test_good_settings_are_confirmed(bot: Command, tmp_path: Path) -> None:
    path, token = tmp_path / "freshness.yaml", tmp_path / "token"
    token.write_text("ghp_x")
    path.write_text(
        f"github: {{token_file: {token}, repositories: {{include: [contoso/*]}}}}\n"
        f"schedule: {{digest: '0 9 * * 1'}}\n"
    )
    ran = bot("config", "check", "-c", path)
    assert ran.code == 0
    assert ran.out.splitlines() == [
        f"{path}: schedule.digest is now called schedule.summary; it counts still, rename it",
        f"{path}: all settings are valid",
    ]


def test_an_empty_settings_file_is_named(bot: Command, tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.touch()
    ran = bot("config", "check", "-c", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"{path}: github: no way to sign in; set github.app or github.token_file\n"


def test_the_settings_file_can_come_from_the_environment(
    bot: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRESHNESS_BOT_CONFIG", f"{tmp_path}/elsewhere.yaml")
    assert f"{tmp_path}/elsewhere.yaml: cannot be read" in bot("config", "check").err


def test_the_schema_goes_to_a_file(bot: Command, tmp_path: Path) -> None:
    assert bot("config", "schema", "-o", tmp_path / "schema.json").out == ""
    assert json.loads((tmp_path / "schema.json").read_text())["title"] == "Settings"
    ran = bot("config", "schema", "-o", tmp_path / "absent" / "schema.json")
    assert (ran.code, ran.err) == (
        2,
        f"{tmp_path}/absent/schema.json: cannot be written: No such file or directory\n",
    )


@pytest.mark.parametrize("command", [["status"], ["plan"], ["explain", "a/b"], ["history", "aspnet:10.0"]])
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:////nonexistent/freshness.db", "unable to open database file"),
        ("postgresql://bot@127.0.0.1:1/freshness", "connection"),
    ],
    ids=["sqlite", "postgresql"],
)
def test_a_database_out_of_reach_is_one_line(
    bot: Command, tmp_path: Path, command: list[str], url: str, why: str
) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text(f"store: {{url: '{url}'}}\n")
    ran = bot(*command, "-c", path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "the database cannot be opened" in ran.err
    assert why in ran.err


@pytest.mark.parametrize("command", [["status"], ["once", "--dry-run"]], ids=" ".join)
def test_a_file_that_is_no_database_is_one_line(bot: Command, tmp_path: Path, command: list[str]) -> None:
    path = with_token(tmp_path)
    (tmp_path / "freshness.db").write_text("no database\n" * 100)
    ran = bot(*command, "-c", path)
    assert (ran.code, ran.out) == (2, "")
    assert "the database cannot be opened: file is not a database" in ran.err


def test_a_database_of_a_newer_version_is_left_alone(bot: Command, tmp_path: Path) -> None:
    path = with_token(tmp_path)
    assert bot("status", "-c", path).code == 0
    with closing(sqlite3.connect(tmp_path / "freshness.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of-tomorrow'")
    ran = bot("status", "-c", path)
    assert ran.code == 2
    assert "made by another version of the bot" in ran.err


@pytest.mark.parametrize("words", [["--help"], ["config", "schema"], ["scan", ".", "--offline", "-f", "json"]])
def test_a_reader_that_leaves_early_hears_nothing_of_it(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM mcr.microsoft.com/dotnet/aspnet:10.0\n" * 500)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        ended = subprocess.run(
            [PROGRAM, *words], stdout=out, stderr=subprocess.PIPE, cwd=tmp_path, timeout=60, check=False
        )
    assert ended.stderr == b""
    assert ended.returncode == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8:strict"])
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_the_terminal_cannot_spell_is_escaped(tmp_path: Path, encoding: str, form: str) -> None:
    for folder in (b"n\xff", "\u00fc \U0001f600".encode()):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + folder))).mkdir()
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + folder)) / "Dockerfile").write_text("FROM node:24\n")
    ended = subprocess.run(
        [PROGRAM, "scan", tmp_path, "--offline", "--format", form],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    if form == "json":
        shown = json.loads(ended.stdout.decode(encoding.partition(":")[0]))
        assert {row["file"] for row in shown} == {"\u00fc \U0001f600/Dockerfile", "n\udcff/Dockerfile"}


def test_output_that_finds_no_room_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM node:24\n")
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [PROGRAM, "scan", tmp_path, "--offline"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert ended.returncode == 2
    assert ended.stderr == b"the output is not complete: No space left on device; make room and run it again\n"


def in_shell(command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", f"{PROGRAM} {command}"], capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_nobody_need_listen(tmp_path: Path, closed: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM node:24\n")
    ended = in_shell(f"scan {tmp_path} --offline {closed}")
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_what_goes_to_a_closed_standard_error_is_not_written_among_what_was_asked_for(tmp_path: Path) -> None:
    ended = in_shell(f"packages list {tmp_path / 'nothing'} 2>&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, b"", b"")


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("packages compare", 2, b"-: there is no standard input; name a file\n"),
        ("gate -", 3, b"cannot tell: -: there is no standard input; name a file; scan the image first\n"),
    ],
)
def test_a_closed_standard_input_is_told(command: str, code: int, told: bytes) -> None:
    ended = in_shell(f"{command} <&-")
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, b"", told)


def test_the_way_to_write_an_address_is_not_taken_for_a_secret(bot: Command, tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("store: {url: 'mysql://x'}\n")
    assert bot("status", "-c", path).err.endswith("write sqlite:///PATH or postgresql://USER@HOST/NAME\n")


def test_checked_settings_tell_which_images_of_the_fleet_nobody_watches(bot: Command, tmp_path: Path) -> None:
    path, token = tmp_path / "freshness.yaml", tmp_path / "token"
    token.write_text("ghp_x")
    path.write_text(
        f"github: {{token_file: {token}, repositories: {{include: [contoso/*]}}}}\n"
        f"store: {{url: 'sqlite:///{tmp_path}/f.db'}}\n"
    )
    assert bot("config", "check", "-c", path).out == f"{path}: all settings are valid\n"
    assert not (tmp_path / "f.db").exists()
    asyncio.run(_with_one_repository(new_sqlite(tmp_path / "f.db"), "dhi.io/dotnet:10"))
    assert bot("config", "check", "-c", path).out.splitlines() == [
        f"{path}: dhi.io/dotnet (.NET, 1 reference) is not watched; to watch it, add dhi.io/dotnet to bases "
        "(and dhi.io to registries)",
        f"{path}: all settings are valid",
    ]


async def _with_one_repository(url: str, image: str) -> None:
    """A store that has read one repository, whose Dockerfile names an image that nothing watches."""
    database = await open_database(url)
    stores = Stores.of_worker(database, ManualClock(datetime(2026, 11, 24, tzinfo=UTC)), "one")
    [usage] = find_usages("Dockerfile", f"FROM {image}\n".encode()).usages
    await stores.listing(Repository("contoso/shop", "main"))
    await stores.read(Reading("tree-1", ((usage, None),)))
    await database.close()
