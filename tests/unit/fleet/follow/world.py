"""What is followed."""

from bot.domain.forge.pull_requests import PullRequest

OPEN = PullRequest(1, "https://forge/pull/1", "b", "sha", "", "", True, False, node_id="PR_1")
