from dataclasses import replace
from datetime import timedelta

from bot.domain.evidence import Strength
from bot.domain.images.image import ProducedImage
from bot.domain.images.produced import Claim, Source
from bot.domain.images.standing import Basis, Publication, Standing
from bot.domain.images.tags import TagRule
from bot.domain.rollouts.rebuild import State, Target
from bot.views.bases.images import ImageView
from bot.views.bases.tree import Tree, under
from tests.builders import ASPNET, NOON, SDK, rebuild

TARGETS = (Target(ASPNET, "sha256:old", "sha256:new", (1,)),)


def view(name: str, *, behind: bool = False) -> ImageView:
    until = NOON if behind else None
    shown = Publication(ASPNET, NOON - timedelta(days=1), "sha256:x", "linux/amd64", "sha256:y", until)
    claim = Claim(f"ghcr.io/contoso/{name}", TagRule("latest"), Source.BUILD)
    standing = Standing("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 5)
    return ImageView(ProducedImage(1, 1, f"contoso/{name}", claim, "latest", "sha256:z", NOON, (standing,)), NOON)


def test_each_image_on_a_base_is_proved_behind_or_on_its_way() -> None:
    going = rebuild("contoso/shop", State.OPEN, targets=TARGETS, pull_request=412)
    branches = under(ASPNET, [view("proved"), view("shop", behind=True), view("late", behind=True)], [going])
    assert [(branch.view.image.repository, branch.state) for branch in branches] == [
        ("contoso/late", "behind"),
        ("contoso/shop", "#412 open"),
        ("contoso/proved", "proved"),
    ]
    tree = Tree(ASPNET, "sha256:new", NOON, branches, NOON + timedelta(hours=1))
    assert tree.told == "1 of 3 images, about 2026-03-10 13:00 UTC"


def test_images_on_other_bases_and_rebuilds_for_others_are_left_out() -> None:
    other = rebuild("contoso/shop", targets=(replace(TARGETS[0], base=SDK),))
    assert under(SDK, [view("shop")], []) == ()
    [branch] = under(ASPNET, [view("shop")], [other])
    assert branch.rebuild is None
