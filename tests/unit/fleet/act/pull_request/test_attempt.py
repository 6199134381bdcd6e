"""What must change in the files of a branch, and what of it the bot may not change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.forge.branches import BranchFile, FileChange, Tip
from bot.domain.forge.refusals import FilesDenied
from bot.domain.repositories.repository import blob_name
from bot.domain.repositories.repository_config import Ignore
from bot.domain.rollouts.pinning import Refreshed, WantedDigests
from bot.fleet.act.ports import Job
from bot.fleet.act.pull_request.attempt import Edits, refreshed_files
from tests.unit.fleet.act.world import ASPNET, NOON, change, digest, member, rebuild, reference, refresh

OLD, NEW = (f"FROM {reference(letter)}\n".encode() for letter in "ab")
FLOW = ".github/workflows/build.yml"


def tip(**files: bytes | None) -> Tip:
    """Files by their names, of which `__` stands for a slash."""
    found = {
        name.replace("__", "/"): BranchFile(
            name.replace("__", "/"), blob_name(text or b"", "0" * 40), text, "100755"
        )
        for name, text in files.items()
    }
    return Tip("sha", "tree", "message", False, found)


def job(*paths: str, **config: Any) -> Job:
    return Job(rebuild(), member(**config), "main", (change(),), paths)


async def edits(of: Job, at: Tip) -> Edits:
    return await refreshed_files(of, at, refresh, NOON.date())


async def test_a_file_that_names_the_old_digest_gets_the_new_one_and_keeps_its_mode() -> None:
    found = await edits(job("Dockerfile", "b"), tip(Dockerfile=OLD, b=NEW, c=OLD))
    assert found.files == (FileChange("Dockerfile", NEW, "100755"),)
    assert (found.refused, found.unmet) == ((), frozenset())


async def test_a_base_that_no_file_names_is_unmet() -> None:
    assert (await edits(job("Dockerfile"), tip(Dockerfile=b"FROM nginx\n"))).unmet == {ASPNET}
    assert (await edits(job("Dockerfile"), tip(Dockerfile=NEW))).unmet == frozenset()


async def test_a_file_that_is_too_large_or_not_there_is_not_edited() -> None:
    found = await edits(job("Dockerfile", "large", "gone"), tip(Dockerfile=OLD, large=None))
    assert [each.path for each in found.files] == ["Dockerfile"]


async def test_nothing_is_wanted_of_a_file_that_is_not_there() -> None:
    def only_read(files: Mapping[str, bytes], wanted: Mapping[str, WantedDigests]) -> Mapping[str, Refreshed]:
        assert wanted.keys() == {"Dockerfile"}
        return {path: Refreshed(data) for path, data in files.items()}

    found = await refreshed_files(job("Dockerfile", "gone"), tip(Dockerfile=OLD), only_read, NOON.date())
    assert found.files == ()


async def test_what_cannot_be_written_is_told_with_its_place() -> None:
    found = await edits(job("a", "b"), tip(a=b"FROM $BASE\n", b=OLD))
    assert found.refused == ("a:1: it comes from a variable",)
    assert found.remarks == found.refused


async def test_what_the_repository_asks_to_leave_alone_is_left_out_file_by_file() -> None:
    ignored = (Ignore(path="legacy/*"),)
    found = await edits(
        job("Dockerfile", "legacy/Dockerfile", ignored=ignored), tip(Dockerfile=OLD, legacy__Dockerfile=OLD)
    )
    assert [each.path for each in found.files] == ["Dockerfile"]


def test_files_that_the_credentials_may_not_change_are_left_out_and_told_before_what_was_refused() -> None:
    made = Edits((FileChange("Dockerfile", NEW), FileChange(FLOW, NEW)), refused=("a:1: no",))
    denied = FilesDenied(".github/workflows/", "workflows: write")
    found = made.without(denied)
    assert [each.path for each in found.files] == ["Dockerfile"]
    told = f"{FLOW} is left out, since the bot lacks the right workflows: write"
    assert (found.left_out, found.remarks) == ((told,), (told, "a:1: no"))
    assert made.without(None) == made


@pytest.mark.parametrize("letter", ["b", "c"])
async def test_the_digest_that_is_wanted_is_the_rebuilds(letter: str) -> None:
    planned = replace(job("Dockerfile"), rebuild=rebuild(to=letter))
    [file] = (await edits(planned, tip(Dockerfile=OLD))).files
    assert digest(letter).encode() in file.content
