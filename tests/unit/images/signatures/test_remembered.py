"""What is remembered of verdicts, and for how long."""

from datetime import timedelta

from bot.images.signatures.verdict import CheckState, Remembered, SignatureCheck, SignatureVerdict
from tests.unit.images.signatures.making import NOW

HELD = SignatureVerdict(
    "notation", (SignatureCheck("integrity", CheckState.OK),), holds_until=NOW + timedelta(days=1)
)
FAILED = SignatureVerdict("notation", (SignatureCheck("integrity", CheckState.FAILED, "altered"),))


class Judge:
    """Counts how often it was asked."""

    def __init__(self, verdict: SignatureVerdict) -> None:
        self.verdict = verdict
        self.asked = 0

    def __call__(self) -> SignatureVerdict:
        self.asked += 1
        return self.verdict


def test_a_signature_that_holds_is_judged_once_until_time_decides_anew() -> None:
    remembered, judge = Remembered(), Judge(HELD)

    for at in (NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=23)):
        assert remembered.verdict(b"x", "policy", at, judge) == HELD
    assert judge.asked == 1
    remembered.verdict(b"x", "policy", NOW + timedelta(days=1), judge)
    assert judge.asked == 2
    remembered.verdict(b"x", "policy", NOW - timedelta(days=1), judge)
    assert judge.asked == 3


def test_other_bytes_and_another_policy_are_judged_apart() -> None:
    remembered, judge = Remembered(), Judge(HELD)

    for encoded, under in ((b"x", "a"), (b"y", "a"), (b"x", "b")):
        remembered.verdict(encoded, under, NOW, judge)

    assert judge.asked == 3


def test_one_that_does_not_hold_is_judged_each_time() -> None:
    remembered, judge = Remembered(), Judge(FAILED)

    for _ in range(2):
        assert remembered.verdict(b"x", "policy", NOW, judge) == FAILED
    assert judge.asked == 2


def test_the_least_recently_asked_about_is_forgotten() -> None:
    remembered, judge = Remembered(most=2), Judge(HELD)

    for encoded in (b"a", b"b", b"a", b"c", b"a", b"b"):
        remembered.verdict(encoded, "policy", NOW, judge)

    assert judge.asked == 4
