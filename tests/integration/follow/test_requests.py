"""What following costs at GitHub."""

from pathlib import Path

import pytest

from tests.an_hour_of_following import an_hour_of_following


@pytest.mark.long
async def test_an_hour_of_following_a_thousand_of_each_takes_sixty_requests_at_most(tmp_path: Path) -> None:
    requests, looks = await an_hour_of_following(tmp_path)
    assert requests <= 60
    assert looks >= 11


@pytest.mark.long
async def test_fifty_of_each_are_looked_at_together(tmp_path: Path) -> None:
    requests, looks = await an_hour_of_following(tmp_path, 50)
    assert requests <= 14
    assert looks >= 11
