from datetime import datetime, timedelta

import pytest

from bot.domain.evidence import Strength
from bot.domain.images.standing import Basis, ImageStanding, Publication
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Target
from bot.fleet.plan.cascade.shown import (
    ImageSight,
    LastBuild,
    Shown,
    Stood,
    Together,
    is_mended,
    made_together,
    shown_of,
)
from tests.unit.fleet.plan.cascade.world import NOON, upstream

RUNTIME, SDK = upstream(0), upstream(1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BUILD = LastBuild(NOON, (Target(RUNTIME, "sha256:a", "sha256:b", (1,)),))
NEW, OLD = Stood(frozenset({RUNTIME}), "b", "b"), Stood(frozenset({RUNTIME}), "a", "b")


def shown(
    stood: Stood | None,
    build: LastBuild | None = BUILD,
    moved: timedelta = MINUTE,
    digests: dict[Base, str | None] | None = None,
) -> Shown:
    return shown_of(NOON + moved, build, digests or {RUNTIME: "sha256:b", SDK: "sha256:b"}, stood)


def test_layers_that_stand_on_what_the_base_shows_now_prove_it() -> None:
    assert shown(NEW) is Shown.PROVED


def test_a_tag_that_still_stands_on_the_old_base_is_not_enough_though_it_moved() -> None:
    assert shown(OLD) is Shown.OLD


def test_where_layers_cannot_tell_a_tag_that_moved_since_the_build_began_is_claimed() -> None:
    assert shown(None) is shown(None, moved=0 * MINUTE) is Shown.CLAIMED
    assert shown(None, moved=-MINUTE) is Shown.OLD


def test_of_a_build_stage_that_layers_do_not_show_the_time_decides() -> None:
    build = LastBuild(NOON, (Target(SDK, "sha256:a", "sha256:b", (2,)),))
    assert shown(NEW, build) is Shown.CLAIMED
    assert shown(NEW, build, moved=-MINUTE) is Shown.OLD


def test_a_build_whose_beginning_nobody_knows_tells_nothing() -> None:
    assert shown(None, LastBuild(None, BUILD.targets)) is Shown.UNTOLD


@pytest.mark.parametrize("stood", [None, OLD])
def test_of_a_producer_that_nothing_rebuilt_nothing_is_to_be_expected(stood: Stood | None) -> None:
    assert shown(stood, None) is Shown.IDLE


def test_a_base_that_moved_on_since_without_a_rebuild_is_waited_for_no_longer() -> None:
    assert shown(OLD, digests={RUNTIME: "sha256:c"}) is Shown.IDLE
    assert shown(None, moved=-MINUTE, digests={RUNTIME: "sha256:c"}) is Shown.IDLE


def sight(*standings: ImageStanding, looked_at: datetime | None = NOON) -> ImageSight:
    return ImageSight(looked_at, standings)


def stands_on(base: Base, strength: Strength = Strength.PROVED, until: datetime | None = None) -> ImageStanding:
    shown = Publication(base, NOON, "sha256:b", "linux/amd64", "sha256:c", until)
    return ImageStanding("linux/amd64", strength, Basis.LAYERS, (shown,))


HERE, ELSEWHERE = stands_on(RUNTIME), stands_on(SDK)
LEFT_OUT = ImageStanding("windows/amd64", is_left_out=True)


@pytest.mark.parametrize(
    ("images", "together"),
    [
        pytest.param([sight(HERE), sight(HERE, HERE)], Together.YES, id="all stand on it"),
        pytest.param([sight(HERE), sight(HERE, ELSEWHERE)], Together.NO, id="a platform stands on another"),
        pytest.param([sight(HERE, LEFT_OUT)], Together.YES, id="a platform that is left out is not asked about"),
        pytest.param([sight(LEFT_OUT)], Together.NO, id="nothing is told but what is left out"),
        pytest.param([sight(HERE), sight()], Together.NO, id="of one nothing is told"),
        pytest.param([sight(HERE), None], Together.NO, id="one is not known"),
        pytest.param([], Together.NO, id="there is none"),
        pytest.param([sight(stands_on(RUNTIME, Strength.CLAIMED))], Together.NO, id="it is claimed alone"),
        pytest.param([sight(stands_on(RUNTIME, until=NOON + MINUTE))], Together.NO, id="the base has moved on"),
        pytest.param([sight(HERE), sight(HERE, looked_at=None)], Together.UNSEEN, id="one was never looked at"),
        pytest.param([sight(HERE, looked_at=NOON - MINUTE)], Together.UNSEEN, id="looked at too early"),
    ],
)
def test_one_build_has_made_the_images_upon_its_own_bases_where_layers_prove_all_of_them(
    images: list[ImageSight | None], together: Together
) -> None:
    assert made_together({RUNTIME}, NOON, images) is together


@pytest.mark.parametrize(
    ("sights", "mended"),
    [
        pytest.param([sight(HERE)], True, id="it is current"),
        pytest.param([sight(HERE, HERE), sight(HERE)], True, id="each of its tags is"),
        pytest.param([], False, id="nothing was looked at"),
        pytest.param([sight(HERE, looked_at=NOON - MINUTE)], False, id="it was looked at before"),
        pytest.param([sight(HERE, looked_at=None)], False, id="it was never looked at"),
        pytest.param([sight(stands_on(RUNTIME, until=NOON))], False, id="it stands on the old one"),
        pytest.param(
            [sight(HERE), sight(stands_on(RUNTIME, until=NOON))], False, id="one tag stands on the old one"
        ),
        pytest.param([sight(HERE), sight(HERE, looked_at=NOON - MINUTE)], False, id="one was looked at before"),
        pytest.param([sight()], False, id="its layers tell nothing"),
    ],
)
def test_a_failed_image_is_mended_once_a_later_look_shows_each_of_its_tags_current(
    sights: list[ImageSight], mended: bool
) -> None:
    assert is_mended(NOON, [], sights) is mended


def test_a_look_before_its_bases_moved_mends_nothing() -> None:
    assert not is_mended(NOON - HOUR, [NOON - HOUR, NOON + MINUTE], [sight(HERE)])
    assert is_mended(NOON - HOUR, [NOON - HOUR, NOON], [sight(HERE)])


def test_a_base_whose_producer_was_rebuilt_for_nothing_is_as_its_layers_say() -> None:
    assert shown(NEW, LastBuild(NOON, ())) is Shown.PROVED
    assert shown(OLD, LastBuild(NOON, ())) is Shown.IDLE
    assert shown(None, LastBuild(NOON, ())) is Shown.IDLE


def test_a_base_that_nobody_saw_move_is_not_claimed() -> None:
    assert shown_of(None, BUILD, {RUNTIME: "sha256:b"}, None) is Shown.OLD
