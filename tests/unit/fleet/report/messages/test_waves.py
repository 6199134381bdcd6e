"""What is answered below a rollout's message."""

from dataclasses import replace
from datetime import timedelta

from bot.fleet.report.messages.stops import FailedRebuild
from bot.fleet.report.messages.waves import WaveNews, wave_message
from tests.builders import NOON
from tests.slack_limits import HOSTILE, check, texts

CANARY = WaveNews(3, ".NET 10.0.5 fixes 1 CVE", "canary", 2, 12, 12, 0, began_at=NOON)
BROKEN = FailedRebuild("contoso/shop", "https://host/contoso/shop/pull/12", "checks failed")


def test_a_wave_that_is_through_says_how_many_and_how_long() -> None:
    told = wave_message(replace(CANARY, done_since=NOON + timedelta(hours=3)))
    assert told is not None
    check(told)
    assert told.text == "Wave canary is through: 12 of 12 rebuilt in 3 h"
    assert not told.needs_person


def test_a_wave_that_is_through_counts_apart_what_is_not_proven() -> None:
    done = replace(CANARY, succeeded=8, unproven=3, done_since=NOON + timedelta(hours=3))
    for merged, said in ((0, ""), (1, ", 1 merged but not seen to build")):
        told = wave_message(replace(done, merged=merged))
        assert told is not None
        assert told.text == f"Wave canary is through: 8 of 12 rebuilt in 3 h, 3 built but not proven{said}"


def test_a_wave_that_is_under_way_without_failures_is_not_told() -> None:
    assert wave_message(CANARY) is None


def test_the_end_of_the_only_wave_is_told_by_the_rollout() -> None:
    assert wave_message(replace(CANARY, waves=1, done_since=NOON)) is None


def test_failures_are_named_with_their_reasons_and_call_a_person() -> None:
    told = wave_message(replace(CANARY, succeeded=11, failed=1, failures=(BROKEN,)))
    assert told is not None
    check(told)
    assert told.text == "1 of 12 rebuilds in wave canary failed: .NET 10.0.5 fixes 1 CVE"
    assert "• <https://host/contoso/shop/pull/12|contoso/shop>: checks failed" in texts(told)
    assert told.needs_person


def test_failures_of_a_rollout_without_waves_name_none() -> None:
    told = wave_message(replace(CANARY, waves=1, succeeded=11, failed=1, failures=(BROKEN,)))
    assert told is not None
    assert told.text.startswith("1 of 12 rebuilds failed: ")


def test_nothing_from_outside_mentions_or_links() -> None:
    hostile = FailedRebuild(HOSTILE, None, HOSTILE)
    told = wave_message(replace(CANARY, wave=HOSTILE, failed=12, failures=(hostile,) * 20))
    assert told is not None
    check(told)
    assert "<!" not in texts(told)


def test_a_canary_that_others_wait_for_says_how_it_goes_on() -> None:
    told = wave_message(replace(CANARY, succeeded=11, failed=1, failures=(BROKEN,), is_waited_for=True))
    assert told is not None
    check(told)
    assert "`freshness-bot rollout resume 3 --reason …`" in texts(told)
