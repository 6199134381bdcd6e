"""The hidden line of the fleet's issue, as laws."""

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.domain.rollouts.witness import (
    LONGEST_SAID,
    MOST_SAID,
    SaidHold,
    SaidQuarantine,
    Witness,
    read_said,
    read_witness,
    why_paused,
    witness_line,
    written_said,
)

DAY = date(2026, 3, 10)
SAID = st.lists(st.text(max_size=LONGEST_SAID), max_size=MOST_SAID).map(tuple)


@given(st.dates(), SAID, st.integers(0, 50), st.text(max_size=40))
def test_what_is_written_is_read_again_from_any_body(
    day: date, said: tuple[str, ...], more: int, around: str
) -> None:
    witness = Witness(day, said, len(said) + more)
    line = witness_line(witness)
    assert read_witness(f"{around}\n{line}\n{around}") == witness
    assert not set("\n<>") & set(line[4:-3])
    assert "--" not in line[4:-3]


@given(st.lists(st.text(max_size=500), max_size=60).map(tuple))
def test_it_is_bounded_however_much_was_said(said: tuple[str, ...]) -> None:
    line = witness_line(Witness(DAY, said, len(said)))
    read = read_witness(line)
    assert read is not None
    assert len(read.said) <= MOST_SAID
    assert all(len(each) <= LONGEST_SAID for each in read.said)


HOLD = SaidHold("contoso/shop", "held by Cem: a release")
QUARANTINE = SaidQuarantine(
    Base("mcr.microsoft.com", "dotnet/aspnet", "10.0"), f"sha256:{'b' * 64}", "Bob", "it crashes"
)


def test_holds_and_quarantines_are_told_as_data() -> None:
    witness = Witness(DAY, ("all paused",), 3, (HOLD, QUARANTINE))
    assert read_witness(witness_line(witness)) == witness
    assert "but for 2 holds and quarantines that `freshness-bot resume` puts back" in why_paused(witness)


@given(st.lists(st.builds(SaidHold, st.just("contoso/shop"), st.text(max_size=900)), max_size=60).map(tuple))
def test_what_is_put_back_is_bounded_and_loses_no_line(holds: tuple[SaidHold, ...]) -> None:
    read = read_witness(witness_line(Witness(DAY, ("a line",), 1, holds)))
    assert read is not None
    assert read.said == ("a line",)
    assert len(read.to_put_back) <= MOST_SAID


@pytest.mark.parametrize(
    "otherwise",
    [
        {"hold": "shop", "because": HOLD.because},
        {"hold": "12", "because": HOLD.because},
        {"hold": HOLD.repository, "because": "released by Cem: go"},
        {"hold": HOLD.repository, "because": "held by Cem: a\nb"},
        {"hold": HOLD.repository, "because": f"held by Cem: {'a' * 400}"},
        {"hold": HOLD.repository, "because": HOLD.because, "more": "x"},
        {"hold": HOLD.repository, "because": 4},
        {"quarantine": "aspnet", "digest": QUARANTINE.digest, "who": "Bob", "reason": "x"},
        {"quarantine": str(QUARANTINE.base), "digest": "sha256:b", "who": "Bob", "reason": "x"},
        {"quarantine": str(QUARANTINE.base), "digest": QUARANTINE.digest, "who": "", "reason": "x"},
        {"resume": "contoso/shop", "because": "held by Cem: go"},
        ["hold"],
        None,
    ],
)
def test_one_that_is_not_exactly_as_it_is_written_is_left_out(otherwise: object) -> None:
    assert read_said([otherwise, *written_said([HOLD])]) == (HOLD,)


@pytest.mark.parametrize("rows", [None, {}, "hold", 7])
def test_what_is_no_list_puts_nothing_back(rows: object) -> None:
    assert read_said(rows) == ()


@given(st.binary(max_size=300))
@example(b"[" * 3000)
@example(b'{"v":1}')
@example(b'{"v":2,"day":"2026-03-10"}')
@example(b'{"v":1,"day":"2026-03-10","said":[],"in_all":1e999}')
def test_one_that_cannot_be_read_still_says_that_somebody_was_here(garbage: bytes) -> None:
    text = garbage.decode("utf-8", "replace").translate(str.maketrans("", "", "\n<>"))
    assert read_witness(f"<!-- freshness-bot witness {{{text}}} -->") == Witness(date.min)
    assert read_witness(text) is None


@pytest.mark.parametrize(
    ("witness", "ends"),
    [
        (Witness(DAY), "last on 2026-03-10; what people had said then is to be said again, as far as it was said"),
        (Witness(DAY, ("all paused",), 3), "is to be said again: all paused; and 2 more"),
        (
            Witness(date.min),
            "was here before; what people had said then is to be said again, as far as it was said",
        ),
    ],
)
def test_it_is_told_in_words(witness: Witness, ends: str) -> None:
    assert why_paused(witness).endswith(ends)
