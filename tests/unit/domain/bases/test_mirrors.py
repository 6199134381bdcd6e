"""Names under mirrors, and how far a copy is behind what it is a copy of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.bases.mirrors import (
    Behind,
    Copied,
    Likeness,
    MirrorRule,
    Mirrors,
    copied,
    likeness,
    mirror_prefix,
    tells_by_digests,
    took,
)
from bot.domain.bases.observation import Observation, PlatformImage
from bot.domain.reference import Base

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORIGIN = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
AMD64, ARM64 = "linux/amd64", "linux/arm64"
FOLDER = Mirrors((MirrorRule("myacr.azurecr.io/mcr/*", "mcr.microsoft.com/*"),))
ONE = Mirrors((MirrorRule("myacr.azurecr.io/aspnet", "mcr.microsoft.com/dotnet/aspnet"),))


def shown(letter: str, *platforms: str, at: datetime = NOON, index: str = "", push: str = "") -> Observation:
    """What was published under one letter. `index` has another index for the same manifests, `push` other manifests
    for the same layers."""
    images = tuple(
        PlatformImage(name, f"{letter}{push} {name}", diff_ids=(f"sha256:{letter} {name}",))
        for name in platforms or (AMD64, ARM64)
    )
    return Observation(at, ORIGIN, f"{letter}{index}{push}", platforms=images)


def later(minutes: int) -> datetime:
    return NOON + minutes * MINUTE


def test_a_folder_holds_copies_of_a_folder_under_the_same_tags() -> None:
    assert FOLDER.upstream_of(COPY) == ORIGIN
    assert FOLDER.upstream_of(ORIGIN) is None
    assert FOLDER.upstream_name("myacr.azurecr.io/mcr/") is None


def test_one_repository_may_be_a_copy_under_another_name() -> None:
    assert ONE.upstream_of(Base("myacr.azurecr.io", "aspnet", "10.0")) == ORIGIN
    assert ONE.upstream_of(Base("myacr.azurecr.io", "aspnet/more", "10.0")) is None


@pytest.mark.parametrize(
    ("copy", "known_by"),
    [
        (shown("a"), Likeness.DIGEST),
        (shown("a", index=" anew"), Likeness.PLATFORMS),
        (shown("a", AMD64, index=" anew"), Likeness.PLATFORMS),
        (shown("a", push=" anew"), Likeness.LAYERS),
        (shown("b"), None),
        (shown("a", AMD64, "linux/s390x", index=" anew"), None),
    ],
)
def test_a_copy_is_known_by_its_digest_or_else_by_what_is_in_it(
    copy: Observation, known_by: Likeness | None
) -> None:
    assert likeness(copy, shown("a")) is known_by


def test_a_copy_is_known_whichever_of_its_names_a_platform_is_stored_under() -> None:
    published = replace(shown("a"), platforms=(PlatformImage("linux/arm", "1", diff_ids=("x",)),))
    copy = replace(shown("a", index=" anew"), platforms=(PlatformImage("linux/arm/v7", "1", diff_ids=("x",)),))
    assert likeness(copy, published) is likeness(published, copy) is Likeness.PLATFORMS


def test_what_says_nothing_of_its_layers_is_like_nothing() -> None:
    bare = Observation(NOON, ORIGIN, "x", platforms=(PlatformImage(AMD64, "1"),))
    assert likeness(bare, Observation(NOON, ORIGIN, "y", platforms=(PlatformImage(AMD64, "2"),))) is None


def test_a_copy_is_behind_from_the_first_publication_that_it_does_not_show() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("c", at=later(20))]
    assert copied(shown("a", at=later(5)), published) == Copied(published[0], Likeness.DIGEST, later(10))
    assert copied(shown("c", at=later(25)), published) == Copied(published[2], Likeness.DIGEST, None)


def test_a_digest_that_upstream_took_back_to_counts_as_the_newest() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("a", at=later(20))]
    assert copied(shown("a", at=later(25)), published).behind_since is None


def test_a_copy_that_is_seen_before_its_origin_is_not_behind_for_long() -> None:
    assert copied(shown("b", at=later(30)), [shown("a")]) == Copied(None, None, later(30))


def test_nothing_is_known_before_upstream_was_seen() -> None:
    assert copied(shown("a"), [Observation(NOON, ORIGIN, None)]) == Copied(None, None, None)


def test_what_a_copy_took_is_measured_from_the_publication_that_it_shows() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("c", at=later(20))]
    copies = [shown("a"), shown("c", at=later(60))]
    assert took(copies, published) == ((later(60), 40 * MINUTE),)
    assert took(copies[:1], published) == ()


def test_what_upstream_comes_back_to_later_was_not_copied_before() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("a", at=later(20)), shown("b", at=later(40))]
    copies = [shown("a"), shown("b", at=later(15)), shown("a", at=later(27)), shown("b", at=later(49))]
    assert [lag for _, lag in took(copies, published)] == [5 * MINUTE, 7 * MINUTE, 9 * MINUTE]


def test_a_copy_took_from_its_own_digest_and_not_from_a_later_index_of_the_same_platforms() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("b", at=later(40), index="2")]
    assert took([shown("a"), shown("b", at=later(15))], published) == ((later(15), 5 * MINUTE),)


def test_a_copy_that_was_seen_before_its_origin_took_no_time() -> None:
    assert took([shown("a"), shown("b", at=later(5))], [shown("a"), shown("b", at=later(10))]) == (
        (later(5), timedelta()),
    )


def test_a_copy_that_was_pushed_anew_is_measured_by_its_platforms() -> None:
    published = [shown("a"), shown("b", at=later(10))]
    assert took([shown("a"), shown("b", at=later(15), push="x")], published) == ((later(15), 5 * MINUTE),)


def test_a_mirror_is_called_by_what_stands_in_place_of_upstream() -> None:
    assert mirror_prefix(COPY, ORIGIN) == "myacr.azurecr.io/mcr"
    assert mirror_prefix(Base("myacr.azurecr.io", "aspnet", "10.0"), ORIGIN) == "myacr.azurecr.io"
    assert mirror_prefix(Base("myacr.azurecr.io", "web", "10.0"), ORIGIN) == "myacr.azurecr.io/web"


def test_who_waits_is_told_for_what_and_how_far_behind_it_is() -> None:
    late = Behind(COPY, ORIGIN, f"sha256:{'0123456789ab' * 5}cdef", NOON)
    assert late.told(later(40)) == (
        "waits for myacr.azurecr.io/mcr to show sha256:0123456789ab of aspnet:10.0, 40 min behind mcr.microsoft.com"
    )


def test_what_upstream_was_never_seen_with_is_told_as_such_and_not_as_behind() -> None:
    foreign = Behind(COPY, ORIGIN, f"sha256:{'0123456789ab' * 5}cdef", NOON, f"sha256:{'f' * 64}")
    assert foreign.told(later(40)).endswith("40 min behind mcr.microsoft.com")
    assert foreign.told(later(23 * 60)) == (
        "myacr.azurecr.io/mcr shows sha256:ffffffffffff under aspnet:10.0, which mcr.microsoft.com was never seen "
        "with: look who pushes there, or leave it out of `mirrors`"
    )


def test_what_upstream_never_showed_took_no_time_that_is_known() -> None:
    assert took([shown("a"), shown("z", at=later(5))], [shown("a"), shown("b", at=later(1))]) == ()


def test_a_copy_is_told_in_words_by_how_it_is_known() -> None:
    assert [(each.value, each.told) for each in Likeness] == [
        ("digest", "the same digest"),
        ("platforms", "pushed anew with the same platform manifests"),
        ("layers", "pushed anew with the same unpacked layers (diff_ids)"),
    ]


def test_a_copy_that_shows_the_one_before_is_behind_from_the_next() -> None:
    published = [
        shown("a"),
        Observation(later(5), ORIGIN, None),
        shown("b", at=later(10)),
        shown("c", at=later(20)),
    ]
    assert copied(shown("b", at=later(25)), published) == Copied(published[2], Likeness.DIGEST, later(20))
    assert copied(shown("z", at=later(5)), published) == Copied(None, None, later(20))
    assert copied(shown("a"), []) == Copied(None, None, None)


def test_what_was_withdrawn_is_like_nothing_else_that_was() -> None:
    gone = Observation(NOON, ORIGIN, None)
    assert likeness(gone, gone) is None


def test_digests_alone_tell_where_upstream_was_seen_with_each() -> None:
    published = [shown("a"), shown("b", at=later(10))]
    assert tells_by_digests([shown("a"), shown("b", at=later(15))], published)
    assert not tells_by_digests([shown("a"), shown("b", at=later(15), push="x")], published)
    assert tells_by_digests([shown("z")], published)


def test_no_rule_is_about_a_name_under_no_mirror() -> None:
    assert Mirrors().rules == ()
    both = Mirrors((*ONE.rules, *FOLDER.rules))
    assert both.upstream_of(COPY) == ORIGIN
    assert both.upstream_name("docker.io/library/alpine") is None


def test_what_waits_for_what_is_not_known_is_told_so() -> None:
    late = Behind(COPY, ORIGIN, None, NOON)
    assert late.foreign is None
    assert late.reason == "waits for myacr.azurecr.io/mcr to show what upstream shows of aspnet:10.0"
    assert late.told(NOON - MINUTE) == late.told(NOON)


def test_what_is_shown_is_foreign_once_both_were_looked_at() -> None:
    foreign = Behind(COPY, ORIGIN, "sha256:a", NOON, "sha256:b")
    assert foreign.is_foreign(later(120))
    assert not foreign.is_foreign(later(119))


def test_a_name_that_is_all_the_same_keeps_its_registry() -> None:
    assert mirror_prefix(Base("a.io", "x", "1"), Base("b.io", "y/x", "1")) == "a.io"
    assert mirror_prefix(ORIGIN, ORIGIN) == "mcr.microsoft.com"
    assert mirror_prefix(Base("a.io", "b.io/x", "1"), Base("b.io", "x", "1")) == "a.io/b.io"


def test_a_copy_that_is_late_took_from_its_own_digest_and_not_from_a_later_index() -> None:
    published = [shown("a"), shown("b", at=later(10)), shown("b", at=later(40), index="2")]
    assert took([shown("a"), shown("b", at=later(50))], published) == ((later(50), 40 * MINUTE),)


def test_what_is_shown_again_after_it_was_withdrawn_is_no_move() -> None:
    published = [shown("a"), shown("b", at=later(5)), shown("a", at=later(10))]
    copies = [shown("a"), Observation(later(12), ORIGIN, None), shown("a", at=later(15))]
    assert took(copies, published) == ()
