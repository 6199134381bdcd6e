"""What an open pull request still waits for, and what that makes of it."""

from dataclasses import dataclass
from typing import Any

from sandbox.github.actions.actions import Actions
from sandbox.github.actions.runs import rollup
from sandbox.github.edge import GitHubEdge
from sandbox.github.repositories.rules import Rules

Json = Any
GOOD = frozenset({"success", "neutral", "skipped"})


@dataclass(frozen=True, slots=True)
class Requirements:
    edge: GitHubEdge
    actions: Actions
    rules: Rules

    def checks(self, repository_id: int, sha: str) -> dict[str, str | None]:
        """Name → conclusion of all checks of a commit: those reported, and runs under their workflow's name."""
        runs = {run.workflow.name: run.conclusion for run in self.actions.of(repository_id, sha)}
        return {**runs, **self.rules.checks.get((repository_id, sha), {})}

    def rollup(self, repository_id: int, sha: str) -> str | None:
        """GraphQL's word for what all checks of a commit amount to; None where there are none."""
        found = self.checks(repository_id, sha).values()
        return rollup([("completed" if conclusion else "in_progress", conclusion) for conclusion in found])

    async def review_decision(self, name: str, pull: Json) -> str | None:
        """GraphQL's word for what reviewers say; None where no review is required."""
        needed = self.rules.required_reviews(pull["base"]["repo"]["id"], pull["base"]["ref"])
        if not needed:
            return None
        rows = (await self.edge.call("GET", f"/repos/{name}/pulls/{pull['number']}/reviews?per_page=100")).body
        newest = {row["user"]["login"]: row["state"] for row in rows if row["state"] != "COMMENTED"}
        if "CHANGES_REQUESTED" in newest.values():
            return "CHANGES_REQUESTED"
        return "APPROVED" if list(newest.values()).count("APPROVED") >= needed else "REVIEW_REQUIRED"

    async def unmet(self, name: str, pull: Json) -> str | None:
        """In GitHub's words; None where nothing stands in the way but perhaps a conflict."""
        number, base = pull["base"]["repo"]["id"], pull["base"]["ref"]
        checks = self.checks(number, pull["head"]["sha"])
        for wanted in self.rules.required_checks(number, base):
            if checks.get(wanted) not in GOOD:
                failing = "failing" if checks.get(wanted) else "expected"
                return f'Required status check "{wanted}" is {failing}.'
        if await self.review_decision(name, pull) not in (None, "APPROVED"):
            needed = self.rules.required_reviews(number, base)
            return f"At least {needed} approving review is required by reviewers with write access."
        return None

    def queue_method(self, pull: Json) -> str | None:
        """How the merge queue of its base merges; None where there is no queue."""
        number, base = pull["base"]["repo"]["id"], pull["base"]["ref"]
        found = self.rules.parameters(number, base, "merge_queue")
        return None if found is None else str(found["merge_method"]).lower()

    def is_strict(self, pull: Json) -> bool:
        """Whether its branch must hold all that its base holds."""
        number, base = pull["base"]["repo"]["id"], pull["base"]["ref"]
        found = self.rules.parameters(number, base, "required_status_checks") or {}
        return bool(found.get("strict_required_status_checks_policy"))
