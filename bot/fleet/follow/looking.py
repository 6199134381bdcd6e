"""Looks at open rebuilds, all of a claim in a few requests, and what each of them has come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import Followed
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.forge.runs import BuildRun, RunState, dispatched_run, sought_since
from bot.domain.rollouts.after_build import after_green_build
from bot.domain.rollouts.joining import leave_run, not_ended
from bot.domain.rollouts.labels import HOLD, IGNORE
from bot.domain.rollouts.rebuild import Action, Joined, Merge, Merging, Rebuild, RebuildState
from bot.domain.rollouts.reopening import after_closing
from bot.fleet.follow.absent import has_not_started
from bot.fleet.follow.building import after_builds, is_to_be_sought_later
from bot.fleet.follow.explaining import explained
from bot.fleet.follow.replacing import newer_run


class RunsTaken(Protocol):
    """Tells which runs of a repository belong to rebuilds already, by the forge's ids."""

    async def runs_taken(self, repository: str) -> set[int]: ...


@dataclass(frozen=True, slots=True)
class Looks:
    """One look at many rebuilds; those that it could not be asked for together are asked for one by one."""

    store: RunsTaken
    forge: Forge
    clock: Clock
    build_within: timedelta
    followed: Followed = Followed({}, {})  # noqa: RUF009 - frozen
    builds: Mapping[str, Sequence[Sequence[BuildRun]] | Failure] = field(default_factory=dict)
    """By the node ids of merge commits; a failure where the forge does not tell them at present."""

    async def after(self, rebuild: Rebuild) -> Rebuild:
        """The rebuild as the forge shows it now, with why its build failed where it did.

        Raises `Failure`: missing where it is not there any more.
        """
        after = await self._moved_on(rebuild)
        run = self._red_run(after) if after.state is RebuildState.FAILED else None
        if run is None:
            return after
        return replace(after, reason=await explained(self.forge, after.identity, run, after.reason))

    def _red_run(self, failed: Rebuild) -> int | None:
        if failed.merge is None:
            return failed.run
        groups = self.builds.get(failed.merge.node_id, ())
        if isinstance(groups, Failure):
            return None
        return next((run.id for group in groups for run in group if run.url == failed.url), None)

    async def _moved_on(self, rebuild: Rebuild) -> Rebuild:
        if rebuild.merge is not None:
            if (groups := self.builds.get(rebuild.merge.node_id)) is None:
                raise _missing(rebuild, f"commit {rebuild.merge.commit[:7]}")
            if isinstance(groups, Failure):
                raise groups
            return after_builds(rebuild, groups, self.clock.now(), self.build_within)
        if rebuild.action is Action.PULL_REQUEST:
            return await self._after_request(rebuild)
        if rebuild.run is None:
            return await self._searched(rebuild)
        return await self._after_run(rebuild)

    async def _after_request(self, rebuild: Rebuild) -> Rebuild:
        assert rebuild.pull_request is not None
        if rebuild.state.has_ended:
            closed = self.followed.pull_requests.get(rebuild.node_id or "")
            return rebuild if closed is None else after_closing(rebuild, closed, self.clock.now())
        followed = self.followed
        if rebuild.node_id is None:
            request = await self.forge.pull_request(rebuild.identity, rebuild.pull_request)
            rebuild = replace(rebuild, node_id=request.node_id)
            followed = await self.forge.follow([request.node_id or ""], [])
        shown = followed.pull_requests.get(rebuild.node_id or "")
        if (denied := followed.unseen.get(rebuild.node_id or "")) is not None:
            raise denied
        if shown is None:
            raise _missing(rebuild, f"pull request #{rebuild.pull_request}")
        if shown.is_merged and shown.elsewhere is not None and not await self._has_arrived(rebuild, shown):
            return rebuild.moved(RebuildState.CANCELLED, shown.elsewhere, at=self.clock.now())
        return after_request(rebuild, shown, self.clock.now())

    async def _has_arrived(self, rebuild: Rebuild, shown: PullRequestState) -> bool:
        """Whether what was merged into another branch is on the default one: it was brought there since, or that
        branch was the default one then. What the forge does not tell yet is looked at again."""
        if shown.merge_commit is None or shown.onto is None:
            return True
        return await self.forge.contains(rebuild.identity, shown.onto, shown.merge_commit)

    async def _after_run(self, rebuild: Rebuild) -> Rebuild:
        assert rebuild.run is not None
        if rebuild.node_id is None or rebuild.node_id in self.followed.unseen:
            run = await self.forge.run(rebuild.identity, rebuild.run)
            rebuild = replace(rebuild, node_id=run.node_id, url=run.url or rebuild.url)
            return await self._ran(rebuild, run.state)
        shown = self.followed.runs.get(rebuild.node_id)
        if shown is None:
            raise _missing(rebuild, f"run {rebuild.run}")
        return await self._ran(rebuild, shown)

    async def _ran(self, rebuild: Rebuild, shown: RunState) -> Rebuild:
        """The rebuild after its run, or after the one that took its place where it was cancelled for that."""
        now = self.clock.now()
        if shown.conclusion != "cancelled" or rebuild.run is None:
            return after_run(rebuild, shown, now)
        began = rebuild.attempted_at or rebuild.planned_at
        newer = await newer_run(self.forge, rebuild.identity, rebuild.workflow or "", rebuild.run, began)
        if newer is None:
            return after_run(rebuild, shown, now)
        followed = replace(rebuild, run=newer.id, url=newer.url or rebuild.url, node_id=newer.node_id)
        if rebuild.follows_others:
            followed = replace(
                followed, run_number=newer.number, attempted_at=newer.created_at or rebuild.attempted_at
            )
        after = after_run(followed, newer.state, now)
        return replace(after, reason=f"a newer run took its place: {after.reason}")

    async def _searched(self, rebuild: Rebuild) -> Rebuild:
        """A forge that told no run id at dispatch."""
        now, started = self.clock.now(), rebuild.attempted_at or rebuild.planned_at
        runs = await self.forge.dispatched_runs(
            rebuild.identity, rebuild.workflow or "", branch=None, since=sought_since(started)
        )
        run = dispatched_run(runs, await self.store.runs_taken(rebuild.repository), rebuild.correlation, started)
        if run is not None:
            found = replace(rebuild, run=run.id, url=run.url or rebuild.url, node_id=run.node_id)
            return after_run(found, run.state, now)
        if has_not_started(started, rebuild.dispatches, now):
            return rebuild.moved(RebuildState.FAILED, "the dispatched run never appeared", at=now)
        return rebuild


async def look_at(
    rebuilds: Sequence[Rebuild], store: RunsTaken, forge: Forge, clock: Clock, build_within: timedelta
) -> Looks:
    """One look at all of them that can be asked for by their node ids. Raises `Failure`."""
    merged = [item for item in rebuilds if item.merge is not None]
    others = [item for item in rebuilds if item.merge is None]
    requests = [item.node_id for item in others if item.node_id and item.action is Action.PULL_REQUEST]
    runs = [item.node_id for item in others if item.node_id and item.run is not None]
    nothing = not requests and not runs
    followed = Followed({}, {}) if nothing else await forge.follow(requests, runs)
    return Looks(store, forge, clock, build_within, followed, await _builds(merged, forge))


async def _builds(merged: Sequence[Rebuild], forge: Forge) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
    """The runs on all merge commits, and on later ones where a commit has no build of its own."""
    commits = {item.merge.node_id: item for item in merged if item.merge is not None}
    if not commits:
        return {}
    found = dict(await forge.builds(list(commits)))
    without = [
        node
        for node, groups in found.items()
        if not isinstance(groups, Failure) and is_to_be_sought_later(commits[node], groups)
    ]
    return found | dict(await forge.builds(without, later=True)) if without else found


def after_request(rebuild: Rebuild, shown: PullRequestState, now: datetime) -> Rebuild:
    """Moves a rebuild on as its pull request stands.

    One in conflict is outdated: `act` brings its branch to the default branch as it is now, unless a person
    holds it; one that a person wants ignored, `act` closes. One in an archived repository is left, and taken up
    again with the repository. One that people have pointed at another branch is theirs as long as it goes there,
    but for a label.
    """
    if shown.is_merged:
        told = f"pull request #{shown.number} was merged; its build is looked for"
        if shown.merge_commit is None or shown.merge_node is None:
            return rebuild  # the forge tells the commit a moment later
        merge = Merge(shown.merge_commit, shown.merge_node, shown.merged_at or now)
        return replace(rebuild, merge=merge).moved(RebuildState.BUILDING, told, at=now)
    if not shown.is_open:
        return rebuild.moved(RebuildState.CANCELLED, f"pull request #{shown.number} was closed unmerged", at=now)
    if shown.is_archived:
        told = f"the repository is archived; pull request #{shown.number} stays open until it is not any more"
        return rebuild.moved(RebuildState.SKIPPED, told, at=now)
    pointed_at = shown.base if shown.elsewhere is not None else None
    if pointed_at != rebuild.pointed_at:
        told = shown.elsewhere or f"pull request #{shown.number} goes to {shown.onto} again"
        pointed = replace(rebuild, pointed_at=pointed_at, facts_version=rebuild.facts_version + 1)
        return pointed.moved(rebuild.state, told, at=now)
    if _is_for_act(rebuild, shown):
        return replace(rebuild, facts_version=rebuild.facts_version + 1)
    return rebuild


def _is_for_act(rebuild: Rebuild, shown: PullRequestState) -> bool:
    """What is to merge by itself is set to once it can be, and not any more where a person holds it."""
    if shown.elsewhere is not None:
        return IGNORE in shown.labels
    if HOLD in shown.labels:
        return shown.is_to_merge and rebuild.merging is Merging.SET
    may_merge = rebuild.merging is Merging.WANTED and shown.is_ready and not shown.is_to_merge
    return IGNORE in shown.labels or shown.is_conflicted or may_merge


def after_run(rebuild: Rebuild, shown: RunState, now: datetime) -> Rebuild:
    """Moves a rebuild on as its run stands.

    `queued` is still dispatched, `waiting` is for a person who approves its environment; conclusions other than
    success and neutral are failures. What waits no longer for one says so. Where it was a run of others, nothing of
    this one's own has failed.
    """
    if shown.status == "completed":
        if rebuild.follows_others and shown.conclusion not in ("success", "neutral"):
            how = Joined.GONE if shown.conclusion in ("cancelled", "skipped") else Joined.IN_VAIN
            return leave_run(rebuild, f"it concluded with {shown.conclusion}", how, now=now)
        rebuild = replace(rebuild, built_by=(rebuild.run,) if rebuild.run is not None else ())
        if shown.conclusion in ("success", "neutral"):
            built = replace(rebuild, built_commit=shown.commit, run_number=shown.number)
            return after_green_build(built, f"the run concluded with {shown.conclusion}", now=now)
        if shown.conclusion == "cancelled":
            return rebuild.moved(RebuildState.CANCELLED, "the run was cancelled", at=now)
        return rebuild.moved(RebuildState.FAILED, f"the run concluded with {shown.conclusion}", at=now)
    if shown.status == "in_progress":
        return rebuild.moved(RebuildState.RUNNING, not_ended(rebuild, "is under way"), at=now)
    if shown.status == "waiting":
        return rebuild.moved(rebuild.state, not_ended(rebuild, "waits for approval"), at=now)
    return rebuild.moved(rebuild.state, not_ended(rebuild, "waits for its turn"), at=now)


def _missing(rebuild: Rebuild, what: str) -> Failure:
    return Failure(
        Trouble.MISSING,
        f"{what} is not shown any more",
        where=rebuild.repository,
        advice="check that the credentials may see the repository",
    )
