import os
from pathlib import Path

import pytest

from bot.clients.folder import write
from bot.domain.failure import Failure


def test_a_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "build.Dockerfile"
    path.write_bytes(b"FROM a\n")
    path.chmod(0o750)
    write(path, b"FROM b\n")
    assert path.read_bytes() == b"FROM b\n"
    assert path.stat().st_mode & 0o777 == 0o750


def test_what_could_not_be_written_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "Dockerfile"
    path.write_bytes(b"FROM a\n")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(Failure, match="cannot be written: No space left on device"):
        write(path, b"FROM b\n")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"Dockerfile": b"FROM a\n"}
