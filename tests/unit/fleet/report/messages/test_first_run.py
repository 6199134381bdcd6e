from datetime import timedelta

from bot.domain.bases.change import Cause, Move
from bot.domain.bases.observation import Observation
from bot.domain.feeds.advisory import Severity
from bot.domain.reference import Reference
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.behind import BehindUsage, FleetBehind
from bot.fleet.report.markdown import markdown_of
from bot.fleet.report.messages.first_run import FirstRunNews, first_run_message
from bot.views.fleet.staleness import as_json, staleness_of
from tests.builders import ASPNET, NOON, change

OLD = NOON - timedelta(days=200)
SHOWN = Observation(NOON, ASPNET, "sha256:" + "f" * 64, "10.0.9")


def behind(number: int, letter: str = "a", *, dated: bool = True) -> BehindUsage:
    home = FleetRepository(number, f"contoso/shop-{number}", (), RepositoryConfig())
    reference = Reference(ASPNET.name, ASPNET.tag, "sha256:" + letter * 64)
    moved = change(
        cause=Cause.DOTNET_SECURITY,
        cves=("CVE-2026-1", "CVE-2026-2"),
        severity=Severity.HIGH,
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
    assert "Lacking are the fixes of 2 CVEs, rated up to HIGH" in said
    assert "pinned to sha256:aaaaaaaaaaaa, 200 days old, 12 repositories" in said
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
