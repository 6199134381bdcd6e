import pytest

from bot.views.doctor import Check, Verdict, as_json, exit_code


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        ([Verdict.FINE, Verdict.NOTE], 0),
        ([Verdict.FINE, Verdict.UNKNOWN], 3),
        ([Verdict.UNKNOWN, Verdict.WRONG], 1),
    ],
)
def test_the_exit_code_tells_the_worst(verdicts: list[Verdict], code: int) -> None:
    checks = [Check("area", "what", verdict, "found") for verdict in verdicts]
    assert exit_code(checks) == as_json(checks)["exit_code"] == code
