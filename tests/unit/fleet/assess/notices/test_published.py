from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.fleet.assess.notices.deciding import AlertOptions, NoticeDifference, Picture, compare_notices
from bot.fleet.assess.notices.published import Listed, Published
from bot.upstream.dotnet.releases import ReleaseIndex
from tests.unit.fleet.assess.world import DAY, base, seen

HOUR, DAYS = timedelta(hours=1), timedelta(days=1)


def looked(
    at: datetime, histories: Mapping[str, list[Observation]], listed: Mapping[str, str | None]
) -> NoticeDifference:
    """A look at bases, by their tag; `listed` are the digits of the digests in the inventory."""
    named = {_aspnet(tag): history for tag, history in histories.items()}
    tags = {
        ("dotnet/aspnet", tag): Listed(digit and f"sha256:{digit * 64}", frozenset({"linux"}))
        for tag, digit in listed.items()
    }
    used = {found: number for number, found in enumerate(named, 1)}
    shown = Picture(used, named, Published(frozenset({"dotnet/aspnet"}), tags), (), is_first=False)
    return compare_notices(shown, ReleaseIndex([]), {}, at, AlertOptions())


def _aspnet(tag: str) -> Base:
    return base(f"aspnet:{tag}")


def moved(*digits: str | None, of: str = "aspnet:8.0") -> list[Observation]:
    """One observation an hour."""
    return [seen(digit, of=of, at=DAY + number * HOUR) for number, digit in enumerate(digits)]


def test_an_inventory_that_lists_for_a_day_what_the_registry_has_left_is_stale() -> None:
    found = looked(DAY + HOUR + DAYS, {"8.0": moved("1", "2")}, {"8.0": "1"}).stale
    assert found is not None
    assert found.since == DAY + HOUR
    assert found.text == (
        "still lists what aspnet:8.0 showed before it moved 24 h ago, so that withdrawn tags go unnoticed; "
        "look whether its publisher still updates it"
    )


def test_the_first_day_is_no_alarm_and_the_next_look_is_when_it_ends() -> None:
    found = looked(DAY + 2 * HOUR, {"8.0": moved("1", "2")}, {"8.0": "1"})
    assert found.stale is None
    assert found.look_again_at == DAY + HOUR + DAYS


def test_an_inventory_that_follows_is_not_stale() -> None:
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2")}, {"8.0": "2"}).stale is None


def test_several_bases_are_one_alarm_since_the_first_of_them() -> None:
    histories = {"8.0": moved("1", "2"), "9.0": moved("3", "3", "4", of="aspnet:9.0")}
    found = looked(DAY + 9 * DAYS, histories, {"8.0": "1", "9.0": "3"}).stale
    assert found is not None
    assert found.since == DAY + HOUR
    assert "what aspnet:8.0 and 1 other base showed before they moved, the first 9 days ago" in found.text


def test_a_mirror_that_lags_behind_the_inventory_says_nothing_of_it() -> None:
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2")}, {"8.0": "3"}).stale is None


def test_a_base_that_has_not_moved_since_it_is_watched_says_nothing_either() -> None:
    assert looked(DAY + 9 * DAYS, {"8.0": moved("2")}, {"8.0": "1"}).stale is None


def test_an_inventory_that_names_no_digest_for_a_tag_or_not_the_tag_is_not_stale() -> None:
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2")}, {"8.0": None, "9.0": "1"}).stale is None
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2")}, {"9.0": "1"}).stale is None


def test_a_digest_that_was_withdrawn_and_came_back_as_it_was_has_not_moved() -> None:
    found = looked(DAY + 5 * HOUR + DAYS, {"8.0": moved("1", "2", None, "2")}, {"8.0": "1"}).stale
    assert found is not None
    assert found.since == DAY + HOUR


def test_a_publication_taken_back_is_a_move_that_the_inventory_must_follow_too() -> None:
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2", "1")}, {"8.0": "1"}).stale is None
    assert looked(DAY + 9 * DAYS, {"8.0": moved("1", "2", "1")}, {"8.0": "2"}).stale is not None


@pytest.mark.parametrize(
    ("listed", "has_channel"),
    [
        (("dotnet/aspnet", "8.0-noble"), True),
        (("dotnet/aspnet", "9.0"), False),
        (("dotnet/runtime", "8.0-noble"), False),
    ],
)
def test_a_channel_is_listed_where_its_own_repository_has_a_tag_of_it(
    listed: tuple[str, str], has_channel: bool
) -> None:
    published = Published(frozenset({"dotnet/aspnet", "dotnet/runtime"}), {listed: Listed(None, frozenset())})
    assert published.lists_channel(base("aspnet:8.0-alpine3.20")) is has_channel


def test_of_a_repository_that_it_does_not_list_and_of_a_tag_that_it_doubts_an_inventory_says_nothing() -> None:
    tags = {("dotnet/aspnet", "8.0"): Listed(None, frozenset())}
    published = Published(frozenset({"dotnet/aspnet"}), tags, frozenset({("dotnet/aspnet", "9.0")}))
    answers = [published.lists(base(name)) for name in ("aspnet:8.0", "aspnet:10.0", "aspnet:9.0", "runtime:8.0")]
    assert answers == [True, False, None, None]


def test_kin_are_the_floating_tags_of_the_same_repository_for_the_same_system_on_the_same_registry() -> None:
    linux, windows = frozenset({"linux"}), frozenset({"windows"})
    tags = {
        ("dotnet/aspnet", "8.0"): Listed("sha256:a", linux),
        ("dotnet/aspnet", "8.0.16"): Listed("sha256:b", linux),
        ("dotnet/aspnet", "8.0-nanoserver"): Listed("sha256:c", windows),
        ("dotnet/runtime", "8.0"): Listed("sha256:d", linux),
    }
    published = Published(frozenset({"dotnet/aspnet"}), tags)
    mirrored = replace(seen("1"), base=Base("myacr.azurecr.io", "dotnet/aspnet", "8.0-alpine3.20"))
    [kin] = published.kin(mirrored)
    assert (kin.base, kin.last.digest) == (Base("myacr.azurecr.io", "dotnet/aspnet", "8.0"), "sha256:a")
    assert [each.base.tag for each in published.kin(replace(mirrored, platforms=()))] == ["8.0"]
