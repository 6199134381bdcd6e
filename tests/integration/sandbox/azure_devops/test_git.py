"""What Azure's sandbox keeps of repositories is what git itself takes for a repository."""

import subprocess
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.azure_devops.git import Git

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ADA = "ada@contoso.example"


def git(folder: Path, *words: str) -> str:
    ran = subprocess.run(["git", "-C", folder, *words], capture_output=True, text=True, check=True)
    return ran.stdout + ran.stderr


@pytest.fixture
def kept() -> Git:
    """Two lines of history that were merged, with folders, a program and a file that went."""
    repository = Git()
    texts = {"Dockerfile": b"FROM a\n", "src/app/Program.cs": b"return;\n", "src/app.cs": b"\n", "old.txt": b"x"}
    first = repository.commit(None, texts, "Begin", ADA, NOON)
    program = repository.commit(first.sha, {"build.sh": b"#!/bin/sh\n"}, "Build", ADA, NOON, mode="100755")
    aside = repository.commit(first.sha, {"Dockerfile": b"FROM b\n", "old.txt": None}, "Refresh\n\nWhy", ADA, NOON)
    merge = repository.commit(
        program.sha, {"Dockerfile": b"FROM b\n"}, "Merge", ADA, NOON, more_parents=(aside.sha,)
    )
    repository.branches |= {"main": merge.sha, "aside": aside.sha}
    return repository


@pytest.fixture
def bare(kept: Git, tmp_path: Path) -> Path:
    folder = tmp_path / "bare.git"
    git(tmp_path, "init", "--bare", "--quiet", "--initial-branch=main", str(folder))
    for sha, stored in kept.stored().items():
        place = folder / "objects" / sha[:2] / sha[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(zlib.compress(stored))
    for name, sha in kept.branches.items():
        git(folder, "update-ref", f"refs/heads/{name}", sha)
    return folder


def test_git_finds_no_fault_in_it(bare: Path) -> None:
    assert git(bare, "fsck", "--strict", "--no-dangling") in (
        "",
        "notice: HEAD points to an unborn branch (master)\n",
    )


def test_git_reads_the_same_history_from_it(kept: Git, bare: Path) -> None:
    told = git(bare, "log", "--format=%H %ae %at %s", "main").splitlines()
    seconds = int(NOON.timestamp())
    history = [kept.commits[sha] for sha in kept.history(kept.branches["main"])]
    expected = {f"{each.sha} {ADA} {seconds} {each.message.splitlines()[0]}" for each in history}
    assert set(told) == expected
    assert len(told) == 4


def test_git_reads_the_same_files_from_it(kept: Git, bare: Path) -> None:
    told = git(bare, "ls-tree", "-r", "--format=%(path) %(objectmode) %(objectname)", "main").splitlines()
    files = kept.commits[kept.branches["main"]].files
    assert sorted(told) == sorted(f"{path} {mode} {sha}" for path, (mode, sha) in files.items())
