"""What the runner is told, in its own forms."""

import asyncio
from pathlib import Path

import pytest

from bot.commands.action.runner import (
    LARGEST_SUMMARY,
    Annotation,
    AnnotationLevel,
    annotate,
    mask,
    without_commands,
    write_outputs,
    write_summary,
)
from bot.domain.failure import Failure, Trouble


def test_an_annotation_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    annotate(Annotation(AnnotationLevel.WARNING, "100 % of it\r\n::error::no"))
    assert capsys.readouterr().out == "::warning title=Freshness bot::100 %25 of it%0D%0A::error::no\n"


def test_a_key_is_masked_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    mask(["-----BEGIN KEY-----\nabc\n\n-----END KEY-----\n", "token"])
    assert capsys.readouterr().out.splitlines() == [
        "::add-mask::-----BEGIN KEY-----",
        "::add-mask::abc",
        "::add-mask::-----END KEY-----",
        "::add-mask::token",
    ]


def test_what_is_printed_meanwhile_is_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    with without_commands():
        print("::error::from a branch's name")
    first, said, last = capsys.readouterr().out.splitlines()
    token = first.removeprefix("::stop-commands::")
    assert len(token) == 32
    assert (said, last) == ("::error::from a branch's name", f"::{token}::")


@pytest.mark.parametrize(
    "error", [Failure(Trouble.DENIED, "no"), asyncio.CancelledError()], ids=["failure", "cancelled"]
)
def test_after_an_end_that_is_expected_commands_count_again(
    capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    with pytest.raises(type(error)), without_commands():
        raise error
    first, last = capsys.readouterr().out.splitlines()
    assert last == f"::{first.rpartition('::')[2]}::"


def test_after_a_defect_they_do_not_since_its_text_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), without_commands():
        raise RuntimeError("::error::from outside")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_outputs_are_added_to_the_runners_file(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text("of-another=1\n")
    write_outputs(path, {"moved": 2, "state": "kept"})
    assert path.read_text() == "of-another=1\nmoved=2\nstate=kept\n"


def test_without_files_of_a_runner_nothing_is_written() -> None:
    write_outputs(None, {"moved": 2})
    write_summary(None, "## 1 of 2")


def test_a_summary_that_is_too_long_is_cut_at_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    write_summary(path, "a line with an ü\n" * 100_000)
    data = path.read_bytes()
    assert LARGEST_SUMMARY - 200 < len(data) <= LARGEST_SUMMARY
    *lines, _, told = data.decode().splitlines()
    assert set(lines) == {"a line with an ü"}
    assert told.startswith("*The rest is left out")
