from dataclasses import replace

import pytest

from bot.domain.bases.change import Move
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.domain.rollouts.behind import BehindUsage, FleetBehind, lacking
from tests.unit.plan.world import ASPNET, MCR, NOON, digest, member, move, usage

LINE = Base(MCR, "dotnet/aspnet", "10.*.*")


def behind(text: str = "aspnet:10.0@a", *moves: Move, base: Base = ASPNET) -> BehindUsage:
    return BehindUsage(member(), usage(text), base, Observation(NOON, base, digest("z"), "10.0.9"), NOON, moves)


@pytest.mark.parametrize(
    ("text", "base", "pinned"),
    [
        ("aspnet:10.0@a", ASPNET, digest("a")),
        ("aspnet:10.0.4", ASPNET, "10.0.4"),
        ("aspnet:10.0", ASPNET, None),
        ("aspnet:10.1.2", LINE, "10.1.2"),
    ],
)
def test_a_digest_and_a_release_are_pins_and_a_floating_tag_is_none(
    text: str, base: Base, pinned: str | None
) -> None:
    assert behind(text, base=base).pinned == pinned


def on(*platforms: str) -> Move:
    return move(platforms=platforms)


def test_all_platforms_count_that_changed_on_the_way() -> None:
    change = lacking(behind("aspnet:10.0@a", on("linux/arm64"), on("linux/amd64", "linux/arm64")), NOON)
    assert change.platforms == ("linux/amd64", "linux/arm64")


def test_where_one_change_does_not_tell_its_platforms_none_is_told_so_that_each_may_have_changed() -> None:
    assert lacking(behind("aspnet:10.0@a", on("linux/arm64"), on()), NOON).platforms == ()


def test_what_floats_was_left_behind_at_the_first_of_the_changes() -> None:
    first, second = move(), move()
    first = replace(first, change=replace(first.change, from_digest=digest("b"), from_version=None))
    change = lacking(behind("aspnet:10.0", first, second), NOON)
    assert (change.from_digest, change.from_version) == (digest("b"), "10.0.4")


def test_a_release_of_a_line_is_its_own_version() -> None:
    assert lacking(behind("aspnet:10.1.2", move(), base=LINE), NOON).from_version == "10.1.2"


def test_links_of_all_changes_on_the_way_are_told_once() -> None:
    def linked(*links: tuple[str, str]) -> Move:
        told = move()
        return replace(told, change=replace(told.change, links=links))

    first, second = linked(("CVE-1", "https://a")), linked(("CVE-1", "https://a"), ("CVE-2", "https://b"))
    assert lacking(behind("aspnet:10.0@a", first, second), NOON).links == (
        ("CVE-1", "https://a"),
        ("CVE-2", "https://b"),
    )


def test_a_fleet_of_which_nothing_else_is_told_leaves_nobody_alone_and_is_known_as_a_whole() -> None:
    fleet = FleetBehind((), followed=3)
    assert (fleet.left_alone, fleet.untold) == (0, 0)
