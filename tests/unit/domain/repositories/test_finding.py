"""A repository's outcomes as a whole, and what moved between two audits."""

from dataclasses import replace

from bot.domain.repositories.finding import Finding, FindingSeverity, Moves, Outcome, Place, moves, outcomes

PIN = Finding("base-pinned", Outcome.FAILS, Place("Dockerfile", 1, 1), "stage 0", "latest", FindingSeverity.MEDIUM)
USER = replace(PIN, check="image-user")


def test_one_place_that_fails_decides_for_the_repository() -> None:
    held, unknown = replace(PIN, outcome=Outcome.HOLDS), replace(PIN, outcome=Outcome.UNKNOWN)
    assert outcomes([held, PIN, unknown]) == {"base-pinned": Outcome.FAILS}
    assert outcomes([held, unknown]) == {"base-pinned": Outcome.UNKNOWN}
    assert outcomes([held, replace(PIN, outcome=Outcome.WAIVED)]) == {"base-pinned": Outcome.WAIVED}
    assert outcomes([held, replace(PIN, outcome=Outcome.NOT_APPLICABLE)]) == {"base-pinned": Outcome.HOLDS}


def test_what_fails_since_is_opened_and_what_fails_no_more_is_closed() -> None:
    assert moves([PIN], [USER]) == {"base-pinned": Moves(closed=1), "image-user": Moves(opened=1)}


def test_a_finding_whose_lines_moved_is_the_same() -> None:
    assert moves([PIN], [replace(PIN, place=Place("Dockerfile", 9, 9))]) == {}


def test_a_waiver_closes_a_finding() -> None:
    assert moves([PIN], [replace(PIN, outcome=Outcome.WAIVED)]) == {"base-pinned": Moves(closed=1)}
