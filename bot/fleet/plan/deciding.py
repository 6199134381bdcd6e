"""What each repository must do about the changes of its bases, and why."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.dotnet import goes_back
from bot.domain.feeds.advisory import worst
from bot.domain.reference import Base
from bot.domain.repositories.repository import Affected, FleetRepository
from bot.domain.repositories.usage import Replacement, Role, Usage
from bot.domain.rollouts.policy import ActionPreference, Policy
from bot.domain.rollouts.rebuild import Action, Rebuild, RebuildState
from bot.domain.rollouts.rollout import PlannedRebuild
from bot.domain.rollouts.terms import PathWorkflow
from bot.fleet.plan.due import Beginning
from bot.fleet.plan.needs import (
    Need,
    action_of,
    need_of,
    needs_of_sdk_pins,
    part_of_need,
    stuck_together,
    workflow_of,
)
from bot.fleet.plan.premises import Premises, are_back, continued, target_of, targets_of


def decide(
    moves: Sequence[Move],
    affected: Mapping[int, Sequence[Affected]],
    policy: Policy,
    open_rebuilds: Sequence[Rebuild],
    now: datetime,
    joins: int | None = None,
    changes: Mapping[int, Change] = MappingProxyType({}),
) -> tuple[PlannedRebuild, ...]:
    """The rebuilds that `moves` ask for; `affected` lists the usages for each move's id, `changes` those on the way
    of the open rebuilds.

    A repository gets at most one rebuild for each action (and workflow to dispatch), whatever the number of its
    files and bases. `joins` is the rollout that the moves belong to, where earlier ones have begun it: what is
    still open of that goes on together with them, since two pull requests for one file would be in conflict.
    """
    premises = Premises(policy, changes, now)
    rebuilds_by_repository: dict[str, list[Rebuild]] = {}
    for rebuild in open_rebuilds:
        rebuilds_by_repository.setdefault(rebuild.repository, []).append(rebuild)
    by_repository: dict[int, tuple[FleetRepository, list[tuple[Move, Usage]]]] = {}
    for move in moves:
        change = move.change
        is_lost = change.cause is Cause.PLATFORM_DROPPED
        if not (change.cause.needs_rebuild or is_lost) or change.to_digest is None:
            continue
        for item in affected.get(move.id, ()):
            if is_lost and not item.usage.lost(change.lacks):
                continue
            by_repository.setdefault(item.member.id, (item.member, []))[1].append((move, item.usage))
    plans: list[PlannedRebuild] = []
    for _, (member, pairs) in sorted(by_repository.items()):
        plans += _for_repository(member, pairs, premises, rebuilds_by_repository.get(member.name, ()), joins)
    return tuple(plans)


def _for_repository(
    member: FleetRepository,
    pairs: Sequence[tuple[Move, Usage]],
    premises: Premises,
    open_rebuilds: Sequence[Rebuild],
    joins: int | None,
) -> list[PlannedRebuild]:
    if (refusal := member.config.refusal) is not None:
        return [_skip_repository(member, pairs, refusal, premises.now)]
    open_by_base = {target.base: rebuild for rebuild in open_rebuilds for target in rebuild.targets}
    needs = [
        need
        for move, usage in pairs
        if (need := need_of(member, move, usage, premises.policy, premises.now.date())) is not None
        and _is_taken_up(need, open_by_base, premises)
    ]
    needs = stuck_together(needs)
    needs += needs_of_sdk_pins(member, needs)
    needs_by_action: dict[tuple[Action, str], list[Need]] = {}
    for need in needs:
        action = action_of(member, need)
        workflow = workflow_of(member, need) if action is Action.DISPATCH else ""
        needs_by_action.setdefault((action, workflow), []).append(need)
    plans = []
    workflows = {workflow for _, workflow in needs_by_action}
    for (action, workflow), group in sorted(needs_by_action.items()):
        rebuilds_of_action = [
            rebuild
            for rebuild in open_rebuilds
            if rebuild.action is action
            and not (action is Action.DISPATCH and _is_anothers(rebuild, workflow, workflows))
        ]
        if action is Action.PULL_REQUEST:
            for branch, part in _by_branch(group, rebuilds_of_action, joins).items():
                together = [rebuild for rebuild in rebuilds_of_action if rebuild.branch == branch]
                plans.append(
                    _plan_rebuild(_Order(member, action, part, rebuilds_of_action, together, branch), premises)
                )
        else:
            together = [
                rebuild
                for rebuild in rebuilds_of_action
                if rebuild.rollout == joins and _may_take(rebuild, workflow)
            ]
            plans.append(_plan_rebuild(_Order(member, action, group, rebuilds_of_action, together), premises))
    return plans


def _is_taken_up(need: Need, open_by_base: Mapping[Base, Rebuild], premises: Premises) -> bool:
    """Whether a need is planned for.

    One that is met, or that would go back unasked, matters only to what is open for its base: that no longer gets
    what it was to bring. It goes no further back than to where it began, and a run that has begun goes on, since it
    may have built what was taken back.
    """
    if not (need.is_met or need.is_back):
        return True
    asked_for = open_by_base.get(need.move.change.base)
    if asked_for is None or need.is_met:
        return asked_for is not None
    if asked_for.action is Action.DISPATCH and not asked_for.state.awaits_action:
        return False
    change = need.move.change
    began = next((target for target in asked_for.targets if target.base == change.base and target.changes), None)
    first = premises.changes.get(began.changes[0]) if began is not None else None
    return first is None or not goes_back(first.from_version, change.to_version)


def _is_anothers(rebuild: Rebuild, workflow: str, workflows: Collection[str]) -> bool:
    """Whether another of the workflows that are wanted now goes on with what this rebuild was to do."""
    return rebuild.workflow != workflow and rebuild.workflow in workflows


def _may_take(rebuild: Rebuild, workflow: str) -> bool:
    """Whether one run, or one notice, can do what this rebuild, for which none can have started yet, was to do."""
    return rebuild.state.awaits_action and rebuild.attempted_at is None and (rebuild.workflow or "") == workflow


def _by_branch(needs: Sequence[Need], open_rebuilds: Sequence[Rebuild], joins: int | None) -> dict[str, list[Need]]:
    """What an open pull request is about already goes on there, so that none is left behind; the rest together."""
    homes: dict[Base, str] = {}
    shared_branch: str | None = None
    for rebuild in open_rebuilds:
        if rebuild.branch is not None:
            homes.update({target.base: rebuild.branch for target in rebuild.targets})
            shared_branch = shared_branch or (rebuild.branch if rebuild.rollout == joins else None)
    other_needs = [need for need in needs if need.move.change.base not in homes] if homes else needs
    new = shared_branch or (_new_branch(other_needs) if other_needs else "")
    if not homes:
        return {new: list(needs)}
    parts: dict[str, list[Need]] = {}
    for need in needs:
        branch = homes.get(need.move.change.base) or new
        parts.setdefault(branch, []).append(need)
    return parts


def _new_branch(needs: Sequence[Need]) -> str:
    final = [need for need in needs if need.usage.role is Role.FINAL_STAGE]
    first_need = min(final or needs, key=lambda need: need.move.change.base)
    return branch_for(first_need.move.change.base, first_need.terms.branch_prefix)


@dataclass(frozen=True, slots=True)
class _Order:
    """What one rebuild is to do. `open_rebuilds` of its action are replaced where they share a base with it, those
    in `together` in any case."""

    member: FleetRepository
    action: Action
    needs: Sequence[Need]
    open_rebuilds: Sequence[Rebuild]
    together: Sequence[Rebuild]
    branch: str | None = None

    def replaced(self, bases: Collection[Base]) -> list[Rebuild]:
        """The rebuilds that this one takes over, where it is for these bases."""
        return [
            rebuild
            for rebuild in self.open_rebuilds
            if rebuild in self.together or not {target.base for target in rebuild.targets}.isdisjoint(bases)
        ]

    def edits(self, replaced_rebuilds: Iterable[Rebuild]) -> tuple[Replacement, ...]:
        """What is to be written, and what the rebuilds that it replaces were to write."""
        own_edits = [
            need.edit for need in self.needs if need.edit is not None and self.action is Action.PULL_REQUEST
        ]
        edits = {_key(item): item for item in own_edits}
        for rebuild in replaced_rebuilds:
            edits = {_key(item): item for item in rebuild.replacements} | edits
        return tuple(edits.values())

    def parts(self) -> tuple[PathWorkflow, ...]:
        """The workflows of a monorepo's parts that are to run, each once."""
        parts = [part for need in self.needs if (part := part_of_need(self.member, need)) is not None]
        return tuple(dict.fromkeys([*parts, *(part for rebuild in self.together for part in rebuild.parts)]))

    def overdue_at(self) -> datetime | None:
        """When the first of its changes will be older than its rule allows."""
        times = [
            need.move.change.counts_from + need.terms.max_age
            for need in self.needs
            if need.terms.max_age is not None
        ]
        return min(times, default=None)


def _plan_rebuild(order: _Order, premises: Premises) -> PlannedRebuild:
    member, action, needs = order.member, order.action, order.needs
    targets = targets_of(needs, premises.target)
    replaced_rebuilds = order.replaced(targets.keys())
    for rebuild in replaced_rebuilds:
        targets = continued(rebuild.targets, targets)
    terms = premises.policy.together([need.terms for need in needs])
    paced = (
        premises.policy.together([terms, *premises.terms_on_the_way(replaced_rebuilds)])
        if replaced_rebuilds
        else terms
    )
    waited_for = [premises.goes_on(rebuild, terms) for rebuild in replaced_rebuilds if rebuild.state.awaits_action]
    begins = min([*map(premises.begins, needs), *waited_for])
    requests = [rebuild.pull_request for rebuild in order.together if rebuild.pull_request is not None]
    is_back = are_back(replaced_rebuilds, targets.values())
    parts = order.parts()
    return PlannedRebuild(
        repository_id=member.id,
        repository=member.name,
        action=action,
        state=RebuildState.CANCELLED if is_back else RebuildState.PLANNED,
        reason=why_back(targets) if is_back else why(action, needs, targets, member) + why_held(begins),
        targets=tuple(targets[base] for base in sorted(targets)),
        replacements=order.edits(replaced_rebuilds),
        wave=paced.wave,
        soak=premises.policy.soak(paced),
        due_at=begins.at,
        workflow=_workflow(member, action, needs, parts),
        parts=() if action is Action.NOTIFY else parts,
        branch=order.branch,
        pull_request=requests[0] if requests else None,
        supersedes=tuple(rebuild.id for rebuild in replaced_rebuilds),
        severity=worst([*[need.move.change.severity for need in needs], *premises.severities(targets.values())]),
        overdue_at=order.overdue_at(),
        steps=() if action is Action.NOTIFY else terms.steps,
    )


def _workflow(
    member: FleetRepository, action: Action, needs: Sequence[Need], parts: Collection[PathWorkflow]
) -> str | None:
    """What is dispatched; or what builds a pull request once it is merged, where that is not told by its parts."""
    if action is Action.NOTIFY or (action is Action.PULL_REQUEST and parts):
        return None
    return workflow_of(member, needs[0])


def _key(item: Replacement) -> tuple[str, bool]:
    return str(item.old), item.marker


def _skip_repository(
    member: FleetRepository, pairs: Sequence[tuple[Move, Usage]], reason: str, now: datetime
) -> PlannedRebuild:
    targets = {move.change.base: target_of(move) for move, _ in pairs}
    return PlannedRebuild(
        repository_id=member.id,
        repository=member.name,
        action=Action.NOTIFY,
        state=RebuildState.SKIPPED,
        reason=reason,
        targets=tuple(targets[base] for base in sorted(targets)),
        replacements=(),
        wave="",
        due_at=now,
    )


_LONGEST = 150
"""Characters; git takes 255 bytes, of which a repository's name may ask for more than there are."""


@lru_cache(maxsize=1024)
def branch_for(base: Base, prefix: str) -> str:
    """`freshness/dotnet-aspnet-10.0-noble`: the prefix, the last two parts of the repository, and the tag.

    A line of versions is `golden-1.x.x`. Of a name that is too long the end is told by a hash.
    """
    parts = [*base.repository.split("/")[-2:], base.tag.replace("*", "x")]
    name = re.sub(r"\.{2,}", ".", "-".join(parts)).strip(".-")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return prefix + (f"{name}-base" if name.endswith(".lock") else name)


def why(action: Action, needs: Sequence[Need], targets: Iterable[Base], member: FleetRepository) -> str:
    """Words which bases moved, and what makes this the action for them."""
    bases = ", ".join(sorted({base.short for base in targets}))
    match action:
        case Action.DISPATCH:
            floating = next((need for need in needs if need.floats), None)
            if floating is None:
                return f"{bases} moved; the policy asks to dispatch {workflow_of(member, needs[0])}"
            return f"{bases} moved under the same tag; {floating.reason}, so the workflow rebuilds it"
        case Action.NOTIFY if stuck := next((need for need in needs if need.is_stuck), None):
            return f"{bases} moved; {stuck.reason}"
        case Action.NOTIFY if member.config.action is ActionPreference.NOTIFY:
            return f"{bases} moved; the repository asks to be told only"
        case Action.NOTIFY if member.config.action is None and needs[0].terms.action is ActionPreference.NOTIFY:
            return f"{bases} moved; the policy asks to notify only"
        case Action.NOTIFY:
            if needs[0].floats:
                return f"{bases} moved; there is no {workflow_of(member, needs[0])} to rebuild it"
            return f"{bases} moved; {needs[0].reason}"
        case Action.PULL_REQUEST:
            pinned_need = next((need for need in needs if not need.floats), None)
            if pinned_need is None:
                return f"{bases} moved; a marker line is added, since no edit is needed"
            return f"{bases} moved; {pinned_need.reason}"


def why_back(targets: Iterable[Base]) -> str:
    """Words why nothing is to be done where every base is where it was."""
    bases = ", ".join(sorted({base.short for base in targets}))
    return f"{bases} is back at the digest that it had before it moved, and nothing was rebuilt meanwhile"


def why_held(begins: Beginning) -> str:
    """Words what puts the beginning off, as the end of another reason; empty where nothing does."""
    return f"; {begins.delay_reason}" if begins.delay_reason else ""
