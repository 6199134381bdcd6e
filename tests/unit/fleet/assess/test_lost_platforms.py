"""What a base lacks of the platforms that it had, and what its changes say of that."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.bases.change import Cause, Change
from bot.domain.bases.observation import NotJudged, Observation
from bot.fleet.assess.tick import lacked, with_lost_platforms
from tests.unit.fleet.assess.world import AMD64, ARM64, image, seen

ARM = "linux/arm/v7"


def shown(letter: str, *platforms: str) -> Observation:
    return seen(letter, *(image("1", platform=platform) for platform in platforms))


def change(cause: Cause, detail: str) -> Change:
    before = shown("1")
    return Change(before.base, before.at, before.digest, "sha256:2", cause, cause, detail=detail)


def test_a_platform_that_vanishes_is_lacked_until_it_is_back() -> None:
    known: tuple[str, ...] = ()
    found = []
    history = [shown("1", AMD64, ARM), shown("2", AMD64), shown("3", AMD64), shown("4", AMD64, ARM)]
    for before, after in pairwise(history):
        known = lacked(known, before, after)
        found.append(known)
    assert found == [(ARM,), (ARM,), ()]


@pytest.mark.parametrize(("before", "after"), [("linux/arm", ARM), (ARM, "linux/arm"), (ARM64, "linux/arm64/v8")])
def test_another_name_of_the_same_platform_is_nothing_lost(before: str, after: str) -> None:
    assert lacked((), shown("1", AMD64, before), shown("2", AMD64, after)) == ()


def test_another_variant_is_another_platform() -> None:
    assert lacked((), shown("1", AMD64, ARM), shown("2", AMD64, "linux/arm/v6")) == (ARM,)


def test_what_was_not_judged_or_not_recorded_is_not_lost() -> None:
    after = replace(shown("2", AMD64), not_judged=(NotJudged("windows/amd64 10.0.20348.2700", "x"),))
    assert lacked((), shown("1", AMD64, "windows/amd64"), after) == ()
    assert lacked((ARM,), shown("1", AMD64), Observation(after.at, after.base, "sha256:3")) == (ARM,)
    assert lacked((ARM,), shown("1", AMD64), Observation(after.at, after.base, None)) == (ARM,)


def test_an_index_that_lost_a_platform_is_not_only_an_index() -> None:
    told = with_lost_platforms(change(Cause.INDEX_ONLY, "the index dropped x"), (ARM,), shown("1", AMD64, ARM))
    assert (told.cause, told.cause_at_detection) == (Cause.PLATFORM_DROPPED, Cause.PLATFORM_DROPPED)
    assert told.lacks == (ARM,)
    assert told.detail == "the index dropped x; dropped linux/arm/v7"


def test_what_was_lost_before_is_no_news() -> None:
    told = with_lost_platforms(change(Cause.INDEX_ONLY, "nothing"), (ARM,), shown("1", AMD64))
    assert (told.cause, told.lacks, told.detail) == (Cause.INDEX_ONLY, (ARM,), "nothing")


@pytest.mark.parametrize("cause", [Cause.DOTNET_SECURITY, Cause.OS_UPDATE])
def test_what_else_changed_stays_the_cause_and_the_platform_is_told(cause: Cause) -> None:
    told = with_lost_platforms(change(cause, "it moved"), (ARM,), shown("1", AMD64, ARM))
    assert (told.cause, told.detail) == (cause, "it moved; dropped linux/arm/v7")


@given(st.lists(st.sets(st.sampled_from([AMD64, ARM64, ARM]), min_size=1), min_size=2, max_size=8))
def test_a_base_lacks_all_that_it_ever_had_and_has_no_more(sets: list[set[str]]) -> None:
    history = [shown("1", *sorted(each)) for each in sets]
    known: tuple[str, ...] = ()
    for before, after in pairwise(history):
        known = lacked(known, before, after)
    assert set(known) == set().union(*sets) - sets[-1]


def test_an_entry_that_was_not_judged_may_be_named_by_its_platform_alone() -> None:
    after = replace(
        shown("2", AMD64), not_judged=(NotJudged("windows/amd64", "x"), NotJudged("linux/arm/v7 a b", "x"))
    )
    assert lacked((), shown("1", AMD64, "windows/amd64", ARM), after) == ()
