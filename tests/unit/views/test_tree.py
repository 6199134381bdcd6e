from dataclasses import replace
from datetime import timedelta

from bot.domain.evidence import Strength
from bot.domain.images.image import ProducedImage
from bot.domain.images.produced import Claim, Source
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.images.tags import TagRule
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import State, Target
from bot.domain.rollouts.timing.waves import Hold
from bot.views.bases.images import ImageView
from bot.views.bases.tree import Tree, under
from tests.builders import ASPNET, NOON, SDK, rebuild

TARGETS = (Target(ASPNET, "sha256:old", "sha256:new", (1,)),)


def view(name: str, *, behind: bool = False, on: Base = ASPNET) -> ImageView:
    until = NOON if behind else None
    shown = Publication(on, NOON - timedelta(days=1), "sha256:x", "linux/amd64", "sha256:y", until)
    claim = Claim(f"ghcr.io/contoso/{name}", TagRule("latest"), Source.BUILD)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 5)
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


def test_an_image_is_followed_by_those_on_it_with_what_they_wait_for() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    waiting = rebuild("contoso/shop", State.PLANNED, id=7, targets=(replace(TARGETS[0], base=golden),))
    hold = Hold("waits for golden, 0 of 1 parent ready")
    branches = under(ASPNET, [view("shop", on=golden), view("golden", behind=True)], [waiting], {7: hold})
    assert [(branch.view.image.repository, branch.depth, branch.state) for branch in branches] == [
        ("contoso/golden", 0, "behind"),
        ("contoso/shop", 1, "waits for golden, 0 of 1 parent ready"),
    ]


def test_images_that_stand_on_each_other_are_shown_once() -> None:
    one, two = (Base("ghcr.io", f"contoso/{name}", "latest") for name in ("one", "two"))
    branches = under(one, [view("one", on=two), view("two", on=one)], [])
    assert [branch.view.image.repository for branch in branches] == ["contoso/two", "contoso/one"]


def test_what_stands_on_an_image_that_is_behind_has_not_arrived_either() -> None:
    golden, mid = (Base("ghcr.io", f"contoso/{name}", "latest") for name in ("golden", "mid"))
    views = [view("shop", on=mid), view("mid", on=golden), view("golden", behind=True), view("other")]
    branches = under(ASPNET, views, [])
    assert [(branch.view.image.repository, branch.state) for branch in branches] == [
        ("contoso/golden", "behind"),
        ("contoso/mid", "behind, as golden is"),
        ("contoso/shop", "behind, as golden is"),
        ("contoso/other", "proved"),
    ]
    assert Tree(ASPNET, "sha256:new", NOON, branches).told == "1 of 4 images"
    assert [branch.is_current for branch in under(golden, views, [])] == [True, True]
