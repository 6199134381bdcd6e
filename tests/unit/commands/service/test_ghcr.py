import pytest

from bot.commands.service.permissions import of_token
from bot.views.doctor import Health


@pytest.mark.parametrize(
    ("token", "verdict", "said"),
    [
        (None, Health.NOTE, "without a token"),
        ("ghp_" + "a1" * 18, Health.FINE, "a classic token"),
        ("0123456789abcdef" * 2 + "01234567", Health.FINE, "a classic token"),
        ("github_pat_" + "a" * 60, Health.WRONG, "a fine-grained token"),
        ("ghs_" + "a" * 36, Health.WRONG, "an App's token"),
        ("hunter22", Health.NOTE, "does not look like a classic token"),
    ],
)
def test_ghcr_takes_classic_tokens_alone(token: str | None, verdict: Health, said: str) -> None:
    found = of_token(token)
    assert (found.verdict, said in found.found) == (verdict, True)
    assert ("read:packages" in found.way_out) is (verdict is not Health.FINE)
    assert token is None or token not in f"{found.found}{found.way_out}"
