"""`--watch`: a view is shown again where it changed, and ends when there is nothing more to see."""

import pytest

from bot.cli.screen.output import print_line
from bot.cli.screen.watching import EVERY, watch


class Interrupted(Exception):
    pass


class Store:
    """Shows one text after the other; whoever rests is interrupted when all were seen."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)
        self.rests: list[float] = []

    async def read(self) -> str:
        return self._texts.pop(0)

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        if not self._texts:
            raise Interrupted


async def seen(store: Store, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(Interrupted):
        await watch(store.read, print_line, rest=store.rest)
    return capsys.readouterr().out


async def test_in_a_pipe_only_what_changed_is_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert await seen(Store("3 open", "3 open", "2 open"), capsys) == "3 open\n2 open\n"


async def test_a_terminal_is_cleared_before_each_look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert await seen(Store("3 open", "3 open"), capsys) == "\x1b[H\x1b[2J3 open\n" * 2


async def test_a_terminal_that_knows_no_escapes_is_not_cleared(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    assert await seen(Store("3 open", "3 open", "2 open"), capsys) == "3 open\n2 open\n"


async def test_the_store_is_left_alone_between_two_looks(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store("3 open", "2 open")
    await seen(store, capsys)
    assert store.rests == [EVERY, EVERY]


async def test_what_has_ended_is_not_looked_at_again(capsys: pytest.CaptureFixture[str]) -> None:
    store = Store("1 open", "ended", "never shown")
    await watch(store.read, print_line, ended=lambda text: text == "ended", rest=store.rest)
    assert capsys.readouterr().out == "1 open\nended\n"
