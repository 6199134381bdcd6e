"""What is known of a workflow's builds from one look to the next."""

from datetime import timedelta

from bot.domain.repositories.builds import BranchBuilds, LatestRuns, PastRun, builds_with
from tests.builders import NOON

MINUTE = timedelta(minutes=1)


def run(number: int, ended: int, conclusion: str | None = "success", branch: str = "main") -> PastRun:
    """A run that began `number` minutes after noon and changed last `ended` minutes after it."""
    return PastRun(NOON + number * MINUTE, "push", branch, conclusion, f"/{number}", number, NOON + ended * MINUTE)


def ended(known: BranchBuilds, *runs: PastRun) -> BranchBuilds:
    return builds_with(known, "active", runs, "main", NOON)


def test_the_run_that_ended_last_is_remembered_whatever_began_last() -> None:
    known = ended(BranchBuilds(), run(1, 9, "failure"), run(2, 5), run(3, 20, None), run(4, 30, branch="fix"))
    assert known.ended == run(1, 9, "failure")
    assert ended(known).ended == run(1, 9, "failure")


def test_a_later_attempt_of_a_run_ends_last() -> None:
    known = ended(BranchBuilds(), run(1, 4, "failure"), run(2, 5))
    assert ended(known, run(1, 60), run(2, 5)).ended == run(1, 60)


def test_a_run_that_was_cancelled_or_that_nobody_can_ask_for_is_none() -> None:
    unknown = PastRun(NOON, "push", "main", "success")
    assert ended(BranchBuilds(), run(1, 4, "cancelled"), unknown).ended is None


def test_up_to_a_moment_that_is_yet_to_come_nobody_knows_all_runs() -> None:
    latest = LatestRuns("active", (run(1, 2),), are_all=False)
    known = BranchBuilds(known_until=NOON + 2 * MINUTE)
    assert known.are_joined_by(latest, NOON + 2 * MINUTE)
    ahead = BranchBuilds(known_until=NOON + timedelta(days=365))
    assert not ahead.are_joined_by(latest, NOON + 2 * MINUTE)
