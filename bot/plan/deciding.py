"""What each repository must do about the changes of its bases, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.change import Change, Move
from bot.domain.following import Unknown, is_patch_pinned, moved
from bot.domain.policy import Policy, Terms, Wish
from bot.domain.rebuild import Action, Rebuild, State, Target
from bot.domain.reference import Base
from bot.domain.repository import Affected, Member
from bot.domain.rollout import PlannedRebuild
from bot.domain.usage import Replacement, Role, Usage
from bot.domain.windows import next_opening
from bot.plan.naming import branch_for


@dataclass(frozen=True, slots=True)
class _Need:
    """One usage and what it takes to bring it up to date.

    `edit` is what a pull request would change, None where nothing can be written. A usage that `floats` takes the
    new base with any rebuild.
    """

    move: Move
    usage: Usage
    terms: Terms
    edit: Replacement | None
    floats: bool
    reason: str

    @property
    def is_met(self) -> bool:
        """The reference is what it should be: nothing to do, but an open pull request may say otherwise."""
        return self.edit is not None and self.edit.old == self.edit.new


def decide(
    moves: Sequence[Move],
    affected: Mapping[int, Sequence[Affected]],
    policy: Policy,
    open_rebuilds: Sequence[Rebuild],
    now: datetime,
) -> tuple[PlannedRebuild, ...]:
    """The rebuilds that `moves` ask for; `affected` lists the usages for each move's id.

    A repository gets at most one rebuild for each action (and workflow to dispatch), whatever the number of its
    files and bases.
    """
    mine: dict[str, list[Rebuild]] = {}
    for rebuild in open_rebuilds:
        mine.setdefault(rebuild.repository, []).append(rebuild)
    by_repository: dict[int, tuple[Member, list[tuple[Move, Usage]]]] = {}
    for move in moves:
        if not move.change.cause.needs_rebuild or move.change.to_digest is None:
            continue
        for item in affected.get(move.id, ()):
            by_repository.setdefault(item.member.id, (item.member, []))[1].append((move, item.usage))
    planned: list[PlannedRebuild] = []
    for _, (member, pairs) in sorted(by_repository.items()):
        planned += _for_repository(member, pairs, policy, mine.get(member.name, ()), now)
    return tuple(planned)


def _for_repository(
    member: Member,
    pairs: Sequence[tuple[Move, Usage]],
    policy: Policy,
    open_rebuilds: Sequence[Rebuild],
    now: datetime,
) -> list[PlannedRebuild]:
    if not member.config.enabled:
        return [_skipped(member, pairs, "the repository opted out in .github/freshness.yaml", now)]
    asked_for = {target.base for rebuild in open_rebuilds for target in rebuild.targets}
    needs = [
        need
        for move, usage in pairs
        if (need := _need(member, move, usage, policy, now.date())) is not None
        and (not need.is_met or move.change.base in asked_for)
    ]
    needs += _sdk_pins(member, needs)
    chosen: dict[tuple[Action, str], list[_Need]] = {}
    for need in needs:
        action = _action(member, need)
        workflow = _workflow(member, need) if action is Action.DISPATCH else ""
        chosen.setdefault((action, workflow), []).append(need)
    return [
        _planned(member, action, part, [rebuild for rebuild in open_rebuilds if rebuild.action is action], now)
        for (action, _), group in sorted(chosen.items())
        for part in (_by_branch(group, open_rebuilds) if action is Action.PULL_REQUEST else [group])
    ]


def _by_branch(needs: Sequence[_Need], open_rebuilds: Sequence[Rebuild]) -> list[list[_Need]]:
    """What an open pull request is about already goes on there, so that none is left behind; the rest together."""
    homes: dict[Base, str] = {}
    for rebuild in open_rebuilds:
        if rebuild.action is Action.PULL_REQUEST and rebuild.branch is not None:
            homes.update({target.base: rebuild.branch for target in rebuild.targets})
    parts: dict[str | None, list[_Need]] = {}
    for need in needs:
        parts.setdefault(homes.get(need.move.change.base), []).append(need)
    return list(parts.values())


def _need(member: Member, move: Move, usage: Usage, policy: Policy, today: date) -> _Need | None:
    change = move.change
    if usage.platforms and not _builds_for(usage.platforms, change.platforms):
        return None
    if member.config.ignores(usage.path, str(change.base), today):
        return None
    terms = policy.terms(member.name, change.base, change.cause, change.severity)
    assert change.to_digest is not None
    target = moved(usage.reference, change.to_digest, change.to_version)
    if isinstance(target, Unknown):
        return _Need(move, usage, terms, None, False, target.reason)
    can_be_written = usage.span is not None and usage.fixed_because is None
    if target == usage.reference and usage.is_pinned:
        return _Need(move, usage, terms, Replacement(target, target), False, f"{target.tag} is back at this digest")
    if target == usage.reference:
        mark = Replacement(target, target.at(target.tag, change.to_digest), marker=True)
        return _Need(move, usage, terms, mark if can_be_written else None, True, f"{usage.reference} needs no edit")
    if not can_be_written:
        why = usage.fixed_because or "the base is implied, not written"
        return _Need(move, usage, terms, None, False, f"{usage.reference} must be edited by hand: {why}")
    how = "pinned by digest" if usage.is_pinned else "pinned to a patch"
    return _Need(move, usage, terms, Replacement(usage.reference, target), False, f"{usage.reference.tag} is {how}")


def _action(member: Member, need: _Need) -> Action:
    """What is wished for, as far as it can help; where nothing can, maintainers are told."""
    wish = member.config.action or need.terms.action
    if wish in (Wish.NOTIFY, Wish.DISPATCH):
        return Action(wish.value)
    has_workflow = member.workflow(_workflow(member, need)) is not None
    prefers_workflow = need.edit is None or wish is not Wish.PULL_REQUEST
    if need.floats and has_workflow and prefers_workflow:
        return Action.DISPATCH
    return Action.NOTIFY if need.edit is None else Action.PULL_REQUEST


def _workflow(member: Member, need: _Need) -> str:
    return member.config.workflow or need.terms.workflow


def _planned(
    member: Member,
    action: Action,
    needs: Sequence[_Need],
    open_rebuilds: Sequence[Rebuild],
    now: datetime,
) -> PlannedRebuild:
    targets = {need.move.change.base: _target(need.move) for need in needs}
    edits = [need.edit for need in needs if need.edit is not None and action is Action.PULL_REQUEST]
    replacements = {_key(item): item for item in edits}
    branch = _branch(needs, None) if action is Action.PULL_REQUEST else ""
    replaced = [
        rebuild
        for rebuild in open_rebuilds
        if targets.keys() & {target.base for target in rebuild.targets} or rebuild.branch == branch
    ]
    for rebuild in replaced:
        targets = _continued(rebuild.targets, targets)
        replacements = {_key(item): item for item in rebuild.replacements} | replacements
    terms = needs[0].terms
    waited_for = [
        next_opening(terms.windows, max(rebuild.due_at, now)) for rebuild in replaced if rebuild.state.awaits_action
    ]
    first = next((rebuild for rebuild in replaced if rebuild.branch or rebuild.pull_request), None)
    return PlannedRebuild(
        repository_id=member.id,
        repository=member.name,
        action=action,
        state=State.PLANNED,
        reason=_reason(action, needs, member),
        targets=tuple(targets[base] for base in sorted(targets)),
        replacements=tuple(replacements.values()),
        wave=terms.wave,
        due_at=min([*(due_of(need.move.change, need.terms, now) for need in needs), *waited_for]),
        workflow=_workflow(member, needs[0]) if action is Action.DISPATCH else None,
        branch=_branch(needs, first) if action is Action.PULL_REQUEST else None,
        pull_request=first.pull_request if first is not None else None,
        supersedes=tuple(rebuild.id for rebuild in replaced),
    )


def _key(item: Replacement) -> tuple[str, bool]:
    return str(item.old), item.marker


def _target(move: Move) -> Target:
    change = move.change
    assert change.to_digest is not None
    return Target(change.base, change.from_digest, change.to_digest, (move.id,))


def _continued(earlier: Sequence[Target], targets: Mapping[Base, Target]) -> dict[Base, Target]:
    """What an unfinished rebuild was to bring is brought now: bases that it alone names, and earlier steps."""
    merged = dict(targets)
    for old in earlier:
        new = merged.get(old.base)
        if new is None:
            merged[old.base] = old
        else:
            steps = tuple(dict.fromkeys((*old.changes, *new.changes)))
            merged[old.base] = Target(old.base, old.from_digest, new.to_digest, steps)
    return merged


def _branch(needs: Sequence[_Need], earlier: Rebuild | None) -> str:
    if earlier is not None and earlier.branch is not None:
        return earlier.branch
    final = [need for need in needs if need.usage.role is Role.FINAL_STAGE]
    return branch_for(min(need.move.change.base for need in (final or needs)))


def due_of(change: Change, terms: Terms, now: datetime) -> datetime:
    """When work on a change may begin: after its settle time, in a window, and never later than `max_age`."""
    opening = next_opening(terms.windows, max(change.at + terms.settle, now))
    return min(opening, max(change.at + terms.max_age, now))


def reconsidered(rebuild: Rebuild, changes: Iterable[Change], policy: Policy, now: datetime) -> datetime:
    """When a waiting rebuild may begin, now that its changes are known better; never later than before."""
    terms = [(item, policy.terms(rebuild.repository, item.base, item.cause, item.severity)) for item in changes]
    return min([rebuild.due_at, *(due_of(change, wanted, now) for change, wanted in terms)])


def _reason(action: Action, needs: Sequence[_Need], member: Member) -> str:
    bases = ", ".join(sorted({need.move.change.base.short for need in needs}))
    match action:
        case Action.DISPATCH:
            floating = next((need for need in needs if need.floats), None)
            if floating is None:
                return f"{bases} moved; the policy asks to dispatch {_workflow(member, needs[0])}"
            return f"{bases} moved under the same tag; {floating.reason}, so the workflow rebuilds it"
        case Action.NOTIFY if member.config.action is Wish.NOTIFY:
            return f"{bases} moved; the repository asks to be told only"
        case Action.NOTIFY if member.config.action is None and needs[0].terms.action is Wish.NOTIFY:
            return f"{bases} moved; the policy asks to notify only"
        case Action.NOTIFY:
            why = f"there is no {_workflow(member, needs[0])} to rebuild it" if needs[0].floats else needs[0].reason
            return f"{bases} moved; {why}"
        case Action.PULL_REQUEST:
            pinned = next((need for need in needs if not need.floats), None)
            why = "a marker line is added, since no edit is needed" if pinned is None else pinned.reason
            return f"{bases} moved; {why}"


def _skipped(member: Member, pairs: Sequence[tuple[Move, Usage]], reason: str, now: datetime) -> PlannedRebuild:
    targets = {move.change.base: _target(move) for move, _ in pairs}
    return PlannedRebuild(
        repository_id=member.id,
        repository=member.name,
        action=Action.NOTIFY,
        state=State.SKIPPED,
        reason=reason,
        targets=tuple(targets[base] for base in sorted(targets)),
        replacements=(),
        wave="",
        due_at=now,
    )


def _sdk_pins(member: Member, needs: Sequence[_Need]) -> list[_Need]:
    """global.json moves together with the SDK image that builds there, never by itself."""
    found: list[_Need] = []
    for need in needs:
        version = need.move.change.to_version
        if not need.usage.reference.repository.endswith("/sdk") or version is None:
            continue
        pinned = not need.floats and is_patch_pinned(need.usage.reference)
        for usage in member.sdk_pins:
            if usage.sdk_pin is not None and usage.sdk_pin.must_move(version, image_is_pinned=pinned):
                target = usage.reference.at(version, None)
                reason = f"{usage.path} asks for SDK {usage.sdk_pin.version}"
                found.append(
                    _Need(need.move, usage, need.terms, Replacement(usage.reference, target), False, reason)
                )
    return found


def _builds_for(wanted: Iterable[str], changed: Iterable[str]) -> bool:
    """Platforms compare by system and architecture; `linux/arm64/v8` is `linux/arm64`."""
    heads = {"/".join(platform.split("/")[:2]) for platform in changed}
    return not heads or any("/".join(platform.split("/")[:2]) in heads for platform in wanted)
