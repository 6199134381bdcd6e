from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.evidence import ImageVerdict, Strength
from bot.domain.images.claims import Claim, Source, TagRule
from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import Basis, ImageStanding, Publication, RuntimeInside
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState, Target
from bot.domain.rollouts.timing.waves import Hold
from bot.views.bases.tree import Tree, as_json, likely_done, under
from bot.views.images.images import ImageView
from tests.builders import ASPNET, NOON, SDK, rebuild

HOUR = timedelta(hours=1)
TARGETS = (Target(ASPNET, "sha256:old", "sha256:new", (1,)),)


def view(name: str, *, behind: bool = False, on: Base = ASPNET) -> ImageView:
    until = NOON if behind else None
    shown = Publication(on, NOON - timedelta(days=1), "sha256:x", "linux/amd64", "sha256:y", until)
    claim = Claim(f"ghcr.io/contoso/{name}", TagRule("latest"), Source.BUILD)
    standing = ImageStanding("linux/amd64", Strength.PROVED, Basis.LAYERS, (shown,), 5)
    return ImageView(ProducedImage(1, 1, f"contoso/{name}", claim, "latest", "sha256:z", NOON, (standing,)), NOON)


def test_each_image_on_a_base_is_proved_behind_or_on_its_way() -> None:
    going = rebuild("contoso/shop", RebuildState.OPEN, targets=TARGETS, pull_request=412)
    branches = under(ASPNET, [view("proved"), view("shop", behind=True), view("late", behind=True)], [going])
    assert [(branch.view.image.repository, branch.state) for branch in branches] == [
        ("contoso/late", "behind"),
        ("contoso/shop", "#412 open"),
        ("contoso/proved", "proved"),
    ]
    tree = Tree(ASPNET, "sha256:new", NOON, branches, NOON + HOUR)
    assert tree.told == "1 of 3 images proved to stand on it; what is under way, likely by 2026-03-10 13:00 UTC"


def test_an_image_whose_layers_prove_another_base_than_its_own_is_not_told_to_be_proved() -> None:
    shop = view("shop").image
    [standing] = shop.standings
    unseen = replace(shop, standings=(replace(standing, built_from=SDK),))
    inside = replace(shop, standings=(replace(standing, inside=RuntimeInside()),))
    states = [branch.state for each in (unseen, inside) for branch in under(ASPNET, [ImageView(each, NOON)], [])]
    assert states == ["unseen build", "claimed"]


def test_images_on_other_bases_and_rebuilds_for_others_are_left_out() -> None:
    other = rebuild("contoso/shop", targets=(replace(TARGETS[0], base=SDK),))
    assert under(SDK, [view("shop")], []) == ()
    [branch] = under(ASPNET, [view("shop")], [other])
    assert branch.rebuild is None


def test_an_image_is_followed_by_those_on_its_own_tag_where_others_have_builds_of_theirs() -> None:
    def tagged(name: str, tag: str, *, on: Base = ASPNET) -> ImageView:
        found = view(name, on=on)
        claim = replace(found.image.claim, tag=TagRule(tag))
        return replace(found, image=replace(found.image, claim=claim, found_tag=tag))

    def golden(tag: str) -> Base:
        return Base("ghcr.io", "contoso/golden", tag)

    views = [
        *(tagged("golden", "8.0"), tagged("golden", "9.0")),
        *(view("shop", on=golden("8.0")), view("till", on=golden("9.0")), view("old", on=golden("8.0.1"))),
    ]
    branches = under(ASPNET, views, [])
    told = as_json(Tree(ASPNET, "sha256:new", NOON, branches, None))["images"]
    assert [each["tag"] for each in told] == ["8.0", "latest", "latest", "9.0", "latest", "latest"]
    assert [(branch.view.image.place.short, branch.depth) for branch in branches] == [
        *(("golden:8.0", 0), ("old:latest", 1), ("shop:latest", 1)),
        *(("golden:9.0", 0), ("old:latest", 1), ("till:latest", 1)),
    ]


def test_an_image_is_followed_by_those_on_it_with_what_they_wait_for() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    waiting = rebuild("contoso/shop", RebuildState.PLANNED, id=7, targets=(replace(TARGETS[0], base=golden),))
    hold = Hold("waits for golden, 0 of 1 parent ready")
    branches = under(ASPNET, [view("shop", on=golden), view("golden", behind=True)], [waiting], {7: hold})
    assert [(branch.view.image.repository, branch.depth, branch.state) for branch in branches] == [
        ("contoso/golden", 0, "behind"),
        ("contoso/shop", 1, "waits for golden, 0 of 1 parent ready"),
    ]


def test_an_image_below_which_one_is_behind_comes_before_those_that_have_all_arrived() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    views = [view("api"), view("golden"), view("shop", on=golden, behind=True), view("late", behind=True)]
    told = [branch.view.image.repository for branch in under(ASPNET, views, [])]
    assert told == ["contoso/late", "contoso/golden", "contoso/shop", "contoso/api"]


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
    assert Tree(ASPNET, "sha256:new", NOON, branches).told == "1 of 4 images proved to stand on it"
    assert [branch.is_current for branch in under(golden, views, [])] == [True, True]


@pytest.mark.parametrize(
    ("state", "proof", "told"),
    [
        (RebuildState.FAILED, None, "behind, run 7 failed"),
        (RebuildState.FAILED, ImageVerdict.NO_OP, "behind, run 7 failed: no-op"),
        (RebuildState.CANCELLED, None, "behind, run 7 cancelled"),
        (RebuildState.SKIPPED, None, "behind, run 7 skipped"),
        (RebuildState.SUCCEEDED, ImageVerdict.PROVED, "behind"),
    ],
)
def test_an_image_whose_last_rebuild_brought_nothing_says_so(
    state: RebuildState, proof: ImageVerdict | None, told: str
) -> None:
    ended = rebuild("contoso/shop", state, targets=TARGETS, run=7, proof=proof, pull_request=None)
    [branch] = under(ASPNET, [view("shop", behind=True)], [ended])
    assert branch.state == told


def going(name: str, *, on: Base = ASPNET, number: int = 1, begun: datetime | None = NOON) -> Rebuild:
    state = RebuildState.PLANNED if begun is None else RebuildState.RUNNING
    targets = (replace(TARGETS[0], base=on),)
    return rebuild(f"contoso/{name}", state, id=number, targets=targets, attempted_at=begun)


def test_what_is_under_way_is_likely_done_as_long_after_it_began_as_others_took() -> None:
    branches = under(ASPNET, [view("shop", behind=True)], [going("shop")])
    assert likely_done(branches, HOUR, NOON) == NOON + HOUR
    assert likely_done(branches, HOUR, NOON + 3 * HOUR) == NOON + 3 * HOUR


def test_whoever_stands_on_an_image_that_is_under_way_is_likely_done_that_much_later() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    views = [view("golden", behind=True), view("shop", on=golden), view("cart", on=golden, behind=True)]
    held = {2: Hold("waits for golden, 0 of 1 parent ready", NOON + 9 * HOUR)}
    branches = under(ASPNET, views, [going("golden"), going("cart", on=golden, number=2, begun=None)], held)
    assert likely_done(branches, HOUR, NOON) == NOON + 2 * HOUR


def test_what_waits_for_a_time_is_likely_done_after_that() -> None:
    held = {1: Hold("the next window opens", NOON + 5 * HOUR)}
    branches = under(ASPNET, [view("shop", behind=True)], [going("shop", begun=None)], held)
    assert likely_done(branches, HOUR, NOON) == NOON + 6 * HOUR


def test_nobody_can_tell_when_what_waits_for_people_is_done() -> None:
    held = {1: Hold("rollout 1 is paused by Ann")}
    views = [view("shop", behind=True), view("cart", behind=True)]
    branches = under(ASPNET, views, [going("shop", begun=None), going("cart", number=2)], held)
    assert likely_done(branches, HOUR, NOON) is None


def test_nobody_can_tell_when_what_a_pause_holds_above_an_image_under_way_is_done() -> None:
    golden = Base("ghcr.io", "contoso/golden", "latest")
    held = {2: Hold("rollout 1 is paused by Ann")}
    views = [view("golden", behind=True), view("cart", on=golden, behind=True)]
    branches = under(ASPNET, views, [going("golden"), going("cart", on=golden, number=2, begun=None)], held)
    assert likely_done(branches, HOUR, NOON) is None


def test_where_nothing_is_under_way_nothing_is_expected() -> None:
    assert likely_done(under(ASPNET, [view("shop", behind=True)], []), HOUR, NOON) is None
