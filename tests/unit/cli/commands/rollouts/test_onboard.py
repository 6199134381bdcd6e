"""What `onboard --dry-run` shows of the next pull request, and `explain` of how far a repository has come."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.cli.commands.look.explain import show_explanation
from bot.cli.commands.rollouts.onboard import show_previews
from bot.cli.options import Format
from bot.commands.rollouts.onboard import Previewed
from bot.domain.repositories.onboarding import Onboarding, OnboardingState
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.views.repositories.explanation import Explanation
from sandbox.fleets.bare_repository import bare_files

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SHOP = "contoso/shop"
PROPOSAL = propose(bare_files(), SHOP, (), WantedProposal(), NOW)


def shown(capsys: pytest.CaptureFixture[str], found: Previewed, output: Format = Format.TABLE) -> str:
    show_previews([found], output)
    return capsys.readouterr().out


def test_each_commit_is_shown_as_a_diff(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, Previewed(SHOP, PROPOSAL))
    assert told.startswith("contoso/shop: 8 commits\n\nbase-pinned: Bases follow a minor version\n")
    assert "-FROM mcr.microsoft.com/dotnet/aspnet:8.0.11\n+FROM mcr.microsoft.com/dotnet/aspnet:8.0\n" in told


def test_what_is_not_done_is_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, Previewed(SHOP, PROPOSAL))
    assert "Not done:" in told
    assert "the commit of docker/login-action@v3 could not be asked of the forge" in " ".join(told.split())


def test_where_nothing_is_to_be_done_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    why = "it has declined for good: pull request #1 was closed by a maintainer"
    assert shown(capsys, Previewed(SHOP, None, why)) == f"contoso/shop: {why}\n"


def test_what_comes_later_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, Previewed(SHOP, replace(PROPOSAL, more=5)))
    assert "A later pull request brings 5 more places along." in told


def test_scripts_get_the_patches(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = json.loads(shown(capsys, Previewed(SHOP, PROPOSAL), Format.JSON))
    first = row["commits"][0]
    assert (row["repository"], row["why"], row["later"], first["check"]) == (SHOP, None, 0, "base-pinned")
    assert first["patch"].startswith("--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@\n")
    assert first["places"][0]["after"] == "it follows 8.0, with fixes until 2026-11-10"
    assert {each["check"] for each in row["left"]} >= {"image-user", "actions-pinned"}


def test_an_explanation_says_how_far_it_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    brought = Onboarding(OnboardingState.OPEN, "pull request #3 is open", number=3, url="https://f/3", left=2)
    explained = Explanation(SHOP, NOW, None, (), RepositoryConfig(), (), (), (), onboarding=brought)
    show_explanation(explained, NOW, Format.TABLE)
    told = " ".join(capsys.readouterr().out.split())
    assert "Onboarding is open: pull request #3 is open (https://f/3); 2 findings left to people" in told
