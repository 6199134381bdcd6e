import errno
import os
from pathlib import Path

import pytest

from bot.clients.folders.image import open_below, paths_below, read_below
from bot.domain.failure import Failure, Trouble


def trouble(root: Path, path: str) -> Trouble:
    with pytest.raises(Failure) as raised:
        open_below(root, path)
    return raised.value.trouble


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_bytes(b"x" * 10)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/status").write_text("outside")
    return root


def test_a_file_is_read_with_one_byte_more_than_allowed(root: Path) -> None:
    assert read_below(root, "var/lib/dpkg/status", 100) == b"x" * 10
    assert len(read_below(root, "var/lib/dpkg/status", 4)) == 5


def test_links_are_not_followed(root: Path) -> None:
    (root / "link").symlink_to("../secret")
    (root / "folder").symlink_to("../outside")
    assert trouble(root, "link") is Trouble.MALFORMED
    assert trouble(root, "folder/status") is Trouble.MALFORMED


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "var/../var", "", "./var"])
def test_no_path_leads_out(root: Path, path: str) -> None:
    assert trouble(root, path) is Trouble.MALFORMED


def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert trouble(root, "pipe") is Trouble.MALFORMED


def test_what_is_not_there_is_missing(root: Path) -> None:
    assert trouble(root, "var/nothing") is Trouble.MISSING


def test_wanted_files_are_found_without_following_links(root: Path) -> None:
    (root / "loop").symlink_to(".")
    (root / "var/lib/dpkg/linked").symlink_to("status")
    (root / "proc").mkdir()
    (root / "proc/status").write_text("running")
    unread: list[str] = []
    found = list(paths_below(root, lambda path: path.endswith(("status", "linked")), unread.append))
    assert unread == []
    assert found == [("var/lib/dpkg/linked", "status"), ("var/lib/dpkg/status", None)]


def test_links_to_folders_are_found_and_not_entered(root: Path) -> None:
    (root / "lib").symlink_to("var/lib")
    assert list(paths_below(root, lambda path: path.startswith("lib"), print)) == [("lib", "var/lib")]


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="there is no such folder"):
        list(paths_below(tmp_path / "nothing", bool, print))


def test_folders_without_end_are_named_and_left(root: Path) -> None:
    (root / "/".join(["d"] * 140)).mkdir(parents=True)
    unread: list[str] = []
    assert list(paths_below(root, lambda path: path.endswith("x"), unread.append)) == []
    assert "more than 128 folders deep" in unread[0]


def test_a_folder_that_may_not_be_looked_into_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "closed").mkdir()
    scan = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    unread: list[str] = []
    list(paths_below(root, bool, unread.append))
    assert unread == ["closed: cannot be looked into: Permission denied"]
