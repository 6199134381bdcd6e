"""The first line of `explain`: how a repository stands, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Kind, Role, Usage
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.timing.waves import Hold
from bot.views.repositories.explanation import Explanation
from bot.views.repositories.verdict import verdict_on
from tests.builders import rebuild

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ASPNET = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
PINNED, MOVED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def explained(shown: str = PINNED, pin: str | None = PINNED, **changed: object) -> Explanation:
    """A repository with one usage of aspnet, which its base shows under the digest `shown`."""
    usage = Usage("Dockerfile", Kind("dockerfile"), 1, Reference(ASPNET.name, "10.0", pin), Role.FINAL_STAGE)
    explanation = Explanation("contoso/shop", NOW, None, (), RepositoryConfig(), ((usage, ASPNET, shown),), (), ())
    return replace(explanation, **changed)  # type: ignore[arg-type]


def with_rebuild(state: RebuildState, **changed: object) -> Explanation:
    latest: Rebuild = replace(rebuild("contoso/shop", state, id=7), **changed)  # type: ignore[arg-type]
    return explained(rebuilds=(latest,))


def test_a_green_pull_request_that_nobody_merges_needs_you() -> None:
    opened = with_rebuild(RebuildState.OPEN, pull_request=12, ready_since=NOW - timedelta(days=2))
    assert str(verdict_on(opened, NOW)) == "needs you: #12 is open, green, and unmerged for 2 days"


def test_a_pull_request_that_is_not_green_is_under_way_with_what_hinders_it() -> None:
    opened = with_rebuild(
        RebuildState.OPEN,
        pull_request=12,
        attempted_at=NOW - timedelta(hours=3),
        hindered_by="the branch is locked",
    )
    assert str(verdict_on(opened, NOW)) == "under way: #12 is open for 3 h: the branch is locked"


def test_a_failure_needs_you_with_its_reason() -> None:
    failed = with_rebuild(RebuildState.FAILED, ended_at=NOW - timedelta(hours=3), reason="test X is red")
    assert str(verdict_on(failed, NOW)) == "needs you: its latest rebuild ended as failed 3 h ago: test X is red"


def test_what_has_not_begun_says_what_it_waits_for() -> None:
    planned = replace(with_rebuild(RebuildState.PLANNED), waits={7: Hold("wave broad to begin")})
    assert str(verdict_on(planned, NOW)) == "waiting: its rebuild has not begun: it waits for wave broad to begin"


@pytest.mark.parametrize(
    ("repository", "said"),
    [
        (explained(), "done: all of 1 usage pinned to what its bases show"),
        (explained(MOVED), "under way: 1 of 1 usage not what its base shows"),
        (
            explained(pin=None),
            "waiting: nothing shows what its images stand on: a tag floats, and no image is known",
        ),
        (explained(usages=()), "done: it names no watched base"),
        (explained(config=RepositoryConfig(enabled=False)), "done: it asks to be left alone"),
        (explained(error="HTTP 403"), "needs you: it cannot be read: HTTP 403"),
    ],
)
def test_without_a_rebuild_its_files_and_pins_tell(repository: Explanation, said: str) -> None:
    assert str(verdict_on(repository, NOW)) == said
