from dataclasses import replace

import pytest

from bot.domain.bases.change import Cause, Move, ToldWay
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind, lacking
from tests.unit.fleet.plan.world import ASPNET, MCR, NOON, digest, member, move, usage

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


def fixing(*cves: str, spared: tuple[str, ...] = (), severity: Severity | None = None) -> Move:
    told = move(cause=Cause.DOTNET_SECURITY, severity=severity)
    return replace(told, change=replace(told.change, cves=cves, not_relevant=spared))


def test_what_is_lacked_are_the_fixes_of_all_changes_on_the_way_each_once() -> None:
    change = lacking(behind("aspnet:10.0@a", fixing("CVE-1", "CVE-2"), fixing("CVE-2", "CVE-3")), NOON)
    assert change.cves == ("CVE-1", "CVE-2", "CVE-3")


def test_a_fix_is_not_relevant_where_it_is_not_by_any_of_the_changes() -> None:
    some = fixing("CVE-1", "CVE-2", spared=("CVE-1", "CVE-2")), fixing("CVE-2")
    assert lacking(behind("aspnet:10.0@a", *some), NOON).not_relevant == ("CVE-1",)


def test_what_is_lacked_is_as_severe_as_the_worst_of_it() -> None:
    some = fixing("CVE-1", severity=Severity.HIGH), fixing("CVE-2", severity=Severity.LOW), fixing("CVE-3")
    assert lacking(behind("aspnet:10.0@a", *some), NOON).severity is Severity.HIGH


@pytest.mark.parametrize(
    ("causes", "cause"),
    [
        ((Cause.LAYERS_ONLY, Cause.OS_UPDATE), Cause.OS_UPDATE),
        ((Cause.OS_UPDATE, Cause.OS_MOVE), Cause.OS_MOVE),
        ((Cause.OS_MOVE, Cause.CHANNEL_MOVE), Cause.CHANNEL_MOVE),
        ((Cause.CHANNEL_MOVE, Cause.BASE_UPDATE), Cause.BASE_UPDATE),
        ((Cause.BASE_UPDATE, Cause.DOTNET_UNKNOWN), Cause.DOTNET_UNKNOWN),
        ((Cause.DOTNET_UNKNOWN, Cause.DOTNET_RELEASE), Cause.DOTNET_RELEASE),
        ((Cause.DOTNET_RELEASE, Cause.DOTNET_SECURITY), Cause.DOTNET_SECURITY),
        ((), Cause.AGE),
    ],
)
def test_the_weightiest_of_the_changes_says_what_it_is_about(causes: tuple[Cause, ...], cause: Cause) -> None:
    change = lacking(behind("aspnet:10.0@a", *(move(cause=each) for each in causes)), NOON)
    assert (change.cause, change.cause_at_detection) == (cause, Cause.AGE)


def test_what_a_base_lacks_now_is_what_it_lacked_after_the_last_of_the_changes() -> None:
    some = move(lacks=("linux/arm64",)), move(lacks=("linux/arm/v7",))
    assert lacking(behind("aspnet:10.0@a", *some), NOON).lacks == ("linux/arm/v7",)
    assert lacking(behind("aspnet:10.0@a"), NOON).lacks == ()


def test_what_is_pinned_by_digest_was_left_behind_there() -> None:
    first = move()
    first = replace(first, change=replace(first.change, from_digest=digest("b")))
    assert lacking(behind("aspnet:10.0@c", first), NOON).from_digest == digest("c")
    assert lacking(behind("aspnet:10.0"), NOON).from_digest is None


def test_what_releases_tell_of_the_way_counts_only_where_no_move_was_seen() -> None:
    told_way = replace(move().change, cves=("CVE-2026-1",), severity=Severity.HIGH, from_version="10.0.0")
    untold = replace(behind("aspnet:10.0.4"), told_way=ToldWay(told_way))
    change = lacking(untold, NOON)
    assert (change.cause, change.cves, change.severity) == (told_way.cause, ("CVE-2026-1",), Severity.HIGH)
    assert lacking(replace(untold, moves=(move(),)), NOON).cves == move().change.cves


def test_what_nothing_tells_of_is_left_behind_by_its_age() -> None:
    assert lacking(behind("aspnet:10.0@a"), NOON).cause is Cause.AGE


def test_a_digest_was_left_behind_in_the_version_that_its_own_image_declares() -> None:
    read = Observation(NOON, ASPNET, digest("a"), "10.0.2")
    assert lacking(replace(behind(), stood_on=read), NOON).from_version == "10.0.2"


def test_the_ratings_of_all_changes_on_the_way_are_told() -> None:
    def rated(cve: str, severity: Severity) -> Move:
        told = fixing(cve)
        return replace(told, change=replace(told.change, ratings=((cve, severity),)))

    change = lacking(behind("aspnet:10.0@a", rated("CVE-1", Severity.LOW), rated("CVE-2", Severity.HIGH)), NOON)
    assert change.ratings == (("CVE-1", Severity.LOW), ("CVE-2", Severity.HIGH))
