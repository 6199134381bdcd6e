"""Tables of a large fleet are a screen each, and say how all of it is shown."""

from collections.abc import Callable
from types import MappingProxyType

import pytest

from bot.cli.commands.images.images import show_tree
from bot.cli.commands.look.plan import show_rebuilds
from bot.cli.commands.rollouts.rollout import show_progress
from bot.cli.options import Format
from bot.cli.screen.output import MOST_ROWS
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.views.bases.tree import Branch, Tree
from bot.views.images.images import ImageView
from bot.views.rollouts.rollout import RolloutProgress
from tests.builders import ASPNET, NOON, rebuild

MANY = tuple(rebuild(f"contoso/shop-{number:03}", RebuildState.PLANNED, id=number) for number in range(200))


def plan(*, show_all: bool) -> None:
    show_rebuilds(MANY, Format.TABLE, show_all=show_all)


def rollout(*, show_all: bool, rebuilds: tuple[Rebuild, ...] = MANY) -> None:
    found = RolloutProgress(3, "moved", NOON, None, None, MappingProxyType({}), rebuilds=rebuilds)
    show_progress(found, show_all=show_all)


def tree(*, show_all: bool) -> None:
    claims = [Claim(f"ghcr.io/contoso/shop-{number:03}", TagRule("latest"), Source.BUILD) for number in range(200)]
    images = [ProducedImage(1, 1, "contoso/shop", claim, "latest", "sha256:z", NOON, ()) for claim in claims]
    branches = tuple(Branch(ImageView(image, NOON)) for image in images)
    show_tree(Tree(ASPNET, "sha256:new", NOON, branches), Format.TABLE, show_all=show_all)


@pytest.mark.parametrize("shown", [plan, rollout, tree])
def test_the_first_rows_are_shown_and_the_rest_is_counted(
    capsys: pytest.CaptureFixture[str], shown: Callable[..., None]
) -> None:
    shown(show_all=False)
    out = capsys.readouterr().out
    assert sum("contoso/shop-" in line for line in out.splitlines()) == MOST_ROWS
    assert f"\nand {200 - MOST_ROWS} more rows; with --all there is every one\n" in out
    shown(show_all=True)
    out = capsys.readouterr().out
    assert sum("contoso/shop-" in line for line in out.splitlines()) == 200
    assert "more rows" not in out


def test_of_a_rollout_what_needs_somebody_is_shown_before_what_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    states = (
        RebuildState.SUCCEEDED,
        RebuildState.PLANNED,
        RebuildState.RUNNING,
        RebuildState.OPEN,
        RebuildState.FAILED,
    )
    some = tuple(
        rebuild(f"contoso/{state}", state, id=at, pull_request=None, url=None) for at, state in enumerate(states)
    )
    rollout(show_all=False, rebuilds=some)
    rows = [line for line in capsys.readouterr().out.splitlines() if "contoso/" in line]
    assert [row.split("contoso/")[1].split()[0] for row in rows] == [
        "failed",
        "open",
        "running",
        "planned",
        "succeeded",
    ]
