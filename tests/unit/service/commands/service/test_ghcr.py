import pytest

from bot.service.commands.service.ghcr import of_token
from bot.views.doctor import Verdict


@pytest.mark.parametrize(
    ("token", "verdict", "said"),
    [
        (None, Verdict.NOTE, "without a token"),
        ("ghp_" + "a1" * 18, Verdict.FINE, "a classic token"),
        ("0123456789abcdef" * 2 + "01234567", Verdict.FINE, "a classic token"),
        ("github_pat_" + "a" * 60, Verdict.WRONG, "a fine-grained token"),
        ("ghs_" + "a" * 36, Verdict.WRONG, "an App's token"),
        ("hunter22", Verdict.NOTE, "does not look like a classic token"),
    ],
)
def test_ghcr_takes_classic_tokens_alone(token: str | None, verdict: Verdict, said: str) -> None:
    found = of_token(token)
    assert (found.verdict, said in found.found) == (verdict, True)
    assert ("read:packages" in found.way_out) is (verdict is not Verdict.FINE)
    assert token is None or token not in f"{found.found}{found.way_out}"
