"""What `make bench` says and how it ends, of made-up benches."""

from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.measured import Measured

FINE = Measured("speed", "1 s", "below 2 s", True)
SLOW = Measured("speed", "3 s", "below 2 s", False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of benches, `made_up`, that processes find; tests add what is in it."""
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    package = tmp_path / "made_up"
    package.mkdir()
    return package


def add(folder: Path, name: str, *lines: str) -> None:
    """A bench whose `run` has these lines."""
    body = "".join(f"    {line}\n" for line in lines)
    text = f"import os, sys\nfrom tests.bench.measured import Measured\n\ndef run():\n{body}"
    (folder / f"bench_{name}.py").write_text(text)


def test_each_figure_is_told_with_its_aim_and_whether_it_is_met(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(folder, "engine", f"return [{FINE!r}, {SLOW!r}, Measured('colour', 'red')]")
    assert main([], "made_up", folder) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "engine",
        "  met     speed: 1 s (aim: below 2 s)",
        "  MISSED  speed: 3 s (aim: below 2 s)",
        "          colour: red",
    ]
    assert lines[-2] == "MISSED  speed: 3 s (aim: below 2 s) [engine]"
    assert lines[-1].startswith("make bench: engine in ")
    assert lines[-1].endswith("; figures: 3, aims missed: 1, benches broken: 0")


def test_where_every_aim_is_met_it_ends_well(folder: Path) -> None:
    add(folder, "engine", f"yield {FINE!r}", "yield Measured('colour', 'red')")
    assert main([], "made_up", folder) == 0


def test_a_figure_is_told_before_the_next_is_measured(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    add(folder, "engine", f"yield {FINE!r}", "os._exit(7)")
    assert main([], "made_up", folder) == 1
    assert "  met     speed: 1 s (aim: below 2 s)\n  BROKE   ended with code 7" in capfd.readouterr().out


def test_one_that_breaks_is_told_and_stops_no_other(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    add(folder, "broken", "raise RuntimeError('no wheel')")
    add(folder, "killed", "os.kill(os.getpid(), 9)")
    add(folder, "silent", "return []")
    add(folder, "sound", f"return [{FINE!r}]")
    assert main([], "made_up", folder) == 1
    said = capfd.readouterr()
    assert "RuntimeError: no wheel" in said.err
    assert said.out.splitlines()[-4:-1] == [
        "BROKE   broken: ended with code 1",
        "BROKE   killed: ended by signal 9",
        "BROKE   silent: told no figure",
    ]
    assert "sound\n  met     speed" in said.out


def test_what_a_bench_and_its_programs_print_is_no_figure(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    add(folder, "loud", "print('hello')", "os.system('echo a program')", f"return [{FINE!r}]")
    assert main([], "made_up", folder) == 0
    said = capfd.readouterr()
    assert sorted(said.err.splitlines()) == ["a program", "hello"]


def test_each_has_a_process_of_its_own(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("first", "second"):
        add(folder, name, "return [Measured('process', str(os.getpid()))]")
    main([], "made_up", folder)
    processes = [line for line in capfd.readouterr().out.splitlines() if "process: " in line]
    assert len(set(processes)) == 2


def test_only_what_is_named_is_measured(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("first", "second", "third"):
        add(folder, name, f"return [{FINE!r}]")
    assert main(["third", "first"], "made_up", folder) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line in ("first", "second", "third")] == ["first", "third"]


def test_names_that_no_bench_has_are_told_with_those_that_there_are(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("first", "second"):
        add(folder, name, f"return [{FINE!r}]")
    assert main(["first", "thirst", "bench_second"], "made_up", folder) == 2
    said = capfd.readouterr()
    assert said.err == "no bench is named thirst, bench_second; there are: first second\n"
    assert said.out == ""


@pytest.mark.parametrize(("aim", "is_met"), [("below 2 s", None), ("", True), ("", False)])
def test_an_aim_is_never_told_without_whether_it_is_met(aim: str, is_met: bool | None) -> None:
    with pytest.raises(ValueError, match="whether an aim is met"):
        Measured("speed", "1 s", aim, is_met)
