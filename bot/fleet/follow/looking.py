"""Looks at open rebuilds, all of a claim in a few requests, and what each of them has come to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.builder.port import Builder
from bot.domain.builder.runs import BuildRun, FollowedRuns, MergedCommit, RunState, dispatched_run, sought_since
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import FollowedRequests
from bot.domain.forge.port import Forge
from bot.domain.forge.pull_requests import PullRequestState
from bot.domain.repositories.repository import Identity
from bot.domain.rollouts.after_build import after_green_build, leave_run, not_ended
from bot.domain.rollouts.journal import HOLD, IGNORE
from bot.domain.rollouts.rebuild import Action, Joined, Merge, Merging, Rebuild, RebuildState
from bot.domain.rollouts.reopening import after_closing
from bot.fleet.follow.building import after_builds, is_to_be_sought_later
from bot.fleet.follow.runs import explained, has_not_started, newer_run


class RunsTaken(Protocol):
    """Tells which runs of a repository belong to rebuilds already, by the forge's ids."""

    async def runs_taken(self, home: Identity) -> set[int]: ...


@dataclass(frozen=True, slots=True)
class Looks:
    """One look at many rebuilds; those that it could not be asked for together are asked for one by one."""

    store: RunsTaken
    forge: Forge
    builder: Builder
    clock: Clock
    build_within: timedelta
    requests: FollowedRequests = FollowedRequests()  # noqa: RUF009 - frozen
    runs: FollowedRuns = FollowedRuns()  # noqa: RUF009 - frozen
    builds: Mapping[str, Sequence[Sequence[BuildRun]] | Failure] = field(default_factory=dict)
    """By the node ids of merge commits; a failure where the builder does not tell them at present."""

    async def after(self, rebuild: Rebuild) -> Rebuild:
        """The rebuild as the forge shows it now, with why its build failed where it did.

        Raises `Failure`: missing where it is not there any more.
        """
        after = await self._move_on(rebuild)
        run = self._red_run(after) if after.state is RebuildState.FAILED else None
        if run is None:
            return after
        return replace(after, reason=await explained(self.builder, after.build_home, run, after.reason))

    def _red_run(self, failed_rebuild: Rebuild) -> int | None:
        if failed_rebuild.merge is None:
            return failed_rebuild.run
        groups = self.builds.get(failed_rebuild.merge.node_id, ())
        if isinstance(groups, Failure):
            return None
        return next((run.id for group in groups for run in group if run.url == failed_rebuild.url), None)

    async def _move_on(self, rebuild: Rebuild) -> Rebuild:
        if rebuild.merge is not None:
            if (groups := self.builds.get(rebuild.merge.node_id)) is None:
                raise _missing_failure(rebuild, f"commit {rebuild.merge.commit[:7]}")
            if isinstance(groups, Failure):
                raise groups
            return after_builds(rebuild, groups, self.clock.now(), self.build_within)
        if rebuild.action is Action.PULL_REQUEST:
            return await self._after_request(rebuild)
        if rebuild.run is None:
            return await self._search_run(rebuild)
        return await self._after_run(rebuild)

    async def _after_request(self, rebuild: Rebuild) -> Rebuild:
        assert rebuild.pull_request is not None
        if rebuild.state.has_ended:
            closed = self.requests.states.get(rebuild.node_id or "")
            if closed is None or await self._is_missing(rebuild, closed):
                return rebuild
            return after_closing(rebuild, closed, self.clock.now())
        followed = self.requests
        if rebuild.node_id is None:
            request = await self.forge.pull_request(rebuild.identity, rebuild.pull_request)
            rebuild = replace(rebuild, node_id=request.node_id)
            followed = await self.forge.follow_requests([request.node_id or ""])
        state = followed.states.get(rebuild.node_id or "")
        if (denial := followed.unseen.get(rebuild.node_id or "")) is not None:
            raise denial
        if state is None:
            raise _missing_failure(rebuild, f"pull request #{rebuild.pull_request}")
        if await self._is_missing(rebuild, state):
            return rebuild.moved(RebuildState.CANCELLED, state.elsewhere or "", at=self.clock.now())
        return after_request(rebuild, state, self.clock.now())

    async def _is_missing(self, rebuild: Rebuild, state: PullRequestState) -> bool:
        """Whether it was merged into another branch, and what it brings is not on the default one: it was not
        brought there since, nor was that branch the default one then. What the forge does not tell yet is looked at
        again."""
        if not state.is_merged or None in (state.elsewhere, state.merge_commit, state.onto):
            return False
        return not await self.forge.contains(rebuild.identity, state.onto or "", state.merge_commit or "")

    async def _after_run(self, rebuild: Rebuild) -> Rebuild:
        assert rebuild.run is not None
        if rebuild.node_id is None or rebuild.node_id in self.runs.unseen:
            run = await self.builder.run(rebuild.build_home, rebuild.run)
            rebuild = replace(rebuild, node_id=run.node_id, url=run.url or rebuild.url)
            return await self._after_ended_run(rebuild, run.state)
        state = self.runs.states.get(rebuild.node_id)
        if state is None:
            raise _missing_failure(rebuild, f"run {rebuild.run}")
        return await self._after_ended_run(rebuild, state)

    async def _after_ended_run(self, rebuild: Rebuild, state: RunState) -> Rebuild:
        """The rebuild after its run, or after the one that took its place where it was cancelled for that."""
        now = self.clock.now()
        if state.conclusion != "cancelled" or rebuild.run is None:
            return after_run(rebuild, state, now)
        began = rebuild.attempted_at or rebuild.planned_at
        newer = await newer_run(self.builder, rebuild.build_home, rebuild.workflow or "", rebuild.run, began)
        if newer is None:
            return after_run(rebuild, state, now)
        followed_rebuild = replace(rebuild, run=newer.id, url=newer.url or rebuild.url, node_id=newer.node_id)
        if rebuild.follows_others:
            followed_rebuild = replace(
                followed_rebuild, run_number=newer.number, attempted_at=newer.created_at or rebuild.attempted_at
            )
        after = after_run(followed_rebuild, newer.state, now)
        return replace(after, reason=f"a newer run took its place: {after.reason}")

    async def _search_run(self, rebuild: Rebuild) -> Rebuild:
        """A builder that told no run id at dispatch."""
        now, started = self.clock.now(), rebuild.attempted_at or rebuild.planned_at
        runs = await self.builder.dispatched_runs(
            rebuild.build_home, rebuild.workflow or "", branch=None, since=sought_since(started)
        )
        run = dispatched_run(runs, await self.store.runs_taken(rebuild.build_home), rebuild.correlation, started)
        if run is not None:
            with_run = replace(rebuild, run=run.id, url=run.url or rebuild.url, node_id=run.node_id)
            return after_run(with_run, run.state, now)
        if has_not_started(started, rebuild.dispatches, now):
            return rebuild.moved(RebuildState.FAILED, "the dispatched run never appeared", at=now)
        return rebuild


async def look_at(
    rebuilds: Sequence[Rebuild],
    store: RunsTaken,
    forge: Forge,
    builder: Builder,
    clock: Clock,
    build_within: timedelta,
) -> Looks:
    """One look at all of them that can be asked for by their node ids. Raises `Failure`."""
    merged_rebuilds = [item for item in rebuilds if item.merge is not None]
    other_rebuilds = [item for item in rebuilds if item.merge is None]
    request_nodes = [item.node_id for item in other_rebuilds if item.node_id and item.action is Action.PULL_REQUEST]
    run_nodes = [item.node_id for item in other_rebuilds if item.node_id and item.run is not None]
    requests, runs = await asyncio.gather(_requests(request_nodes, forge), _runs(run_nodes, builder))
    builds = await _builds(merged_rebuilds, builder)
    return Looks(store, forge, builder, clock, build_within, requests, runs, builds)


async def _requests(nodes: Sequence[str], forge: Forge) -> FollowedRequests:
    return await forge.follow_requests(nodes) if nodes else FollowedRequests()


async def _runs(nodes: Sequence[str], builder: Builder) -> FollowedRuns:
    return await builder.follow_runs(nodes) if nodes else FollowedRuns()


async def _builds(
    merged_rebuilds: Sequence[Rebuild], builder: Builder
) -> Mapping[str, Sequence[Sequence[BuildRun]] | Failure]:
    """The runs on all merge commits, and on later ones where a commit has no build of its own."""
    commits = {item.merge.node_id: item for item in merged_rebuilds if item.merge is not None}
    if not commits:
        return {}
    runs_by_commit = dict(await builder.builds([_commit_of(item) for item in commits.values()]))
    commits_without_builds = [
        _commit_of(commits[node])
        for node, groups in runs_by_commit.items()
        if not isinstance(groups, Failure) and is_to_be_sought_later(commits[node], groups)
    ]
    return (
        runs_by_commit | dict(await builder.builds(commits_without_builds, later=True))
        if commits_without_builds
        else runs_by_commit
    )


def _commit_of(rebuild: Rebuild) -> MergedCommit:
    assert rebuild.merge is not None
    return MergedCommit(rebuild.merge.node_id, rebuild.merge.commit, rebuild.merge.at, rebuild.workflow)


def after_request(rebuild: Rebuild, state: PullRequestState, now: datetime) -> Rebuild:
    """Moves a rebuild on as its pull request stands.

    One in conflict is outdated: `act` brings its branch to the default branch as it is now, unless a person
    holds it; one that a person wants ignored, `act` closes. One in an archived repository is left, and taken up
    again with the repository. One that people have pointed at another branch is theirs as long as it goes there,
    but for a label.
    """
    if state.is_merged:
        reason = f"pull request #{state.number} was merged; its build is looked for"
        if state.merge_commit is None or state.merge_node is None:
            return rebuild  # the forge tells the commit a moment later
        merge = Merge(state.merge_commit, state.merge_node, state.merged_at or now)
        return replace(rebuild, merge=merge).moved(RebuildState.BUILDING, reason, at=now)
    if not state.is_open:
        return rebuild.moved(RebuildState.CANCELLED, f"pull request #{state.number} was closed unmerged", at=now)
    if state.is_archived:
        reason = f"the repository is archived; pull request #{state.number} stays open until it is not any more"
        return rebuild.moved(RebuildState.SKIPPED, reason, at=now)
    pointed_at = state.base if state.elsewhere is not None else None
    if pointed_at != rebuild.pointed_at:
        reason = state.elsewhere or f"pull request #{state.number} goes to {state.onto} again"
        pointed = replace(rebuild, pointed_at=pointed_at, facts_version=rebuild.facts_version + 1)
        return pointed.moved(rebuild.state, reason, at=now)
    rebuild = replace(rebuild, ready_since=(rebuild.ready_since or now) if state.is_ready else None)
    if _is_for_act(rebuild, state):
        return replace(rebuild, facts_version=rebuild.facts_version + 1)
    return rebuild


def _is_for_act(rebuild: Rebuild, state: PullRequestState) -> bool:
    """What is to merge by itself is set to once it can be, and not any more where a person holds it."""
    if state.elsewhere is not None:
        return IGNORE in state.labels
    if HOLD in state.labels:
        return state.is_to_merge and rebuild.merging is Merging.SET
    may_merge = rebuild.merging is Merging.WANTED and state.is_ready and not state.is_to_merge
    return IGNORE in state.labels or state.is_conflicted or may_merge


def after_run(rebuild: Rebuild, state: RunState, now: datetime) -> Rebuild:
    """Moves a rebuild on as its run stands.

    `queued` is still dispatched, `waiting` is for a person who approves its environment; conclusions other than
    success and neutral are failures. What waits no longer for one says so. Where it was a run of others, nothing of
    this one's own has failed.
    """
    if state.status == "completed":
        if rebuild.follows_others and state.conclusion not in ("success", "neutral"):
            joined = Joined.GONE if state.conclusion in ("cancelled", "skipped") else Joined.IN_VAIN
            return leave_run(rebuild, f"it concluded with {state.conclusion}", joined, now=now)
        rebuild = replace(rebuild, built_by=(rebuild.run,) if rebuild.run is not None else ())
        if state.conclusion in ("success", "neutral"):
            built_rebuild = replace(rebuild, built_commit=state.commit, run_number=state.number)
            return after_green_build(built_rebuild, f"the run concluded with {state.conclusion}", now=now)
        if state.conclusion == "cancelled":
            return rebuild.moved(RebuildState.CANCELLED, "the run was cancelled", at=now)
        return rebuild.moved(RebuildState.FAILED, f"the run concluded with {state.conclusion}", at=now)
    if state.status == "in_progress":
        return rebuild.moved(RebuildState.RUNNING, not_ended(rebuild, "is under way"), at=now)
    if state.status == "waiting":
        return rebuild.moved(rebuild.state, not_ended(rebuild, f"waits for {state.waits_for}"), at=now)
    return rebuild.moved(rebuild.state, not_ended(rebuild, "waits for its turn"), at=now)


def _missing_failure(rebuild: Rebuild, subject: str) -> Failure:
    return Failure(
        Trouble.MISSING,
        f"{subject} is not shown any more",
        where=rebuild.repository,
        advice="check that the credentials may see the repository",
    )
