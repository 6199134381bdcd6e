"""Auto-merge and the merge queue: merges that wait.

Nothing happens by itself: whoever looks at a pull request finds it merged if it could have been.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.edge import GitHubEdge
from sandbox.github.pull_requests.pull_requests import PullRequests
from sandbox.github.refusals import Refused

Json = Any


@dataclass(frozen=True, slots=True)
class Entry:
    """A pull request in a merge queue."""

    number: int
    base: str
    enqueued_at: datetime
    enqueuer: Json


@dataclass(slots=True)
class Merging:
    """Its methods raise `Refused`."""

    edge: GitHubEdge
    requests: PullRequests
    queues: dict[int, list[Entry]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.requests.waiting = self.settle
        self.requests.is_queued = self._is_queued
        self.edge.routes.add("POST", "/sandbox/{owner}/{repo}/queue", self._land)

    # --- auto-merge ---

    async def enable(self, request: Request, name: str, pull: Json, method: str, expected: str | None) -> None:
        """Sets auto-merge, or refuses for the reasons for which GitHub does."""
        number, base = pull["base"]["repo"]["id"], pull["base"]["ref"]
        repository = (await self.edge.call("GET", f"/repos/{name}")).body
        if not repository.get("allow_auto_merge"):
            raise Refused(422, "Pull request Auto merge is not allowed for this repository")
        if pull["state"] != "open" or pull["draft"]:
            raise Refused(422, "Can't enable auto-merge for this pull request")
        if expected not in (None, pull["head"]["sha"]):
            raise Refused(422, "Head sha didn't match expected value")
        if not self.requests.requirements.rules.is_protected(number, base):
            raise Refused(422, "Pull request Protected branch rules not configured for this branch")
        state = await self.requests.merge_state(name, pull)
        if state in ("clean", "unstable"):
            raise Refused(422, f"Pull request Pull request is in {state} status")
        kept = self.requests.remembered(name, pull["number"])
        kept["auto_merge"] = {
            "enabled_by": await self.edge.caller(request),
            "merge_method": self.requests.requirements.queue_method(pull) or method,
            "commit_title": pull["title"],
            "commit_message": "",
        }

    def disable(self, name: str, pull: Json) -> None:
        if self.requests.remembered(name, pull["number"]).pop("auto_merge", None) is None:
            raise Refused(422, "Can't disable auto-merge for this pull request")

    async def settle(self, name: str, pull: Json) -> bool:
        """Merges or enqueues it where nothing is unmet any more; whether that happened."""
        if await self.requests.merge_state(name, pull) not in ("clean", "unstable"):
            return False
        wanted = self.requests.remembered(name, pull["number"]).pop("auto_merge")
        if self.requests.requirements.queue_method(pull) is not None:
            await self.enqueue(None, name, pull, None)
        else:
            body = {"merge_method": wanted["merge_method"]}
            await self.requests.merge(None, name, pull["number"], body)
        return True

    # --- the queue ---

    async def enqueue(self, request: Request | None, name: str, pull: Json, expected: str | None) -> Entry:
        """At once: it does not wait for what is unmet."""
        number, base = pull["base"]["repo"]["id"], pull["base"]["ref"]
        if self.requests.requirements.queue_method(pull) is None:
            raise Refused(422, f"Merge queue is not enabled for {base}")
        if expected not in (None, pull["head"]["sha"]):
            raise Refused(422, "Head sha didn't match expected value")
        if self.entry(number, pull["number"]) is not None:
            raise Refused(422, "Pull request is already in the queue")
        if await self.requests.merge_state(name, pull) not in ("clean", "unstable"):
            raise Refused(422, "Pull request is not mergeable")
        entry = Entry(pull["number"], base, self.edge.surroundings.clock.now(), await self.edge.caller(request))
        self.queues.setdefault(number, []).append(entry)
        head = pull["head"]["sha"]
        branch = f"gh-readonly-queue/{base}/pr-{pull['number']}-{head}"
        await self.requests.actions.event(None, name, "merge_group", branch, head)
        return entry

    def entry(self, repository_id: int, number: int) -> tuple[int, Entry] | None:
        """Its place, counted from one, and itself."""
        queue = enumerate(self.queues.get(repository_id, ()), 1)
        return next(((place, entry) for place, entry in queue if entry.number == number), None)

    def _is_queued(self, repository_id: int, number: int) -> bool:
        return self.entry(repository_id, number) is not None

    def drop(self, repository_id: int, number: int) -> None:
        """Takes a pull request out of the queue, merged or not."""
        kept = [entry for entry in self.queues.get(repository_id, ()) if entry.number != number]
        self.queues[repository_id] = kept

    async def _land(self, request: Request, owner: str, repo: str) -> Response:
        """Merges all that is queued as one push, whose event carries the last commit only."""
        if not self.edge.is_operator(request):
            raise Refused(404, "Not Found")
        name = f"{owner}/{repo}"
        number = self.edge.identities.number_of(name) or 0
        queue = self.queues.pop(number, [])
        for place, entry in enumerate(queue, 1):
            pull = await self.requests.current(name, entry.number)
            body = {"merge_method": self.requests.requirements.queue_method(pull)}
            is_last = place == len(queue)
            await self.requests.merge(None, name, entry.number, body, queued=True, announced=is_last)
        return Response(status_code=204)
