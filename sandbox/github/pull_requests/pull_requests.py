"""What happens to a pull request, whichever way it is asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from sandbox.github.actions.actions import Actions
from sandbox.github.edge import GitHubEdge
from sandbox.github.pull_requests.requirements import Requirements
from sandbox.github.refusals import Refused, invalid, unprocessable
from sandbox.github.repositories.git import Files, Git

Json = Any

QUEUED = (
    "A pull request for this branch has been added to a merge queue. Branches that are queued for merging cannot "
    "be updated. To modify this branch, dequeue the associated pull request."
)
NO_COLLABORATOR = (
    "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a "
    "collaborator of the {} repository."
)


@dataclass(slots=True)
class PullRequests:
    """Each method that takes a request does it as the one who made that request. All raise `Refused`."""

    edge: GitHubEdge
    git: Git
    actions: Actions
    requirements: Requirements
    waiting: Callable[[str, Json], Awaitable[bool]] | None = None
    """Merges one that waits for that, where it can be; whether it did."""
    is_queued: Callable[[int, int], bool] | None = None
    """Whether a pull request of that number is in the merge queue of the repository with that number."""
    shows_late: int = 0
    """How often a new pull request is not found by its node id, nor in lists, before it is."""
    hidden: dict[tuple[int, int], int] = field(default_factory=dict)
    """Repository and number → how often it is still not found."""
    computes_late: bool = False
    """Whether the first look at a head finds `mergeable` unknown: GitHub computes it in the background."""
    _kept: dict[tuple[int, int], dict[str, Json]] = field(default_factory=dict)
    """What the emulator does not keep: head and merge commit of those that are closed, auto-merge, assignees."""
    _looked_at: set[tuple[str, str]] = field(default_factory=set)
    _opening: set[tuple[str, str, str]] = field(default_factory=set)
    """Repository, head and base of those that are being opened at this moment."""

    async def open(self, request: Request, name: str, body: Mapping[str, Json]) -> Json:
        """Opens one, or refuses for the reasons for which GitHub does."""
        base, owner = str(body.get("base", "")), name.partition("/")[0]
        head = str(body.get("head", "")).removeprefix(f"{owner}:")
        tips: dict[str, str] = {}
        for role, branch in (("head", head), ("base", base)):
            tip = await self.git.tip(name, branch)
            if tip is None:
                raise invalid("PullRequest", role)
            tips[role] = tip
        label = f"{owner}:{head}"
        query = f"?state=open&head={quote(label)}&base={quote(base)}"
        async with self._alone(name, label, base):
            if (await self.edge.call("GET", f"/repos/{name}/pulls{query}")).body:
                raise _exists_already(label)
            if not await self._is_ahead(name, tips["base"], tips["head"]):
                raise unprocessable("PullRequest", f"No commits between {base} and {head}")
            opened = await self._asked("POST", f"/repos/{name}/pulls", dict(body), request)
        if self.shows_late:
            self.hidden[self.edge.identities.number_of(name) or 0, opened["number"]] = self.shows_late
        await self.actions.event(request, name, "pull_request", head, opened["head"]["sha"])
        return await self.follow(name, opened)

    @asynccontextmanager
    async def _alone(self, name: str, label: str, base: str) -> AsyncIterator[None]:
        """Of two requests at once for the same branches GitHub opens one, and refuses the other."""
        if (name, label, base) in self._opening:
            raise _exists_already(label)
        self._opening.add((name, label, base))
        try:
            yield
        finally:
            self._opening.discard((name, label, base))

    async def _is_ahead(self, name: str, base: str, head: str) -> bool:
        if base == head:
            return False
        compared = await self.git.compare(name, base, head)
        return compared is None or compared["ahead_by"] > 0

    async def change(self, request: Request, name: str, number: str | int, body: Mapping[str, Json]) -> Json:
        if body.get("state") == "closed":
            await self.keep(name, number)
        if body.get("state") == "open":
            await self._check_may_reopen(name, number)
        if "base" in body:  # another base switches auto-merge off
            self.remembered(name, number).pop("auto_merge", None)
        changed = await self._asked("PATCH", f"/repos/{name}/pulls/{number}", dict(body), request)
        return await self.follow(name, changed)

    async def _check_may_reopen(self, name: str, number: str | int) -> None:
        """Raises `Refused` where the branch is gone or has been moved since, or another one is open from it."""
        pull = await self.current(name, number)
        if pull is None or pull["state"] == "open":
            return
        branch = pull["head"]["ref"]
        tip = await self.git.tip(name, branch)
        if tip is None:
            raise unprocessable("PullRequest", f"state cannot be changed. The {branch} branch has been deleted.")
        if await self.of_branch(name, branch):
            raise unprocessable(
                "PullRequest", f"state cannot be changed. There is already an open pull request for {branch}."
            )
        if tip != pull["head"]["sha"]:
            told = f"state cannot be changed. The {branch} branch was force-pushed or recreated."
            raise unprocessable("PullRequest", told)

    async def request_reviews(
        self,
        request: Request,
        name: str,
        pull: Json,
        *,
        people: Sequence[str],
        teams: Sequence[str],
        replace: bool = False,
    ) -> Json:
        """One bad name refuses all."""
        if pull["user"]["login"] in people:
            raise Refused(422, "Review cannot be requested from pull request author.")
        path = f"/repos/{name}/pulls/{pull['number']}/requested_reviewers"
        before = {
            "reviewers": [who["login"] for who in pull["requested_reviewers"]],
            "team_reviewers": [team["slug"] for team in pull["requested_teams"]],
        }
        if replace and any(before.values()):
            await self._asked("DELETE", path, before, request)
        try:
            asked = await self._asked("POST", path, {"reviewers": people, "team_reviewers": teams}, request)
        except Refused:
            raise Refused(422, NO_COLLABORATOR.format(name)) from None
        return await self.follow(name, asked)

    async def check_unlocked(self, name: str, branch: str) -> None:
        """Raises `Refused` where the branch is locked, since its pull request is in a merge queue."""
        number = self.edge.identities.number_of(name) or 0
        if self.is_queued is None:
            return
        for pull in await self.of_branch(name, branch):
            if self.is_queued(number, pull["number"]):
                raise Refused(422, QUEUED, kind="UNPROCESSABLE")

    def assign(self, name: str, pull: Json, people: Sequence[Json]) -> None:
        """From now on these are all that it is assigned to."""
        self.remembered(name, pull["number"])["assignees"] = list(people)

    async def merge(
        self,
        request: Request | None,
        name: str,
        number: str | int,
        body: Mapping[str, Json],
        *,
        queued: bool = False,
        announced: bool = True,
    ) -> str:
        """Answers the commit that the base branch was moved to. Only what is `announced` starts runs on push."""
        answer = await self.edge.call("GET", f"/repos/{name}/pulls/{number}")
        if answer.status != 200:
            raise Refused(404, "Not Found")
        pull = await self.follow(name, answer.body)
        await self._check_mergeable(name, pull, body, queued=queued)
        base = pull["base"]["ref"]
        tip = await self.git.tip(name, base)
        files = await self.merged_files(name, pull)
        if files is None or tip is None:
            raise Refused(405, "Pull Request is not mergeable")
        await self.keep(name, number)
        # The emulator compares `sha` with a head that it does not follow, so it is asked without one.
        asked = {key: value for key, value in body.items() if key != "sha"}
        merged = await self._asked("PUT", f"/repos/{name}/pulls/{number}/merge", asked, request)
        parents = [tip] if body.get("merge_method") in ("squash", "rebase") else [tip, pull["head"]["sha"]]
        message = await self._merge_message(name, pull, body, merged["sha"])
        sha = await self.git.commit_files(name, files, parents, message, request)
        await self.edge.call("PATCH", f"/repos/{name}/git/refs/heads/{quote(base)}", {"sha": sha, "force": True})
        self.remembered(name, number)["merge_commit_sha"] = sha
        self.edge.pushed(name)
        if announced:
            await self.actions.event(request, name, "push", base, sha)
        return sha

    async def _merge_message(self, name: str, pull: Json, body: Mapping[str, Json], merged: str) -> str:
        """A rebased commit keeps its own message; of several the last one's, for they become one here."""
        method = body.get("merge_method")
        if method == "squash" and not body.get("commit_title"):
            return f"{pull['title']} (#{pull['number']})"
        commit = await self.git.commit(name, pull["head"]["sha"] if method == "rebase" else merged)
        return str(commit["message"]) if commit else str(pull["title"])

    async def _check_mergeable(self, name: str, pull: Json, body: Mapping[str, Json], *, queued: bool) -> None:
        """Raises `Refused` with 405, or 409 where the head is not the expected one."""
        if pull["state"] != "open":
            raise Refused(405, "Pull Request is not mergeable")
        if pull["draft"]:
            raise Refused(405, "Pull Request is still a draft")
        if body.get("sha") not in (None, pull["head"]["sha"]):
            raise Refused(409, "Head branch was modified. Review and try the merge again.")
        method, repository = body.get("merge_method") or "merge", pull["base"]["repo"]
        word = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}[method]
        allowed = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
        if repository.get(allowed[method]) is False:
            raise Refused(405, f"{word} are not allowed on this repository.")
        if queued:
            return
        if self.requirements.queue_method(pull) is not None:
            raise Refused(405, "Changes must be made through the merge queue")
        if (unmet := await self.requirements.unmet(name, pull)) is not None:
            raise Refused(405, unmet)

    def is_shown(self, repository_id: int, number: int) -> bool:
        """Whether GitHub finds it already; each time that it does not brings that nearer."""
        left = self.hidden.get((repository_id, number), 0)
        if left > 0:
            self.hidden[repository_id, number] = left - 1
        return left == 0

    async def current(self, name: str, number: str | int) -> Json | None:
        """As REST shows it, with the head that its branch has now."""
        answer = await self.edge.call("GET", f"/repos/{name}/pulls/{number}")
        if answer.status != 200:
            return None
        pull = await self.follow(name, answer.body)
        if pull["auto_merge"] is not None and self.waiting is not None and await self.waiting(name, pull):
            return await self.current(name, number)
        return pull

    async def follow(self, name: str, pull: Json) -> Json:
        """The pull request with the head that its branch has now, or had when it was closed."""
        kept = self.remembered(name, pull["number"])
        head = await self.git.tip(name, pull["head"]["ref"]) if pull["state"] == "open" else kept.get("head")
        head = head or pull["head"]["sha"]
        changed: dict[str, Json] = {"head": {**pull["head"], "sha": head}, "auto_merge": kept.get("auto_merge")}
        if "assignees" in kept:
            changed |= {"assignees": kept["assignees"], "assignee": next(iter(kept["assignees"]), None)}
        if "merge_commit_sha" in kept:
            changed["merge_commit_sha"] = kept["merge_commit_sha"]
        return {**pull, **changed}

    async def keep(self, name: str, number: str | int) -> None:
        """Remembers the head that a pull request has as it is closed."""
        if (pull := await self.current(name, number)) is not None:
            self.remembered(name, number)["head"] = pull["head"]["sha"]

    async def merged_files(self, name: str, pull: Json) -> Files | None:
        """What its base branch would hold after the merge; None where there is a conflict."""
        base = await self.git.tip(name, pull["base"]["ref"])
        return None if base is None else await self.git.merged(name, base, pull["head"]["sha"])

    async def close_if_empty(self, name: str, pull: Json) -> bool:
        """GitHub closes a pull request whose branch has nothing any more that its base lacks."""
        base = await self.git.tip(name, pull["base"]["ref"])
        head = await self.git.tip(name, pull["head"]["ref"])
        if base is None or head is None or await self._is_ahead(name, base, head):
            return False
        await self.keep(name, pull["number"])
        await self.edge.call("PATCH", f"/repos/{name}/pulls/{pull['number']}", {"state": "closed"})
        return True

    async def mergeable(self, name: str, pull: Json) -> str:
        """GraphQL's word for whether it conflicts."""
        key = (pull["node_id"], pull["head"]["sha"])
        if self.computes_late and key not in self._looked_at:
            self._looked_at.add(key)
            return "UNKNOWN"
        return "CONFLICTING" if await self.merged_files(name, pull) is None else "MERGEABLE"

    async def merge_state(self, name: str, pull: Json) -> str:
        """REST's `mergeable_state`: clean, dirty, blocked, behind, unstable, draft."""
        if await self.merged_files(name, pull) is None:
            return "dirty"
        if pull["draft"]:
            return "draft"
        if await self.requirements.unmet(name, pull) is not None:
            return "blocked"
        if self.requirements.is_strict(pull) and await self._is_behind(name, pull):
            return "behind"
        checks = self.requirements.rollup(pull["base"]["repo"]["id"], pull["head"]["sha"])
        return "clean" if checks in (None, "SUCCESS") else "unstable"

    async def _is_behind(self, name: str, pull: Json) -> bool:
        base = await self.git.tip(name, pull["base"]["ref"])
        compared = await self.git.compare(name, base or "", pull["head"]["sha"])
        return compared is None or compared["behind_by"] > 0

    async def of_branch(self, name: str, branch: str, state: str = "open") -> list[Json]:
        """Those from a branch of the repository itself, newest first, as the emulator shows them."""
        owner = name.partition("/")[0]
        query = f"?state={state}&per_page=100&head={quote(f'{owner}:{branch}')}"
        rows: list[Json] = (await self.edge.call("GET", f"/repos/{name}/pulls{query}")).body
        return rows

    def remembered(self, name: str, number: str | int) -> dict[str, Json]:
        """What the edge keeps of a pull request."""
        return self._kept.setdefault((self.edge.identities.number_of(name) or 0, int(number)), {})

    async def _asked(self, method: str, path: str, body: Json, request: Request | None) -> Json:
        answer = await self.edge.call(method, path, body, like=request)
        if answer.status >= 400:
            raise Refused(answer.status, str(answer.body.get("message", "")), answer.body.get("errors"))
        return answer.body


def _exists_already(label: str) -> Refused:
    return unprocessable("PullRequest", f"A pull request already exists for {label}.")
