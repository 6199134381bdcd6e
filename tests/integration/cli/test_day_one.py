"""`catch-up` and `retire` as a person runs them."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.fleets.fleet import ASPNET
from sandbox.images import dotnet_image
from tests.integration.cli.conftest import Command, Filled
from tests.integration.cli.settings_files import with_token


def test_before_the_first_pass_there_is_nothing_to_catch_up_with(bot: Command, tmp_path: Path) -> None:
    ran = bot("catch-up", "--dry-run", "-c", with_token(tmp_path))
    assert (ran.code, ran.err) == (
        2,
        "no repository was read yet; run `freshness-bot once`, or wait for the service's first pass\n",
    )


@pytest_asyncio.fixture(loop_scope="module")
async def behind(filled: Filled) -> AsyncIterator[Filled]:
    """With a repository that pins what nobody has seen, of a base that has not moved since it is watched."""
    await filled.world.registry.push(ASPNET, "9.0", dotnet_image("aspnet", "9.0.0"))
    old = f"{filled.fleet.registry}/{ASPNET}:9.0@sha256:{'1' * 64}"
    await filled.world.github.create_repository("left-behind", {"Dockerfile": f"FROM {old}\n"})
    yield filled


def test_what_is_behind_is_a_table_for_people_and_whole_for_scripts(
    bot: Command, behind: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = behind
    bot("once", "-c", filled.config)
    monkeypatch.setattr("bot.cli.screen.output._width", lambda: 80)
    shown = bot("catch-up", "--dry-run", "--repositories", "contoso/left-*", "-c", filled.config)
    assert shown.code == 0
    assert "sha256:111111111111" in shown.out
    assert "takes in what Microsoft has published" in " ".join(shown.out.split())
    plain = re.sub(r"\x1b\[\d*m", "", shown.out)
    assert max(map(len, plain.splitlines())) <= 80, shown.out

    told = json.loads(bot("catch-up", "--repositories", "contoso/left-*", "-c", filled.config, "-f", "json").out)
    assert [each["repository"] for each in told["rebuilds"]] == ["contoso/left-behind"]
    assert told["rollout"] is not None
    again = bot("catch-up", "--repositories", "contoso/left-*", "-c", filled.config)
    assert "On its way already in contoso/left-behind." in again.out
    assert again.out.endswith("There is nothing to roll out.\n")
    [entry, _] = json.loads(bot("journal", "-c", filled.config, "-f", "json").out)[:2]
    assert (entry["what"], entry["subject"]) == ("catch-up", "nothing was left to do")


def test_where_nothing_was_opened_nothing_is_left(bot: Command, filled: Filled) -> None:
    bare = bot("retire", "-c", filled.config)
    assert (bare.code, bare.out) == (2, "")
    assert bare.err == (
        "--reason is missing, and what is closed and deleted does not come back; "
        "look with --dry-run, then say why\n"
    )
    assert bot("retire", "--dry-run", "-c", filled.config, "-f", "json").code == 0
    rows = json.loads(bot("retire", "--dry-run", "-c", filled.config, "-f", "json").out)
    assert {row["outcome"] for row in rows} <= {"closed", "deleted"}
