"""A bar stands on standard error while something takes a while, and nowhere else."""

import io
from threading import Event

import pytest

from bot.cli.screen.progress import progress_of


class Shown(io.StringIO):
    """A terminal that notes when something is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        self.written.set()
        return super().write(text)


def test_what_takes_a_while_is_shown_with_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Shown()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_of("reading", after=0) as told:
        told(1, 2)
        assert terminal.written.wait(10)
    assert "reading" in terminal.getvalue()


def test_what_is_done_at_once_needs_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Shown()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress_of("reading", after=60) as told:
        told(1, 2)
    assert terminal.getvalue() == ""


def test_in_a_pipe_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.StringIO()
    monkeypatch.setattr("sys.stderr", piped)
    with progress_of("reading", after=0) as told:
        told(1, 2)
    assert piped.getvalue() == ""
