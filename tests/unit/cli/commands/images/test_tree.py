"""How `tree` shows each image, on a terminal and in a pipe."""

import io
import sys
from datetime import timedelta

import pytest

from bot.cli.commands.images.images import show_tree
from bot.cli.options import Format
from bot.cli.screen.steps import print_steps
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.rebuild import Action, RebuildState
from bot.domain.rollouts.steps import StepRun, StepState
from bot.domain.rollouts.terms import Start, Step
from bot.views.bases.tree import Branch, Tree
from bot.views.images.images import ImageView
from tests.builders import ASPNET, NOON, rebuild


def test_in_a_pipe_a_row_says_how_far_an_image_is_and_where_that_can_be_seen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = Publication(ASPNET, NOON - timedelta(days=1), "sha256:x", "linux/amd64", "sha256:y", NOON)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 5)
    claim = Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD)
    image = ProducedImage(1, 1, "contoso/shop", claim, "latest", "sha256:z", NOON, (standing,))
    url = "https://host/contoso/shop/actions/runs/412"
    going = rebuild(
        "contoso/shop", RebuildState.RUNNING, action=Action.DISPATCH, pull_request=None, run=412, url=url
    )
    show_tree(Tree(ASPNET, "sha256:new", NOON, (Branch(ImageView(image, NOON), going),)), Format.TABLE)
    [row] = [line for line in capsys.readouterr().out.splitlines() if "ghcr.io/contoso/shop" in line]
    assert row.split("  ")[-2:] == ["run 412 running", url]


def test_in_a_pipe_a_step_keeps_its_name_beside_where_it_can_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    home, url = Identity("contoso/shop"), "https://host/contoso/shop/actions/runs/7"
    canary = Step("canary", "deploy.yml", start=Start.OBSERVE)
    run = StepRun(1, 1, 0, canary, home, StepState.RUNNING, "it runs", NOON, run=7, url=url)
    print_steps([(rebuild(), run)])
    [row] = [line for line in capsys.readouterr().out.splitlines() if url in line]
    assert "canary" in row


def test_a_step_whose_run_has_no_number_yet_names_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", out := Terminal())
    home, url = Identity("contoso/shop"), "https://host/contoso/shop/actions/runs/7"
    canary = Step("canary", "deploy.yml", start=Start.OBSERVE)
    print_steps([(rebuild(), StepRun(1, 1, 0, canary, home, StepState.RUNNING, "it runs", NOON, url=url))])
    assert "None" not in out.getvalue()
