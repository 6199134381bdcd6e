"""An environment in which only a test itself has set anything, and a file with a given text."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import BadSettings, load

Refused = Callable[[str | bytes], list[str]]


def refusal(path: Path) -> list[str]:
    """The lines with which a file is refused; none where it is taken."""
    try:
        load(path)
    except BadSettings as error:
        return error.lines
    return []


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FRESHNESS_BOT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """The lines with which a text is refused, each without the file's path; fails where it is taken."""

    def lines(text: str | bytes) -> list[str]:
        path = tmp_path / "freshness.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        found = refusal(path)
        assert found, "this text must be refused"
        assert all("\n" not in line for line in found)
        return [line.removeprefix(str(path)).removeprefix(":") for line in found]

    return lines
