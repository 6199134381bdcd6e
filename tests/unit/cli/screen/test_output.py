"""How tables are laid out, at a width and in a pipe."""

import io
import json
from datetime import UTC, date, datetime

import pytest

from bot.cli.screen.output import Hyperlink, Layout, first_that_fit, print_json, print_sentence, print_table
from bot.domain.wording.escaping import terminal

ROW = (
    "aspnet:10.0-noble-chiseled",
    "sha256:123456789abc",
    "it moved because its operating system was updated today",
)
COLUMNS = ("base", "digest", "why")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(
    monkeypatch: pytest.MonkeyPatch, width: int | None, *rows: object, layout: Layout | None = None
) -> list[str]:
    stream = io.StringIO() if width is None else Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("COLUMNS", str(width or 80))
    print_table(COLUMNS, rows, layout)  # type: ignore[arg-type]
    return stream.getvalue().splitlines()


def test_in_a_pipe_a_row_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(monkeypatch, None, ROW)[1].split("  ") == list(ROW)


@pytest.mark.parametrize("layout", [None, Layout(group=True)])
def test_a_terminal_that_knows_no_escapes_gets_addresses_in_their_place(
    monkeypatch: pytest.MonkeyPatch, layout: Layout | None
) -> None:
    row = (Hyperlink("run 3", "https://github.com/contoso/shop"), "sha256:123456789abc", "it moved")
    monkeypatch.setenv("TERM", "xterm")
    assert any("\x1b" in line for line in lines(monkeypatch, 80, row, layout=layout))
    monkeypatch.setenv("TERM", "dumb")
    shown = lines(monkeypatch, 80, row, layout=layout)
    assert shown[1].split("  ") == ["https://github.com/contoso/shop", *row[1:]]
    assert not any("\x1b" in line for line in shown)


def test_a_sentence_goes_below_where_the_row_would_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = lines(monkeypatch, 60, ROW, layout=Layout(below=("why",)))
    assert shown[1:] == [
        "aspnet:10.0-noble-chiseled  sha256:123456789abc",
        "    it moved because its operating system was updated today",
    ]


def test_a_name_that_is_too_long_for_its_column_stands_above_the_rest_of_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [("aspnet:10.0", "sha256:123456789abc", ""), ("sdk:8.0", "sha256:cba987654321", "")]
    shown = lines(monkeypatch, 34, *others, ROW, layout=Layout(below=("why",)))
    assert shown[1:5] == [
        "aspnet:10.0  sha256:123456789abc",
        "sdk:8.0      sha256:cba987654321",
        "aspnet:10.0-noble-chiseled",
        "             sha256:123456789abc",
    ]


def test_where_most_names_are_too_long_all_stand_above_and_the_other_columns_below_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        ("an-image-of-a-long-name", "contoso/a", "behind"),
        ("another-image-of-a-long-name", "contoso/shop", ""),
    ]
    assert lines(monkeypatch, 34, *rows)[2:] == [
        "an-image-of-a-long-name",
        "    contoso/a     behind",
        "another-image-of-a-long-name",
        "    contoso/shop",
    ]


def test_a_row_whose_other_cells_are_too_long_as_well_breaks_between_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = lines(monkeypatch, 20, ROW, layout=Layout(below=("why",)))
    assert "aspnet:10.0-noble-chiseled" in shown
    assert "    sha256:123456789abc" in shown


def test_rows_that_share_their_first_cell_stand_below_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = lines(monkeypatch, 100, ROW, ROW, layout=Layout(group=True))
    assert sum("aspnet:10.0-noble-chiseled" in line for line in shown) == 1


def test_a_link_is_a_hyperlink_on_a_terminal_and_an_address_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("aspnet:10.0", Hyperlink("#12", "https://github.example/pull/12"), "")
    assert "\x1b]8;;https://github.example/pull/12\x1b\\#12\x1b]8;;\x1b\\" in lines(monkeypatch, 80, row)[1]
    assert lines(monkeypatch, None, row)[1].split() == ["aspnet:10.0", "https://github.example/pull/12"]


def test_a_name_cannot_drive_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    row = ("a\x1b[31m", Hyperlink("b\x07", "https://c/\x1b\\"), "d\n")
    text = "".join(lines(monkeypatch, 80, row)[1:])
    assert "\x1b[31m" not in text
    assert "\x07" not in text
    assert terminal("d\n") in text


def test_a_sentence_below_another_is_indented_in_a_pipe_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stdout", stream)
    print_sentence("so it is", below=True)
    assert stream.getvalue() == "    so it is\n"


def test_as_many_names_are_told_as_fit_and_the_rest_is_counted() -> None:
    names = [f"image-{number:03}" for number in range(200)]
    told = first_that_fit(names, before="here: ", lines=2)
    assert told.startswith("here: image-000, image-001, ")
    assert told.endswith(" and 189 more")
    assert first_that_fit(names[:4]) == ", ".join(names[:4])
    assert first_that_fit(["x" * 300, "y"], lines=1) == f"{'x' * 300} and 1 more"


def test_times_in_json_are_written_as_programs_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2026, 11, 24, 9, 30, tzinfo=UTC), "until": date(2026, 12, 1)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-24T09:30:00+00:00", "until": "2026-12-01"}
