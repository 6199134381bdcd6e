from dataclasses import replace
from datetime import timedelta

from bot.domain.bases.change import Cause, Move, SecurityRelease, ToldWay
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Reference
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.pinning import BehindUsage, FleetBehind
from bot.fleet.report.markdown import markdown_of
from bot.fleet.report.messages.first_run import FirstRunNews, first_run_message
from bot.views.fleet.staleness import ProposedWave, as_json, proposed_waves, staleness_of
from tests.builders import ASPNET, NOON, change

OLD = NOON - timedelta(days=200)
SHOWN = Observation(NOON, ASPNET, "sha256:" + "f" * 64, "10.0.9")


def behind(
    number: int, letter: str = "a", *, dated: bool = True, severity: Severity | None = Severity.HIGH
) -> BehindUsage:
    home = FleetRepository(number, f"contoso/shop-{number}", (), RepositoryConfig())
    reference = Reference(ASPNET.name, ASPNET.tag, "sha256:" + letter * 64)
    moved = change(
        cause=Cause.DOTNET_SECURITY,
        cves=("CVE-2026-1", "CVE-2026-2"),
        severity=severity,
        from_version="10.0.4",
    )
    usage = Usage("Dockerfile", Kind("dockerfile"), 1, reference, Role.FINAL_STAGE)
    return BehindUsage(home, usage, ASPNET, SHOWN, OLD if dated else None, (Move(1, moved),) if dated else ())


def news(*some: BehindUsage, rollout: int | None = None, untold: int = 0) -> FirstRunNews:
    return FirstRunNews(staleness_of(FleetBehind(some, 40, untold=untold), NOON), NOON, rollout)


def text(told: FirstRunNews) -> str:
    message = first_run_message(told)
    assert message is not None
    return markdown_of(message)


def test_it_says_how_much_is_behind_since_when_and_what_that_lacks() -> None:
    said = text(news(*(behind(number) for number in range(12))))
    assert "12 of 40 repositories are behind what their bases show" in said
    assert "12 places name what a base has left behind, the oldest 200 days old" in said
    assert "They lack the fixes of 2 CVEs \\(up to HIGH\\)" in said
    assert "pinned to sha256:aaaaaaaaaaaa, 200 days old, in 12 repositories" in said
    assert "and 9 more\\): 10.0.4 → 10.0.9: 2 CVEs \\(up to HIGH\\)" in said


def test_without_a_rollout_it_says_how_to_make_one_and_with_one_which() -> None:
    assert "freshness-bot catch-up brings them along" in text(news(behind(1)))
    assert "Rollout 3 brings them along, wave by wave" in text(news(behind(1), rollout=3))


def test_what_cannot_be_dated_and_what_nobody_can_say_is_said_with_the_way_out() -> None:
    said = text(news(behind(1), behind(2, "b", dated=False), untold=2))
    assert "1 pin is older than anything that the bot has seen; freshness-bot import --from-git takes in" in said
    assert "2 repositories name floating tags, and no build there is known: on what these stand" in said


def test_of_a_fleet_in_which_nothing_is_behind_nothing_is_said() -> None:
    assert first_run_message(news()) is None


def test_many_are_counted() -> None:
    letters = "abcdefg"
    assert "and 2 more entries like these" in text(news(*(behind(i, each) for i, each in enumerate(letters))))


def test_as_json_it_names_every_repository() -> None:
    [entry] = as_json(staleness_of(FleetBehind((behind(1), behind(2)), 2), NOON))["behind"]
    assert entry["repositories"] == ["contoso/shop-1", "contoso/shop-2"]
    assert (entry["published_at"], entry["cause"]) == (OLD, "dotnet-security")


CRITICAL, HIGH, LOW = Severity.CRITICAL, Severity.HIGH, Severity.LOW


def of_severities(rollout: int | None = None) -> FirstRunNews:
    return news(behind(1, "a", severity=LOW), behind(2, "b", severity=CRITICAL), behind(3, "c"), rollout=rollout)


def test_what_lacks_the_most_severe_fixes_stands_first() -> None:
    said = text(of_severities())
    assert said.index("shop-2") < said.index("shop-3") < said.index("shop-1")


def test_waves_are_proposed_by_severity_each_with_its_command() -> None:
    lines = text(of_severities()).replace("\\", "")
    proposed = [line for line in lines.splitlines() if line.startswith("- ") and "`freshness-bot" in line]
    assert proposed == [
        "- 1 repository (contoso/shop-2) lacks fixes rated CRITICAL: `freshness-bot catch-up --severity critical`",
        "- 1 repository (contoso/shop-3) lacks fixes rated HIGH: `freshness-bot catch-up --severity high`",
        "- then 1 repository (contoso/shop-1), of which 1 with CVEs rated lower or not at all: "
        "`freshness-bot catch-up`",
    ]
    assert "freshness-bot catch-up --severity critical begins with the worst" in lines


def test_a_repository_is_in_the_wave_of_the_worst_that_it_lacks_alone() -> None:
    several = FleetBehind((behind(1, "a", severity=LOW), behind(1, "b"), behind(2, "a", severity=LOW)), 9)
    waves = proposed_waves(staleness_of(several, NOON))
    assert waves == (
        ProposedWave(HIGH, ("contoso/shop-1",), 1),
        ProposedWave(None, ("contoso/shop-2",), 1),
    )


def test_where_all_are_alike_no_order_is_proposed() -> None:
    assert "The worst first" not in text(news(behind(1), behind(2)))


def test_a_rollout_that_leaves_some_behind_says_how_the_rest_follows() -> None:
    partial = replace(of_severities(rollout=3), brought=frozenset({"contoso/shop-2"}))
    assert "Rollout 3 brings the worst along, wave by wave; freshness-bot catch-up brings the rest" in text(partial)


def test_it_says_how_long_the_oldest_fix_is_out() -> None:
    told = replace(behind(1), told_way=ToldWay(change(), (SecurityRelease(NOON - timedelta(days=63), "10.0.5"),)))
    said = text(news(told))
    assert "the oldest of them out for 63 days" in said
    assert "10.0.4 → 10.0.9: 1 security release, 2 CVEs \\(up to HIGH\\), oldest fix out for 63 days" in said
