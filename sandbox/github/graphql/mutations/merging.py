"""Merging, auto-merge and the merge queue by GraphQL."""

from typing import Any

from sandbox.github.access.asked import timestamp
from sandbox.github.graphql.mutations.changing_pull_requests import again
from sandbox.github.graphql.mutations.writing import mutates, subject
from sandbox.github.graphql.playing import Playing, Thing, plain, plays

Json = Any
WRITES = ("contents", "pull_requests")


@mutates("mergePullRequest", *WRITES, content=True)
async def merge(
    playing: Playing,
    pull_request_id: str,
    merge_method: str = "MERGE",
    expected_head_oid: str | None = None,
    **given: Any,
) -> Json:
    """Merges as REST does, where the head is the expected one."""
    pull = await subject(playing, pull_request_id, "PullRequest")
    body = {"merge_method": merge_method.lower()}
    wanted = {
        "sha": expected_head_oid,
        "commit_title": given.get("commit_headline"),
        "commit_message": given.get("commit_body"),
    }
    body |= {key: value for key, value in wanted.items() if value is not None}
    await playing.parts.requests.merge(playing.request, pull.name, pull.data["number"], body)
    return await again(playing, pull)


@mutates("enablePullRequestAutoMerge", *WRITES)
async def enable(
    playing: Playing,
    pull_request_id: str,
    merge_method: str = "MERGE",
    expected_head_oid: str | None = None,
    **_: Any,
) -> Json:
    pull = await subject(playing, pull_request_id, "PullRequest")
    await playing.parts.merging.enable(
        playing.request, pull.name, pull.data, merge_method.lower(), expected_head_oid
    )
    return await again(playing, pull)


@mutates("disablePullRequestAutoMerge", *WRITES)
async def disable(playing: Playing, pull_request_id: str) -> Json:
    pull = await subject(playing, pull_request_id, "PullRequest")
    playing.parts.merging.disable(pull.name, pull.data)
    return await again(playing, pull)


@mutates("enqueuePullRequest", *WRITES)
async def enqueue(
    playing: Playing, pull_request_id: str, expected_head_oid: str | None = None, jump: bool = False
) -> Json:
    pull = await subject(playing, pull_request_id, "PullRequest")
    await playing.parts.merging.enqueue(playing.request, pull.name, pull.data, expected_head_oid)
    return {"mergeQueueEntry": entry(playing, pull)}


@mutates("dequeuePullRequest", *WRITES)
async def dequeue(playing: Playing, id: str) -> Json:  # noqa: A002 (GitHub's name)
    pull = await subject(playing, id, "PullRequest")
    left = entry(playing, pull)
    playing.parts.merging.drop(pull.repository["id"], pull.data["number"])
    return {"mergeQueueEntry": left}


@plays("PullRequest", "mergeQueueEntry")
def entry(playing: Playing, pull: Thing) -> Thing | None:
    found = playing.parts.merging.entry(pull.repository["id"], pull.data["number"])
    if found is None:
        return None
    place, queued = found
    shown = {
        "id": f"MQE_{pull.repository['id']}_{queued.number}",
        "position": place,
        "state": "AWAITING_CHECKS" if place == 1 else "QUEUED",
        "enqueued_at": timestamp(queued.enqueued_at),
        "pull": pull,
        "enqueuer": Thing(queued.enqueuer["type"], queued.enqueuer),
        "jump": False,
    }
    return Thing("MergeQueueEntry", shown, pull.repository)


plain(
    "MergeQueueEntry",
    id="id",
    position="position",
    state="state",
    enqueuedAt="enqueued_at",
    pullRequest="pull",
    enqueuer="enqueuer",
    jump="jump",
    solo="jump",
)
plays("PullRequest", "isInMergeQueue")(lambda playing, pull: entry(playing, pull) is not None)


@plays("PullRequest", "isMergeQueueEnabled")
def has_queue(playing: Playing, pull: Thing) -> bool:
    return playing.parts.requests.requirements.queue_method(pull.data) is not None


@plays("Repository", "mergeQueue")
def queue(playing: Playing, repository: Thing, branch: str | None = None) -> Thing | None:
    branch, number = branch or repository.data["default_branch"], repository.data["id"]
    if playing.parts.requests.requirements.rules.parameters(number, branch, "merge_queue") is None:
        return None
    return Thing("MergeQueue", {"id": f"MQ_{number}_{branch}"}, repository.data)


plain("MergeQueue", id="id")


@plays("PullRequest", "autoMergeRequest")
def auto_merge(_: Playing, pull: Thing) -> Thing | None:
    wanted = pull.data["auto_merge"]
    return None if wanted is None else Thing("AutoMergeRequest", wanted, pull.repository)


plays("AutoMergeRequest", "mergeMethod")(lambda _, wanted: wanted.data["merge_method"].upper())
plays("AutoMergeRequest", "enabledBy")(
    lambda _, wanted: Thing(wanted.data["enabled_by"]["type"], wanted.data["enabled_by"])
)


@plays("PullRequest", "viewerCanEnableAutoMerge")
async def can_enable(playing: Playing, pull: Thing) -> bool:
    if pull.data["state"] != "open" or not pull.repository.get("allow_auto_merge"):
        return False
    return await playing.parts.requests.merge_state(pull.name, pull.data) in ("blocked", "behind")
