"""What is not said of jobs and repositories is not known; what holds of acting where the operator says nothing."""

from datetime import timedelta

from bot.domain.clock import ManualClock
from bot.domain.host import Hosts
from bot.domain.rollouts.policy import Policy
from bot.domain.rollouts.rebuild import Action
from bot.fleet.act.calling_off.tick import CallingOffTally
from bot.fleet.act.code_scanning.tick import DueScan, ScanTally, UploadedFindings
from bot.fleet.act.own_word import HOLDS_FOR, WordHeld
from bot.fleet.act.ports import MERGES_END_BEFORE, ActOptions, Job, Successor
from bot.fleet.act.retiring.retire import Retired, TraceOutcome, Traces
from bot.fleet.act.tick import ActTally
from tests.unit.fleet.act.world import NOON, member, rebuild

SHOP = member().identity


def test_of_a_job_nothing_else_is_told() -> None:
    job = Job(rebuild(), member(), "main", (), ())
    assert (job.places, job.quarantined, job.shown_since, job.packages) == ({}, {}, {}, {})
    assert (job.replaced_by, job.condemned, job.policy) == (None, None, Policy())
    assert (job.is_listed, job.at_request, job.is_provable) == (True, False, False)
    assert (job.is_paused, job.is_all_paused, Successor(Action.DISPATCH).url) == (False, False, None)


def test_of_traces_and_scans_nothing_else_is_told() -> None:
    assert Traces(SHOP) == Traces(SHOP, (), None, None)
    assert Retired("a/b", "branch", TraceOutcome.KEPT) == Retired("a/b", "branch", TraceOutcome.KEPT, None, "")
    assert DueScan(1, SHOP, "main", {}, ()) == DueScan(1, SHOP, "main", {}, (), None, None)
    assert UploadedFindings(None) == UploadedFindings(None, timedelta(days=30), None)


def test_a_word_that_nobody_has_heard_holds_nothing_back() -> None:
    held = WordHeld(None, ManualClock(NOON))  # type: ignore[arg-type]
    assert (held.last_word, held.intent) == (None, None)
    assert timedelta(minutes=1) == HOLDS_FOR


def test_a_tick_that_does_nothing_counts_nothing() -> None:
    assert ActTally() == ActTally(0, ())
    assert CallingOffTally() == CallingOffTally(0, ())
    assert ScanTally() == ScanTally(0, ())


def test_what_holds_of_acting_where_the_operator_says_nothing() -> None:
    options = ActOptions()
    assert (options.follow_every, options.visible_after) == (timedelta(minutes=5), timedelta(hours=1))
    assert (options.open_pull_requests, options.label) == (2, "freshness")
    assert (options.policy, options.hosts) == (Policy(), Hosts())
    assert timedelta(minutes=15) == MERGES_END_BEFORE


def test_the_words_in_which_leaving_is_told_stay() -> None:
    assert [str(outcome) for outcome in TraceOutcome] == ["closed", "deleted", "kept", "failed"]
