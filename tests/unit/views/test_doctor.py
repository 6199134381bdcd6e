import pytest

from bot.views.doctor import Health, HealthCheck, as_json, exit_code


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        ([Health.FINE, Health.NOTE], 0),
        ([Health.FINE, Health.UNKNOWN], 3),
        ([Health.UNKNOWN, Health.WRONG], 1),
    ],
)
def test_the_exit_code_tells_the_worst(verdicts: list[Health], code: int) -> None:
    checks = [HealthCheck("area", "what", verdict, "found") for verdict in verdicts]
    assert exit_code(checks) == as_json(checks)["exit_code"] == code
