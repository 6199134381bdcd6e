"""Where a rebuild's pull request and its build are shown."""

import pytest

from bot.views.rollouts.rebuilds import addresses

REPOSITORY = "https://github.example/contoso/shop"
RUN, PULL_REQUEST = f"{REPOSITORY}/actions/runs/77", f"{REPOSITORY}/pull/12"


@pytest.mark.parametrize(
    ("number", "url", "shown"),
    [
        (12, PULL_REQUEST, (PULL_REQUEST, None)),
        (12, RUN, (PULL_REQUEST, RUN)),
        (None, RUN, (RUN, None)),
        (12, None, (None, None)),
    ],
)
def test_the_number_of_a_pull_request_leads_to_it_and_never_to_its_run(
    number: int | None, url: str | None, shown: tuple[str | None, str | None]
) -> None:
    assert addresses(number, url) == shown
