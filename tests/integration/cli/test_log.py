"""`export` and `import`: the log of one bot is read by another, and by `backtest`."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Command
from tests.migrated import sqlite_at

Store = Callable[[str], Path]


def seen(day: int, tag: str, digit: str | None, version: str = "") -> str:
    """A line of the log; without a digit the base is withdrawn."""
    row = {"at": f"2026-03-{day:02}T17:00:00Z", "repository": "dotnet/aspnet", "tag": tag}
    if digit is None:
        return json.dumps(row | {"digest": None}) + "\n"
    image = {"platform": "linux/amd64", "digest": f"sha256:{digit * 64}", "os": "noble", "layers": [digit * 12]}
    return json.dumps(row | {"digest": f"sha256:{digit * 64}", "version": version, "platforms": [image]}) + "\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Settings of a bot with a database of its own."""

    def settings(name: str) -> Path:
        (tmp_path / "token").write_text("secret")
        config, url = tmp_path / f"{name}.yaml", sqlite_at(tmp_path / f"{name}.db")
        config.write_text(
            "github:\n"
            f"  token_file: {tmp_path}/token\n"
            "  repositories: {include: ['contoso/*']}\n"
            f"store: {{url: '{url}'}}\n"
        )
        return config

    return settings


def changes(tmp_path: Path, name: str) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(tmp_path / f"{name}.db")) as database:
        return database.execute("SELECT at, cause FROM changes ORDER BY at, id").fetchall()


def exported(bot: Command, config: Path, path: Path) -> str:
    assert bot("export", "--observations", path, "-c", config).code == 0
    return path.read_text()


def test_what_was_imported_out_of_order_is_exported_oldest_first(
    bot: Command, store: Store, tmp_path: Path
) -> None:
    late, early = tmp_path / "late.jsonl", tmp_path / "early.jsonl"
    late.write_text(seen(10, "9.0", "1", "9.0.14") + seen(12, "9.0", "2", "9.0.14"))
    early.write_text(seen(1, "8.0", "3", "8.0.25") + seen(11, "8.0", "4", "8.0.25"))
    for log in (late, early):
        assert bot("import", "--observations", log, "-c", store("one")).code == 0
    moments = [json.loads(line)["at"] for line in exported(bot, store("one"), tmp_path / "all.jsonl").splitlines()]
    assert len(moments) == 4
    assert moments == sorted(moments)


def test_an_exported_log_is_the_same_after_another_bot_took_it_in(
    bot: Command, store: Store, tmp_path: Path
) -> None:
    log, first = tmp_path / "log.jsonl", tmp_path / "first.jsonl"
    log.write_text(seen(1, "8.0", "3", "8.0.25") + seen(1, "9.0", "1", "9.0.14") + seen(2, "8.0", None))
    assert bot("import", "--observations", log, "-c", store("one")).code == 0
    text = exported(bot, store("one"), first)
    assert bot("import", "--observations", first, "-c", store("two")).code == 0
    assert exported(bot, store("two"), tmp_path / "second.jsonl") == text


def test_a_log_in_two_parts_tells_the_same_changes_as_in_one(bot: Command, store: Store, tmp_path: Path) -> None:
    rows = [
        seen(1, "9.0", "1", "9.0.14"),
        seen(2, "9.0", None),
        seen(3, "9.0", "2", "9.0.15"),
        seen(4, "9.0", "3", "9.0.15"),
    ]
    whole = tmp_path / "whole.jsonl"
    whole.write_text("".join(rows))
    assert bot("import", "--observations", whole, "-c", store("whole")).code == 0
    for number, row in enumerate(rows):
        part = tmp_path / f"{number}.jsonl"
        part.write_text(row)
        assert bot("import", "--observations", part, "-c", store("parts")).code == 0
    told = changes(tmp_path, "whole")
    assert [cause for _, cause in told] == ["withdrawn", "dotnet-unknown", "os-update"]
    assert changes(tmp_path, "parts") == told


def test_a_release_gets_what_another_log_knows_more(bot: Command, store: Store, tmp_path: Path) -> None:
    bare: dict[str, object] = {"published_at": "2026-03-10T18:00:00Z", "channel": "9.0", "release": "9.0.14"}
    fixed = {"security": True, "cves": ["CVE-2026-0001"], "cves_listed_at": "2026-03-12T18:00:00Z"}
    rows = [bare, bare | fixed, bare | {"published_at": "2026-03-10T17:00:00Z"}]
    for number, row in enumerate(rows):
        log = tmp_path / f"{number}.jsonl"
        log.write_text(json.dumps(row) + "\n")
        assert bot("import", "--releases", log, "-c", store("one")).code == 0
    assert bot("export", "--releases", tmp_path / "all.jsonl", "-c", store("one")).code == 0
    (told,) = map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines())
    assert {name: told[name] for name in (*bare, *fixed)} == {**rows[2], **fixed}


def test_a_full_disk_is_one_clear_line(bot: Command, store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(seen(1, "9.0", "1", "9.0.14"))
    assert bot("import", "--observations", log, "-c", store("one")).code == 0
    ran = bot("export", "--observations", "/dev/full", "-c", store("one"))
    assert (ran.code, ran.err.splitlines()) == (
        2,
        ["/dev/full: cannot be written: No space left on device; check folder, permissions and space"],
    )


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("export", "give --observations, --releases or both"),
        ("import", "give --observations, --releases or --from-git"),
    ],
)
def test_without_a_source_there_is_nothing_to_do(bot: Command, store: Store, command: str, advice: str) -> None:
    ran = bot(command, "-c", store("one"))
    assert (ran.code, ran.err) == (2, f"there is nothing to do; {advice}\n")


def test_history_comes_from_one_place(bot: Command, store: Store, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(seen(1, "9.0", "1", "9.0.14"))
    ran = bot("import", "--observations", log, "--from-git", tmp_path, "-c", store("one"))
    assert (ran.code, ran.err) == (2, "history comes from one place; give either --observations or --from-git\n")


def test_what_is_no_clone_is_one_clear_line(bot: Command, store: Store, tmp_path: Path) -> None:
    ran = bot("import", "--from-git", tmp_path, "-c", store("one"))
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "give a full clone of dotnet/versions" in ran.err


def test_what_is_older_than_a_log_goes_before_it_and_tells_the_same_as_in_one_part(
    bot: Command, store: Store, tmp_path: Path
) -> None:
    rows = [
        seen(1, "9.0", "1", "9.0.14"),
        seen(2, "9.0", None),
        seen(3, "9.0", "2", "9.0.15"),
        seen(4, "9.0", "3", "9.0.15"),
        seen(5, "9.0", "4", "9.0.16"),
    ]
    whole, late, early = tmp_path / "whole.jsonl", tmp_path / "late.jsonl", tmp_path / "early.jsonl"
    whole.write_text("".join(rows))
    late.write_text("".join(rows[3:]))
    early.write_text("".join(rows[:3]))
    assert bot("import", "--observations", whole, "-c", store("whole")).code == 0
    for log in (late, early, whole):
        assert bot("import", "--observations", log, "-c", store("parts")).code == 0
    assert changes(tmp_path, "parts") == changes(tmp_path, "whole")
    assert exported(bot, store("parts"), tmp_path / "a") == exported(bot, store("whole"), tmp_path / "b")
    with closing(sqlite3.connect(tmp_path / "parts.db")) as database:
        [told] = database.execute(
            "SELECT group_concat(c.cause) FROM (SELECT * FROM changes ORDER BY to_observation) c"
        ).fetchone()
        links = database.execute("SELECT previous_id, id FROM observations ORDER BY id").fetchall()
    assert told == "withdrawn,dotnet-unknown,os-update,dotnet-unknown"
    assert [before is None or before < after for before, after in links] == [True] * 5


def test_one_file_cannot_hold_both_logs(bot: Command, store: Store, tmp_path: Path) -> None:
    ran = bot("export", "--observations", tmp_path / "a", "--releases", tmp_path / "." / "a", "-c", store("one"))
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "cannot hold observations and releases at once; give each a file of its own" in ran.err


@pytest.mark.parametrize("input_file", ["observations", "releases", "repositories"])
def test_a_backtest_overwrites_none_of_its_inputs(bot: Command, tmp_path: Path, input_file: str) -> None:
    texts = {
        "observations": seen(1, "9.0", "1", "9.0.14"),
        "releases": "",
        "repositories": '{"source": "a", "reference": "mcr.microsoft.com/dotnet/aspnet:9.0"}\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    given = [word for name in texts for word in (f"--{name}", tmp_path / name)]
    ran = bot("backtest", *given, "--changes", tmp_path / input_file)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert f"{input_file}: --changes would overwrite it; give a file of its own" in ran.err
    assert {name: (tmp_path / name).read_text() for name in texts} == texts
