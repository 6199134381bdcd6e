"""What a look at an open pull request leaves to `act`: what people say by a label, and a merge that can be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.rebuild import Merging, RebuildState
from bot.fleet.follow.looking import after_request
from tests.unit.fleet.act.world import rebuild

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
OPEN = PullRequestState(1, "https://forge/pull/1", is_open=True, is_merged=False)


@pytest.mark.parametrize(
    ("merging", "shown", "is_left"),
    [
        (None, {}, False),
        (None, {"labels": (IGNORE,)}, True),
        (None, {"is_conflicted": True}, True),
        (None, {"is_conflicted": True, "labels": (HOLD,)}, False),
        (None, {"is_ready": True}, False),
        (Merging.WANTED, {}, False),
        (Merging.WANTED, {"is_ready": True}, True),
        (Merging.WANTED, {"is_ready": True, "labels": (HOLD,)}, False),
        (Merging.WANTED, {"is_ready": True, "is_to_merge": True}, False),
        (Merging.SET, {"is_to_merge": True}, False),
        (Merging.SET, {"is_to_merge": True, "labels": (HOLD,)}, True),
        (Merging.SET, {"labels": (HOLD,)}, False),
        (Merging.WANTED, {"is_to_merge": True, "labels": (HOLD,)}, False),
    ],
)
def test_it_is_left_to_act(merging: Merging | None, shown: dict[str, object], is_left: bool) -> None:
    before = rebuild(state=RebuildState.OPEN, merging=merging)
    after = after_request(before, replace(OPEN, **shown), NOON)  # type: ignore[arg-type]
    assert (after.facts_version > after.text_version) is is_left
