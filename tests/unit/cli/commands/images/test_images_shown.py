"""How `images` shows a large fleet: what needs a look at the top, a screen of it."""

import json
from datetime import timedelta

import pytest

from bot.cli.commands.images.images import show_images
from bot.cli.options import Format
from bot.cli.screen.output import MOST_ROWS
from bot.domain.evidence import Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.views.images.images import ImageView
from tests.builders import ASPNET, NOON

DAY = timedelta(days=1)


def view(number: int, behind: timedelta | None = None) -> ImageView:
    until = NOON - behind if behind is not None else None
    shown = Publication(ASPNET, NOON - 30 * DAY, "sha256:x", "linux/amd64", "sha256:y", until)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 5)
    claim = Claim(f"ghcr.io/contoso/shop-{number:02}", TagRule("latest"), Source.BUILD)
    image = ProducedImage(number, number, "contoso/shop", claim, "latest", "sha256:z", NOON, (standing,))
    return ImageView(image, NOON)


FLEET = [*map(view, range(20)), view(20, DAY), view(21, 2 * DAY)]


def shown(capsys: pytest.CaptureFixture[str], *, show_all: bool, output: Format = Format.TABLE) -> list[str]:
    show_images(FLEET, NOON, output, show_all=show_all)
    return capsys.readouterr().out.splitlines()


def names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("ghcr.io")]


def test_a_screen_begins_with_what_is_behind_the_longest_and_counts_the_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(capsys, show_all=False)
    found = names(lines)
    assert found[:3] == [f"ghcr.io/contoso/shop-{number}:latest" for number in ("21", "20", "00")]
    assert len(found) == MOST_ROWS
    assert f"and {len(FLEET) - MOST_ROWS} more rows; with --all there is every one" in lines


def test_with_all_every_image_has_its_row(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, show_all=True)
    assert len(names(lines)) == len(FLEET)
    assert not any("--all" in line for line in lines)


def test_json_has_every_image(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, show_all=False, output=Format.JSON)
    assert len(json.loads("\n".join(lines))) == len(FLEET)
