"""History out of a clone, held against the observation log that others made from the same commits."""

import json
import lzma
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bot.domain.bases.observation import Observation
from bot.domain.failure import Failure, Trouble
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.upstream.feeds.doubts import STILL_FOR
from bot.upstream.history.inventory_git import DOCUMENT, read_history
from bot.upstream.history.log import read_observations
from tests.conftest import SHARED

FEEDS = SHARED / "feeds"
FIRST = datetime(2025, 12, 16, 18, 6, 40, tzinfo=UTC)
SECOND = datetime(2025, 12, 30, 1, 42, 25, tzinfo=UTC)


class Clone:
    """A repository made for one test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: datetime | str = FIRST) -> None:
        identity = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        times = {"GIT_AUTHOR_DATE": str(at), "GIT_COMMITTER_DATE": str(at)}
        environment = os.environ | identity | times
        subprocess.run(["git", "-C", str(self.path), *arguments], check=True, env=environment, capture_output=True)

    def commit(self, document: bytes, at: datetime | str) -> None:
        file = self.path / DOCUMENT
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(document)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message=publish", at=at)

    def remove(self, at: datetime) -> None:
        self.git("rm", "--quiet", DOCUMENT)
        self.git("commit", "--quiet", "--message=remove", at=at)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def inventory(digests: dict[str, str], *, old_layers: bool = False) -> bytes:
    """One aspnet tag for each entry, on one platform; the digest is its digit, 64 times."""
    layers = [f"sha256:{'b' * 64}", f"sha256:{'a' * 64}"]
    images = [
        {
            "productVersion": "8.0.11",
            "platforms": [
                {
                    "dockerfile": "src/Dockerfile",
                    "simpleTags": [tag],
                    "digest": f"mcr.microsoft.com/dotnet/aspnet@sha256:{digit * 64}",
                    "osType": "Linux",
                    "osVersion": "noble",
                    "architecture": "arm32",
                    "created": "2025-12-08T22:25:18Z",
                    "layers": layers if old_layers else [{"digest": layer, "size": 1} for layer in layers],
                }
            ],
        }
        for tag, digit in digests.items()
    ]
    return json.dumps({"repos": [{"repo": "dotnet/aspnet", "images": images}]}).encode()


def history(clone: Clone) -> list[Observation]:
    return list(read_history(clone.path))


def told(clone: Clone) -> list[tuple[datetime, str, str | None]]:
    return [(seen.at, seen.base.tag, seen.digest[-1] if seen.digest else None) for seen in history(clone)]


def test_two_real_inventories_show_what_the_log_recorded(clone: Clone) -> None:
    if not FEEDS.is_dir():
        pytest.skip(f"needs the real inventories in {FEEDS.name}")
    for name, at in (("2025-12-17-ac8d5082", FIRST), ("2025-12-30-8f362214", SECOND)):
        clone.commit(lzma.decompress((FEEDS / f"image-info-{name}.json.xz").read_bytes()), at)
    logged: dict[Base, Observation] = {}
    moved_on_the_day: set[Base] = set()
    for seen in read_observations(SHARED / "observations-2023-2025.jsonl.xz"):
        logged[seen.base] = seen
        if seen.at == SECOND:
            moved_on_the_day.add(seen.base)
    live = {base: seen for base, seen in logged.items() if seen.digest is not None}

    found = history(clone)

    latest = {seen.base: seen for seen in found}
    assert {base: facts(seen) for base, seen in latest.items()} == {b: facts(seen) for b, seen in live.items()}
    assert moved_on_the_day <= {seen.base for seen in found if seen.at == SECOND}


def facts(seen: Observation) -> Any:
    images = sorted((image.platform, image.digest, image.os, image.layers) for image in seen.platforms)
    return seen.digest, seen.version, images


def test_the_first_inventory_shows_every_tag_and_the_next_only_what_moved(clone: Clone) -> None:
    clone.commit(inventory({"8.0": "1", "9.0": "2"}), FIRST)
    clone.commit(inventory({"8.0": "1", "9.0": "3"}), SECOND)
    assert told(clone) == [(FIRST, "8.0", "1"), (FIRST, "9.0", "2"), (SECOND, "9.0", "3")]


def test_a_tag_that_is_gone_is_withdrawn_and_seen_again_when_it_returns(clone: Clone) -> None:
    whole = {"9.0": "1", "9.0-noble": "2", "9.0-alpine": "3"}
    clone.commit(inventory(whole), FIRST)
    clone.commit(inventory({"9.0": "1", "9.0-noble": "2"}), SECOND)
    clone.commit(inventory(whole), SECOND)
    assert told(clone)[3:] == [(SECOND, "9.0-alpine", None), (SECOND, "9.0-alpine", "3")]


class TestAThinInventory:
    """What the service doubts, history doubts: by the same two publications and the same time."""

    WHOLE: ClassVar = {"8.0": "1", "8.0-noble": "2", "9.0": "3", "9.0-noble": "4"}
    THIN: ClassVar = {"8.0": "1", "8.0-noble": "2"}

    def test_withdraws_nothing(self, clone: Clone) -> None:
        clone.commit(inventory(self.WHOLE), FIRST)
        clone.commit(inventory(self.THIN), SECOND)
        clone.commit(inventory(self.WHOLE), SECOND + timedelta(days=1))
        assert len(told(clone)) == 4

    def test_shows_what_has_moved_meanwhile_once_it_is_whole_again(self, clone: Clone) -> None:
        clone.commit(inventory(self.WHOLE), FIRST)
        clone.commit(inventory(self.THIN), SECOND)
        clone.commit(inventory(self.WHOLE | {"9.0": "5"}), SECOND + timedelta(days=1))
        assert told(clone)[4:] == [(SECOND + timedelta(days=1), "9.0", "5")]

    def test_is_believed_once_nothing_of_it_has_moved_for_weeks(self, clone: Clone) -> None:
        later = SECOND + STILL_FOR
        clone.commit(inventory(self.WHOLE), FIRST)
        clone.commit(inventory(self.THIN), SECOND)
        clone.commit(inventory(self.THIN | {"8.0": "6"}), later)
        assert told(clone)[4:] == [(later, "9.0", None), (later, "9.0-noble", None), (later, "8.0", "6")]

    def test_is_believed_of_a_channel_past_its_end(self, clone: Clone) -> None:
        clone.commit(inventory(self.WHOLE), FIRST)
        clone.commit(inventory(self.THIN), SECOND)
        ended = Release("9.0", "9.0.11", FIRST, end_of_life=SECOND.date())
        seen = list(read_history(clone.path, releases=[ended]))
        assert [(each.base.tag, each.digest) for each in seen[4:]] == [("9.0", None), ("9.0-noble", None)]


def test_tags_of_one_patch_or_one_architecture_do_not_float(clone: Clone) -> None:
    clone.commit(inventory({"8.0.11-noble": "1", "8.0-noble-arm32v7": "2", "8.0-noble": "3", "latest": "4"}), FIRST)
    assert [tag for _, tag, _ in told(clone)] == ["8.0-noble", "latest"]


@pytest.mark.parametrize("old_layers", [True, False])
def test_layers_are_kept_bottom_first_in_both_schemas(clone: Clone, old_layers: bool) -> None:
    clone.commit(inventory({"8.0": "1"}, old_layers=old_layers), FIRST)
    (seen,) = history(clone)
    assert [(image.platform, image.layers) for image in seen.platforms] == [("linux/arm/v7", ("a" * 12, "b" * 12))]


def test_a_commit_that_removes_or_breaks_the_document_withdraws_nothing(clone: Clone) -> None:
    clone.commit(inventory({"8.0": "1"}), FIRST)
    clone.commit(b"{", SECOND)
    clone.remove(SECOND)
    clone.commit(inventory({"8.0": "1"}), SECOND)
    assert told(clone) == [(FIRST, "8.0", "1")]


def test_time_never_runs_backwards(clone: Clone) -> None:
    clone.commit(inventory({"8.0": "1"}), SECOND)
    clone.commit(inventory({"8.0": "2"}), FIRST)
    assert [at for at, _, _ in told(clone)] == [SECOND, SECOND]


def test_a_commit_of_no_time_that_can_be_counted_with_is_passed_over(clone: Clone) -> None:
    clone.commit(inventory({"8.0": "1"}), FIRST)
    clone.commit(inventory({"8.0": "2"}), "@99999999999999 +0000")
    clone.commit(inventory({"8.0": "3"}), SECOND)
    assert told(clone) == [(FIRST, "8.0", "1"), (SECOND, "8.0", "3")]


def test_a_folder_that_is_no_clone_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="not a git repository") as raised:
        list(read_history(tmp_path))
    assert raised.value.where == str(tmp_path)


def test_a_clone_without_the_document_says_what_is_missing(clone: Clone) -> None:
    (clone.path / "README.md").write_text("hello")
    clone.git("add", ".")
    clone.git("commit", "--quiet", "--message=start")
    with pytest.raises(Failure, match="no commit touches") as raised:
        history(clone)
    assert raised.value.trouble is Trouble.MISSING


def test_a_clone_that_left_the_documents_behind_is_named(clone: Clone, tmp_path: Path) -> None:
    clone.commit(inventory({"8.0": "1"}), FIRST)
    clone.commit(inventory({"8.0": "2"}), SECOND)
    clone.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    clone.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", clone.path.as_uri(), str(partial))
    with pytest.raises(Failure, match=r"lacks the document of commit [0-9a-f]{12};") as raised:
        list(read_history(partial))
    assert raised.value.where == str(partial)


def test_of_a_long_complaint_of_git_the_reason_is_told(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git ends some complaints with a command to type, which alone says nothing."""
    git = clone.path / "bin" / "git"
    git.parent.mkdir()
    complaint = r"fatal: dubious ownership\nTo add an exception, call:\n\n\tgit config\n"
    git.write_text(f"#!/bin/sh\nprintf '{complaint}' >&2\nexit 128\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", f"{git.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(Failure, match=r": dubious ownership;"):
        history(clone)
