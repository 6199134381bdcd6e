import os
from pathlib import Path
from typing import Any

import pytest

from bot.clients.folders.checkout import default_branch, entries, write
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


def test_a_folder_is_listed_as_git_would_with_links_that_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "Dockerfile").write_bytes(b"FROM a\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"")
    (tmp_path / "Dockerfile").symlink_to("bin/Dockerfile")
    (tmp_path / "linked").symlink_to("bin")
    listed = {entry.path: (entry.is_file, entry.size) for entry in entries(tmp_path)}
    assert listed == {"Dockerfile": (False, 0), "linked": (False, 0), "bin/Dockerfile": (True, 7)}


def test_a_folder_that_may_not_be_looked_into_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    look = os.scandir

    def refusing(path: str) -> Any:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", path)
        return look(path)

    with monkeypatch.context() as closing:
        closing.setattr(os, "scandir", refusing)
        with pytest.raises(Failure) as refused:
            list(entries(tmp_path))
    assert str(refused.value) == (
        f"{closed}: cannot be looked into: Permission denied; make it readable, or name a folder without it"
    )


def test_the_default_branch_is_what_git_keeps_of_the_origin(tmp_path: Path) -> None:
    assert default_branch(tmp_path) == ""
    kept = tmp_path / ".git" / "refs" / "remotes" / "origin" / "HEAD"
    kept.parent.mkdir(parents=True)
    kept.write_text("ref: refs/remotes/origin/develop\n")
    assert default_branch(tmp_path) == "develop"
    own = tmp_path / ".git" / "worktrees" / "other"
    own.mkdir(parents=True)
    (own / "commondir").write_text("../..\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / ".git").write_text(f"gitdir: {own}\n")
    assert default_branch(other) == "develop"
    kept.write_text("0123456789\n")
    assert default_branch(tmp_path) == ""
