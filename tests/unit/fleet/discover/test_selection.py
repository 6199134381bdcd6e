"""Which repositories belong to the fleet, and what a listing means."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.bases.mirrors import MirrorRule, Mirrors
from bot.domain.forge.looks import Silence
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Repository
from bot.fleet.discover.listing import DOUBTED_FOR, understood
from bot.fleet.discover.ports import KnownFleet
from bot.fleet.discover.selection import Selection, selected

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
CONTOSO = Selection(include=("contoso/*",))


def repositories(*names: str) -> list[Repository]:
    return [Repository(f"contoso/{name}", "main") for name in names]


def known(*names: str, short_since: datetime | None = None) -> KnownFleet:
    return KnownFleet(frozenset(f"contoso/{name}" for name in names), short_since)


TEN = tuple(f"r{number}" for number in range(10))


@pytest.mark.parametrize("flag", ["archived", "disabled", "fork"])
def test_what_takes_no_changes_is_skipped(flag: str) -> None:
    assert not CONTOSO.takes(Repository("contoso/shop", "main", **dict[str, Any]({flag: True})))


def test_an_exclusion_wins_over_an_inclusion() -> None:
    selection = Selection(include=("contoso/*",), exclude=("contoso/legacy-*",))
    taken = selected(repositories("shop", "legacy-shop"), selection)
    assert [repository.name for repository in taken] == ["contoso/shop"]


def test_one_of_the_topics_is_enough() -> None:
    selection = Selection(topics=("dotnet", "images"))
    assert selection.takes(Repository("contoso/shop", "main", topics=("images", "shop")))
    assert not selection.takes(Repository("contoso/shop", "main", topics=("shop",)))


def test_case_tells_neither_owners_nor_topics_apart() -> None:
    selection = Selection(include=("Contoso/*",), topics=("DotNet",))
    assert selection.takes(Repository("contoso/Shop", "main", topics=("dotnet",)))


def test_each_repository_is_taken_once_in_the_order_of_names() -> None:
    taken = selected(repositories("b", "a", "b"), CONTOSO)
    assert [repository.name for repository in taken] == ["contoso/a", "contoso/b"]


@pytest.mark.parametrize(
    ("include", "owners"),
    [
        (("contoso/*", "Contoso/x", "fabrikam/api-*"), ("Contoso", "fabrikam")),
        (("*",), None),
        (("contoso/*", "*/shop"), None),
        (("con?oso/*",), None),
        (("/shop",), None),
    ],
)
def test_owners_are_those_that_the_globs_name(include: tuple[str, ...], owners: tuple[str, ...] | None) -> None:
    assert Selection(include=include).owners == owners


def test_only_watched_bases_are_followed() -> None:
    selection = Selection(bases=("mcr.microsoft.com/dotnet/*",))
    aspnet = Reference("mcr.microsoft.com/dotnet/aspnet", "10.0.1-noble")
    assert selection.watched_base(aspnet) == Base("mcr.microsoft.com", "dotnet/aspnet", "10.0-noble")
    assert selection.watched_base(Reference("docker.io/library/nginx", "1.29")) is None


@pytest.mark.parametrize(
    ("glob", "mark"),
    [
        ("mcr.microsoft.com/dotnet/*", b"dotnet"),
        ("registry.contoso.com/platform/base/*", b"platform"),
        ("*", b""),
        ("registry.contoso.com/*", b""),
    ],
)
def test_a_word_marks_files_that_may_name_a_watched_base(glob: str, mark: bytes) -> None:
    assert Selection(bases=(glob,)).marks == (mark,)


def test_a_few_repositories_that_are_gone_have_left() -> None:
    listing = understood(repositories(*TEN[4:]), known(*TEN), CONTOSO, NOON)
    assert (listing.kept_names, listing.trouble) == (frozenset(), None)


def test_a_fleet_that_is_more_than_half_gone_is_kept_and_said() -> None:
    listing = understood(repositories("r9"), known(*TEN), CONTOSO, NOON)
    assert listing.kept_names == {f"contoso/{name}" for name in TEN[:9]}
    assert listing.trouble is not None
    assert "no longer shows 9 of 10" in listing.trouble
    assert "2026-03-11 12:00 UTC" in listing.trouble


def test_an_empty_listing_empties_no_fleet() -> None:
    assert len(understood([], known(*TEN), CONTOSO, NOON).kept_names) == 10


def test_after_a_day_the_fleet_is_as_small_as_it_is_shown() -> None:
    since = NOON - DOUBTED_FOR
    listing = understood(repositories("r9"), known(*TEN, short_since=since), CONTOSO, NOON)
    assert (listing.kept_names, listing.trouble) == (frozenset(), None)
    sooner = understood(repositories("r9"), known(*TEN, short_since=since + timedelta(minutes=1)), CONTOSO, NOON)
    assert len(sooner.kept_names) == 9


def test_what_the_settings_no_longer_name_goes_at_once() -> None:
    narrowed = Selection(include=("contoso/r9",))
    assert understood(repositories(*TEN), known(*TEN), narrowed, NOON).kept_names == frozenset()
    assert understood([], known(*TEN), narrowed, NOON).kept_names == frozenset()


def test_what_is_shown_but_archived_goes_at_once() -> None:
    archived = [Repository(f"contoso/{name}", "main", archived=True) for name in TEN]
    assert understood(archived, known(*TEN), CONTOSO, NOON).kept_names == frozenset()


def test_settings_that_take_nothing_are_pointed_out() -> None:
    listing = understood(repositories("shop"), known(), Selection(include=("fabrikam/*",)), NOON)
    assert listing.nothing_taken is not None
    assert "github.repositories" in listing.nothing_taken


SUSPENDED = {"contoso": Silence("the App's installation at contoso is suspended")}
IN_TROUBLE = {"contoso": Silence("contoso could not be listed: HTTP 403", is_passing=True)}


def test_of_an_owner_in_trouble_all_is_kept_for_as_long_as_that_lasts() -> None:
    later = understood(
        repositories(*TEN[1:]), known(*TEN, short_since=NOON), CONTOSO, NOON + 9 * DOUBTED_FOR, IN_TROUBLE
    )
    assert later.kept_names == {f"contoso/{TEN[0]}"}
    assert later.trouble == (
        "contoso could not be listed: HTTP 403; what is known of 1 repository there stays meanwhile"
    )


def test_of_an_owner_who_cannot_be_listed_all_is_kept_for_a_day_and_told() -> None:
    listing = understood(repositories(*TEN[1:]), known(*TEN), CONTOSO, NOON, SUSPENDED)
    assert listing.kept_names == {f"contoso/{TEN[0]}"}
    assert listing.trouble == (
        "the App's installation at contoso is suspended; what is known of 1 repository there stays until "
        "2026-03-11 12:00 UTC"
    )
    later = understood(
        repositories(*TEN[1:]), known(*TEN, short_since=NOON), CONTOSO, NOON + DOUBTED_FOR, SUSPENDED
    )
    assert later.kept_names == frozenset()
    assert later.trouble == "the App's installation at contoso is suspended; nothing there is looked after"


def test_what_stands_under_a_mirror_is_watched_where_its_upstream_is() -> None:
    mirrors = Mirrors((MirrorRule("myacr.azurecr.io/mcr/*", "mcr.microsoft.com/*"),))
    selection = Selection(bases=("mcr.microsoft.com/dotnet/*",), mirrors=mirrors)
    copy = Reference.parse("myacr.azurecr.io/mcr/dotnet/aspnet:10.0.4-noble")
    assert selection.watched_base(copy) == Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0-noble")
    assert selection.watched_base(Reference.parse("myacr.azurecr.io/mcr/azure-cli:2.1")) is None
