"""What a change of a base says by itself, and what lasts of several."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.bases.change import DOTNET_CAUSES, TOLD_BY_FEEDS, Cause, Change, Move, lasting
from tests.builders import ASPNET, NOON, change

WORDS = {
    "dotnet-security": True,
    "dotnet-release": True,
    "dotnet-unknown": True,
    "os-update": True,
    "os-move": True,
    "channel-move": True,
    "rollback": True,
    "layers-only": True,
    "index-only": False,
    "platform-dropped": False,
    "withdrawn": False,
    "returned": False,
    "base-update": True,
    "age": True,
}
"""As they are stored and sent, and whether such a change needs a rebuild."""


def test_causes_go_by_the_words_that_are_stored() -> None:
    assert {cause.value: cause.needs_rebuild for cause in Cause} == WORDS


def test_feeds_tell_the_causes_that_have_a_version_of_dotnet() -> None:
    assert {cause.value for cause in DOTNET_CAUSES} == {"dotnet-security", "dotnet-release", "dotnet-unknown"}
    assert {*DOTNET_CAUSES, Cause.ROLLBACK} == TOLD_BY_FEEDS


def test_a_change_says_nothing_that_nobody_told() -> None:
    bare = Change(ASPNET, NOON, "sha256:a", "sha256:b", Cause.OS_UPDATE, Cause.OS_UPDATE)
    assert (bare.from_version, bare.to_version, bare.severity, bare.published_at) == (None, None, None, None)
    assert (bare.cves, bare.not_relevant, bare.reopens, bare.ratings, bare.links) == ((), (), (), (), ())
    assert (bare.platforms, bare.evidence, bare.brings, bare.causes, bare.lacks) == ((), (), (), (), ())
    assert bare.detail == ""


def test_a_change_by_itself_is_in_no_rollout_and_has_no_steps() -> None:
    assert Move(7, change()) == Move(7, change(), rollout=None, steps=None)


@pytest.mark.parametrize(
    ("published", "counts_from"),
    [(None, NOON), (NOON - timedelta(hours=1), NOON - timedelta(hours=1)), (NOON + timedelta(hours=1), NOON)],
)
def test_what_a_mirror_shows_late_counts_from_its_publication(published: object, counts_from: object) -> None:
    assert change(published_at=published).counts_from == counts_from


def test_the_cause_of_a_base_that_brings_others_is_theirs() -> None:
    own = change(cause=Cause.BASE_UPDATE)
    assert own.root_causes == (Cause.BASE_UPDATE,)
    assert replace(own, causes=(Cause.OS_UPDATE,)).root_causes == (Cause.OS_UPDATE,)


def test_a_fix_that_a_later_rollback_opens_again_does_not_last() -> None:
    both, one, without = change(cves=("CVE-1", "CVE-2")), change(cves=("CVE-1",)), change(cause=Cause.OS_UPDATE)
    back = change(cause=Cause.ROLLBACK, reopens=("CVE-1",))
    again = change(cves=("CVE-1",))
    assert lasting([both, one, without, back, again]) == (replace(both, cves=("CVE-2",)), without, again)
    assert lasting([change(cause=Cause.ROLLBACK, cves=("CVE-3",))]) == ()
