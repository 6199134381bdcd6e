"""The summary of a week: what it says, and that it fits wherever it is sent."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clients.notifiers.teams_card import card_of
from bot.domain.feeds.advisory import Severity
from bot.domain.packages.cves.detected import Rating
from bot.domain.repositories.finding import FindingSeverity, Outcome
from bot.domain.repositories.onboarding import OnboardingState
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.running.promises import PromiseState
from bot.domain.running.report import ExposureSums, PromiseSum, WeekExposed
from bot.domain.wording.words import counted, first_few
from bot.fleet.report.markdown import markdown_of
from bot.fleet.report.messages.summary import brief_summary, summary_message, without_people
from bot.views.fleet.fleet import Standing
from bot.views.fleet.needs import AwaitsPerson, NeedGroup, NeedReason, NeedsYou
from bot.views.fleet.practices import FleetPractices, Practice
from bot.views.fleet.summary import Lag, RolledOut, Stuck, Summary
from bot.views.images.images import Unfixed
from bot.views.running.report import ExposureReport, Unread
from tests.builders import NOON, rebuild
from tests.slack_limits import HOSTILE, check, texts

WEEK = timedelta(days=7)


def stuck(days: int = 5, owners: tuple[str, ...] = (), each: Rebuild | None = None) -> Stuck:
    return Stuck(each or rebuild(), NOON - timedelta(days=days), owners)


QUIET = Summary(
    NOON - WEEK,
    NOON,
    standings={Standing.CURRENT: 90, Standing.BEHIND: 8, Standing.FAILED: 2, Standing.NO_BASE: 20},
    before={Standing.CURRENT: 80, Standing.BEHIND: 20},
    rollouts=(),
    rollouts_in_all=0,
    succeeded=0,
    failed=0,
    stuck=(),
    stuck_in_all=0,
    lag=None,
    withdrawn=(),
    ends=(),
    planned=0,
)


def test_it_begins_with_what_needs_you_then_how_fresh_the_fleet_is_and_where_that_goes() -> None:
    told = summary_message(QUIET)
    check(told)
    freshness = "90% of the fleet is current: of 100 repositories 90 current, 8 behind, 2 failed"
    assert told.text == f"Nothing needs you; {freshness}"
    assert texts(told).splitlines()[:2] == ["Nothing needs you", freshness]
    assert "7 days before it was 80%" in texts(told)
    assert "2026-03-03 12:00 UTC to 2026-03-10 12:00 UTC; nothing is planned" in texts(told)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({Standing.CURRENT: 90, Standing.BEHIND: 10}, "7 days before also 90%"),
        ({Standing.CURRENT: 91, Standing.BEHIND: 9}, "7 days before it was 91%"),
    ],
)
def test_the_trend_is_told_by_the_share_of_before(before: dict[Standing, int], said: str) -> None:
    assert said in texts(summary_message(replace(QUIET, before=before)))


def test_without_an_earlier_count_no_trend_is_told() -> None:
    assert "before" not in texts(summary_message(replace(QUIET, before={})))


@pytest.mark.parametrize(
    ("current", "behind", "title"),
    [
        (0, 0, "No repository is followed yet"),
        (0, 10, "0% of the fleet is current"),
        (1, 999, "less than 1% of the fleet is current"),
        (999, 1, "over 99% of the fleet is current"),
        (10, 0, "100% of the fleet is current"),
    ],
)
def test_all_and_nothing_are_only_said_where_they_are_so(current: int, behind: int, title: str) -> None:
    told = summary_message(replace(QUIET, standings={Standing.CURRENT: current, Standing.BEHIND: behind}))
    assert told.text.startswith(f"Nothing needs you; {title}: ")


def needs(*reasons: NeedReason, number: int = 40) -> NeedsYou:
    named = tuple(AwaitsPerson(f"contoso/{name}", NOON - WEEK, url=f"https://host/{name}") for name in "abcdefghij")
    return NeedsYou(tuple(NeedGroup(reason, number, named[:number]) for reason in reasons))


def test_each_reason_is_told_with_its_count_its_day_and_links_to_the_worst_three() -> None:
    told = texts(summary_message(replace(QUIET, needs=needs(NeedReason.FAILED))))
    links = ", ".join(f"<https://host/{name}|contoso/{name}>" for name in "abc")
    to_do = "to do: mend the build; `freshness-bot retry REPOSITORY` has it tried again"
    assert f"• 40 builds are red, since 2026-03-03: {links} and 37 more; {to_do}" in told


def week(days: float, known: float = 1.0) -> WeekExposed:
    return WeekExposed(NOON - WEEK, NOON, {}, timedelta(days=days), known)


def missed(team: str, number: int, unknown: int = 0) -> PromiseSum:
    states = {PromiseState.KEPT: 2, PromiseState.MISSED: number, PromiseState.UNKNOWN: unknown}
    return PromiseSum(team, Severity.HIGH, states)


def exposed(
    *promises: PromiseSum,
    before: WeekExposed | None = None,
    unread: tuple[str, ...] = (),
    places: int = 14,
) -> ExposureReport:
    trend = (week(0), before or week(31.5), week(places))
    sums = ExposureSums((), promises, trend, timedelta(days=places), places)
    reasons = tuple(Unread(why, 6, timedelta(days=42)) for why in unread)
    return ExposureReport(NOON - WEEK, NOON, sums, 212, reasons, sources=("europe",))


EXPOSED = "exposed in the last 7 days: 14 of 212 running places, for 14.0 days together"


def test_in_a_chat_one_line_says_how_long_what_runs_was_exposed() -> None:
    promises = missed("web", 2), missed("pay", 3), missed("web", 2), missed("", 1), missed("a", 0, 5)
    told = brief_summary(replace(QUIET, exposure=exposed(*promises, unread=("packages not read", "gone"))))
    check(told)
    assert texts(told).splitlines()[2] == (
        f"{EXPOSED}; 31.5 days in the week before; promises missed: web 4, pay 3, no team 1; "
        "5 promises not known to be kept; there may be more: 6 places for 42.0 days: packages not read "
        "and 1 more reason"
    )


def test_the_whole_summary_has_a_line_for_each_reason_why_more_may_be_exposed() -> None:
    told = summary_message(replace(QUIET, exposure=exposed(missed("web", 0), unread=("packages not read", "gone"))))
    check(told)
    assert (
        f"*Exposed*\n• {EXPOSED}; 31.5 days in the week before; no promise missed\n"
        "• there may be more: 6 places for 42.0 days: packages not read\n"
        "• there may be more: 6 places for 42.0 days: gone\n" in f"{texts(told)}\n"
    )


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (week(0), f"{EXPOSED}; 0.0 days in the week before\n"),
        (week(3, known=0.5), f"{EXPOSED}; 3.0 days in what is known of the week before\n"),
        (week(0, known=0.5), f"{EXPOSED}; 0.0 days in what is known of the week before\n"),
        (week(0, known=0), f"{EXPOSED}; the week before is not known\n"),
    ],
)
def test_a_week_before_that_is_not_known_is_not_told_as_without_exposure(before: WeekExposed, said: str) -> None:
    assert said in texts(brief_summary(replace(QUIET, exposure=exposed(before=before))))


def test_what_was_exposed_to_nothing_is_said_in_the_same_place() -> None:
    told = texts(brief_summary(replace(QUIET, exposure=exposed(places=0)))).splitlines()
    assert told[2].startswith("not exposed in the last 7 days: none of 212 running places was; 31.5 days")


def test_hostile_teams_and_reasons_neither_mention_nor_link_nor_outgrow_the_chat() -> None:
    report = exposed(*(missed(f"{HOSTILE * 50}{n}", n + 1) for n in range(50)), unread=(HOSTILE * 500,) * 50)
    for told in (brief_summary(replace(QUIET, exposure=report)), summary_message(replace(QUIET, exposure=report))):
        check(told)
        assert "<!" not in texts(told)
        assert "<https://evil" not in texts(told)


@pytest.mark.parametrize("exposure", [None, exposed(missed("web", 3), unread=("gone",))])
def test_in_a_chat_it_takes_eight_lines_whatever_the_fleet(exposure: ExposureReport | None) -> None:
    practices = FleetPractices(65, 0, (practice("sbom", 3), practice("image-user", 40)))
    told = brief_summary(
        replace(
            QUIET,
            needs=needs(*NeedReason, number=4_000),
            rollouts=tuple(RolledOut(number, "OS update " * 40, 100, 20, 3, 4, 5) for number in range(5)),
            rollouts_in_all=40,
            stuck=tuple(stuck() for _ in range(10)),
            stuck_in_all=5000,
            lag=Lag(9, timedelta(hours=3)),
            withdrawn=("gone",) * 50,
            practices=practices,
            exposure=exposure,
        )
    )
    check(told)
    lines = texts(told).splitlines()
    assert len(lines) == 8, lines
    assert lines[0] == "44,000 things need you now; 8,000 more in the weeks ahead"
    first_others = "4,000 repositories refuse the bot, 4,000 steps wait for approval, 4,000 pull requests are green"
    also = f"• also {first_others} and unmerged, 32,000 more for other reasons"
    assert lines[3] == also if exposure is None else lines[2].startswith("• also ")
    assert exposure is None or lines[4].startswith(EXPOSED)
    assert "practice missed most, in 40 repositories: title" in lines[6]


def test_in_a_chat_a_quiet_week_is_three_lines() -> None:
    assert len(texts(brief_summary(QUIET)).splitlines()) == 3


def test_what_was_rebuilt_is_told_with_its_cause() -> None:
    rolled = (
        RolledOut(7, ".NET 10.0.5 fixes 3 CVEs, rated up to HIGH", 38, 2, 1),
        RolledOut(8, "OS update", 4, 0, 0, 3, 2),
    )
    told = texts(summary_message(replace(QUIET, rollouts=rolled, rollouts_in_all=9)))
    assert "• .NET 10.0.5 fixes 3 CVEs, rated up to HIGH: 38 rebuilt, 2 failed, 1 called off" in told
    assert (
        "• OS update: 4 rebuilt, 3 built but not proven, 2 merged but not seen to build\n• and 7 more rollouts"
        in told
    )


def test_what_is_told_as_a_whole_counts_nothing_more() -> None:
    """Lists that are just as long as what is shown of them."""
    told = texts(
        summary_message(
            replace(
                QUIET,
                rollouts=(RolledOut(7, "OS update", 4, 0, 0),),
                rollouts_in_all=1,
                stuck=(stuck(),),
                stuck_in_all=1,
                ends=tuple(f"support of {number} ends" for number in range(5)),
                unfixed=tuple(Unfixed(f"CVE-{number}", Rating.HIGH, ("bash",), 1) for number in range(5)),
                practices=FleetPractices(65, 0, tuple(practice(name, 1) for name in "abc")),
            )
        )
    )
    assert "more" not in told


def test_of_lists_that_are_longer_by_one_it_is_told_that_there_is_one_more() -> None:
    told = texts(
        summary_message(
            replace(
                QUIET,
                rollouts=(RolledOut(7, "OS update", 4, 0, 0),),
                rollouts_in_all=2,
                ends=tuple(f"support of {number} ends" for number in range(6)),
                unfixed=tuple(Unfixed(f"CVE-{number}", Rating.HIGH, ("bash",), 1) for number in range(6)),
            )
        )
    )
    assert "• and 1 more rollout" in told
    assert told.count("• and 1 more\n") + told.endswith("• and 1 more") == 2


def test_a_rebuild_that_waits_in_another_state_is_told_with_its_reason() -> None:
    held = rebuild("contoso/desk", RebuildState.BUILT, reason="the gate holds it back")
    told = texts(summary_message(replace(QUIET, stuck=(stuck(2, each=held),), stuck_in_all=1)))
    assert f"has been {RebuildState.BUILT} for 2 days (the gate holds it back)" in told
    assert ", on" not in told


def test_three_owners_are_named_and_the_others_counted() -> None:
    told = texts(summary_message(replace(QUIET, stuck=(stuck(2, tuple("abcde")),), stuck_in_all=1)))
    assert f", on {first_few('abcde', 3)}" in told


def test_how_many_rebuilds_are_planned_and_how_to_list_them_is_told() -> None:
    told = texts(summary_message(replace(QUIET, planned=1)))
    assert "1 rebuild is planned, freshness-bot plan --all lists them" in told


def test_without_what_waits_for_a_person_the_rest_is_told() -> None:
    waiting = replace(QUIET, stuck=(stuck(),), stuck_in_all=9)
    assert summary_message(without_people(waiting)) == summary_message(QUIET)


def test_a_release_that_was_out_at_its_announcement_came_no_time_after_it() -> None:
    told = texts(summary_message(replace(QUIET, lag=Lag(1, timedelta()))))
    assert "after its announcement" in told


def test_the_share_of_before_is_rounded_like_that_of_now() -> None:
    before = {Standing.CURRENT: 796, Standing.BEHIND: 204}
    now = {Standing.CURRENT: 1_000, Standing.BEHIND: 0}
    assert "it was 80%" in texts(summary_message(replace(QUIET, before=before, standings=now)))


def test_who_is_waited_for_is_named_with_the_time_and_the_owners() -> None:
    failed = rebuild("contoso/desk", RebuildState.FAILED, reason="checks failed", url=None)
    told = texts(
        summary_message(
            replace(QUIET, stuck=(stuck(5, ("octocat", "contoso/web")), stuck(1, each=failed)), stuck_in_all=3)
        )
    )
    assert "|contoso/shop> has not been merged for 5 days, on octocat, contoso/web" in told
    assert "• contoso/desk failed 24 h ago (checks failed)" in told
    assert "• and 1 more repository" in told


def test_upstream_is_told_with_its_lag_and_what_ends() -> None:
    told = texts(
        summary_message(
            replace(
                QUIET,
                lag=Lag(12, timedelta(hours=3)),
                withdrawn=("aspnet:8.0-alpine was withdrawn",),
                ends=tuple(f"support of {number} ends" for number in range(7)),
            )
        )
    )
    assert "• 12 base images got a .NET release, in the median 3 h after its announcement" in told
    assert "• aspnet:8.0-alpine was withdrawn" in told
    assert told.count("support of") == 5
    assert "• and 2 more" in told


def test_what_nobody_has_fixed_is_shown_every_time_with_how_many_images_have_it() -> None:
    def unfixed(number: int) -> Unfixed:
        return Unfixed(f"CVE-2026-{number}", Rating.HIGH, ("bash", "dash", "ksh", "zsh"), number)

    told = texts(summary_message(replace(QUIET, unfixed=tuple(map(unfixed, range(1, 8))))))
    assert "Not fixed yet" in told
    assert "• CVE-2026-1 (HIGH) in bash, dash, ksh: 1 image" in told
    assert "• and 2 more" in told


def test_images_that_are_out_before_the_announcement_say_so() -> None:
    told = texts(summary_message(replace(QUIET, lag=Lag(1, -timedelta(minutes=30)))))
    assert "1 base image got a .NET release, in the median 30 min before its announcement" in told


def test_nothing_from_outside_mentions_links_or_outgrows_a_place() -> None:
    hostile = rebuild(HOSTILE, RebuildState.FAILED, reason=HOSTILE * 50)
    told = summary_message(
        replace(
            QUIET,
            rollouts=tuple(RolledOut(number, HOSTILE * 50, 1, 1, 1) for number in range(5)),
            stuck=tuple(stuck(9, (HOSTILE * 9,) * 9, hostile) for _ in range(10)),
            stuck_in_all=5000,
            withdrawn=(HOSTILE * 50,) * 50,
            ends=(HOSTILE * 50,) * 50,
        )
    )
    check(told)
    assert "<!" not in texts(told)
    assert "<https://evil" not in texts(told)
    assert "[click]" not in markdown_of(told)
    assert "@here" not in markdown_of(told)
    assert card_of(told)["body"][0]["text"] == "Nothing needs you"


def practice(check: str, fails: int, opened: int = 0, closed: int = 0) -> Practice:
    counts = {Outcome.HOLDS: 20, Outcome.FAILS: fails, Outcome.UNKNOWN: 5}
    return Practice(check, "title", FindingSeverity.HIGH, counts, (), opened, closed)


def test_the_practices_that_fail_most_are_named_with_what_moved() -> None:
    rows = (practice("sbom", 3, 2), practice("image-user", 40, 1, 7), practice("seccomp", 5), practice("pins", 1))
    told = summary_message(replace(QUIET, practices=FleetPractices(65, 0, rows)))
    check(told)
    assert "title (image-user): fails in 40 of 60 repositories" in texts(told)
    assert "and 1 more check fails somewhere" in texts(told)
    assert "this week 3 findings opened and 7 closed" in texts(told)


def test_practices_that_hold_everywhere_are_not_named_and_alike_ones_stand_by_name() -> None:
    rows = (practice("b", 2), practice("a", 2), practice("all-well", 0))
    told = texts(summary_message(replace(QUIET, practices=FleetPractices(65, 0, rows))))
    assert told.index("(a): fails in 2 of") < told.index("(b): fails in 2 of")
    assert "all-well" not in told
    assert "this week" not in told


@pytest.mark.parametrize(("opened", "closed"), [(1, 0), (0, 1)])
def test_what_moved_one_way_alone_is_told(opened: int, closed: int) -> None:
    rows = (practice("a", 2, opened, closed),)
    told = texts(summary_message(replace(QUIET, practices=FleetPractices(65, 0, rows))))
    assert f"this week {counted(opened, 'finding')} opened and {closed} closed" in told


def test_how_many_are_brought_to_the_practices_is_told() -> None:
    brought = {OnboardingState.DECLINED: 1, OnboardingState.OPEN: 2}
    told = summary_message(replace(QUIET, practices=FleetPractices(65, 0, (), brought)))
    assert "brought along by pull requests: 2 open, 1 declined" in texts(told)


def test_where_nothing_was_judged_practices_are_not_mentioned() -> None:
    assert "Practices" not in texts(summary_message(QUIET))


def test_images_that_contradict_themselves_are_named_also_where_people_wait_elsewhere() -> None:
    told = replace(QUIET, contradicted=("contoso/shop: its configuration has DOTNET_VERSION=10.0.4",))
    for message in (summary_message(told), summary_message(without_people(told))):
        assert "Images that contradict themselves" in texts(message)
        assert "DOTNET_VERSION=10.0.4" in texts(message)
        check(message)
