"""What one usage needs once its base has moved, and by which action it can get that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from bot.domain.bases.change import Cause, Change, Move
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import Unknown, is_patch_pinned
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Replacement, Usage
from bot.domain.rollouts.pinning import named_version, wanted_reference
from bot.domain.rollouts.policy import ActionPreference, Policy, Terms
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.terms import PathWorkflow, Pin

_IMPLIED = "the base is implied, not written"


@dataclass(frozen=True, slots=True)
class Need:
    """One usage of a base that moved, and what it takes to bring that up to date.

    `edit` is what a pull request would change, None where nothing can be written. A usage that `floats` takes the
    new base with any rebuild. `is_back`: the base went back to an older version, and no rule has it followed.
    """

    move: Move
    usage: Usage
    terms: Terms
    edit: Replacement | None
    floats: bool
    reason: str
    is_stuck: bool = False
    """Its base lacks a platform that it builds for: a build on the base as it is now fails."""
    is_back: bool = False

    @property
    def is_met(self) -> bool:
        """The reference is what it should be: nothing to do, but an open pull request may say otherwise."""
        return self.edit is not None and self.edit.old == self.edit.new


def need_of(member: FleetRepository, move: Move, usage: Usage, policy: Policy, today: date) -> Need | None:
    """What a usage needs since its base moved; None where that does not concern it, or it is to be left alone."""
    change = move.change
    lost_platforms = usage.lost(change.lacks)
    if not lost_platforms and not usage.builds_for(change.platforms):
        return None
    if member.config.ignored and _is_ignored(member, usage, str(change.base), today):
        return None
    terms = policy.terms(member.name, change.base, change.cause, change.severity)
    assert change.to_digest is not None
    if lost_platforms:
        platforms = " and ".join(lost_platforms)
        reason = (
            f"it no longer has {platforms}, which {usage.path} builds for: build without it, or on another base"
        )
        return Need(move, usage, terms, None, False, reason, is_stuck=True)
    fixed_reason = usage.fixed_because if usage.span is not None else usage.fixed_because or _IMPLIED
    follows_back = change.cause is Cause.ROLLBACK and terms.follow_rollbacks
    takes = _what_it_takes(
        *(usage.reference, change.base, fixed_reason, change.to_digest, change.to_version, terms.pin, follows_back)
    )
    if takes is None:
        return None
    edit, floats, reason = takes
    if change.cause is Cause.ROLLBACK and floats and named_version(usage.reference, change.base) is not None:
        tag = usage.reference.tag
        edit, floats, reason = Replacement(usage.reference, usage.reference), False, f"the base is back at {tag}"
    is_back = change.cause is Cause.ROLLBACK and not follows_back and not _comes_forward(usage, change)
    return Need(move, usage, terms, edit, floats, reason, is_back=is_back)


def _comes_forward(usage: Usage, change: Change) -> bool:
    """Whether what a base went back to is a step forward for a usage, whose tag names an older version still."""
    return goes_back(change.to_version, named_version(usage.reference, change.base))


@lru_cache(maxsize=4096)
def _what_it_takes(
    reference: Reference,
    base: Base,
    fixed_reason: str | None,
    digest: str,
    version: str | None,
    pin: Pin,
    may_go_back: bool,
) -> tuple[Replacement | None, bool, str] | None:
    """The edit, whether the reference floats, and why; None where it is ahead of its base already.

    A fleet names the same few in thousands of places. `fixed_reason` says why the reference cannot be written.
    """
    target = wanted_reference(reference, base, digest, version, pin, may_go_back=may_go_back)
    if isinstance(target, Unknown):
        return None if target.is_ahead else (None, False, target.reason)
    if target == reference and reference.digest is not None:
        return Replacement(target, target), False, f"{target.tag} is back at this digest"
    if target == reference:
        mark = Replacement(target, target.with_tag(target.tag, digest), marker=True)
        return mark if fixed_reason is None else None, True, f"{reference} needs no edit"
    if fixed_reason is not None:
        return None, False, f"{reference} must be edited by hand: {fixed_reason}"
    return Replacement(reference, target), False, _pin_reason(reference, pin)


def _pin_reason(reference: Reference, pin: Pin) -> str:
    if pin is Pin.DIGEST and reference.digest is None:
        return f"{reference.tag} is to be pinned by digest"
    pin_text = "pinned by digest" if reference.digest is not None else "pinned to a patch"
    return f"{reference.tag} is {pin_text}" + (", and is to float" if pin is Pin.FLOATING else "")


def _is_ignored(member: FleetRepository, usage: Usage, base: str, today: date) -> bool:
    return any(member.config.ignored_by(path, base, today) is not None for path in usage.paths)


def needs_of_sdk_pins(member: FleetRepository, needs: Sequence[Need]) -> list[Need]:
    """global.json moves together with the SDK image that builds there, never by itself: one that only a person can
    edit has the SDK of its pin until then."""
    pin_needs: list[Need] = []
    for need in needs if member.sdk_pins else ():
        version = need.move.change.to_version
        if not need.usage.reference.base.is_sdk or version is None or (need.edit is None and not need.floats):
            continue
        is_pinned = need.edit is not None and not need.floats and is_patch_pinned(need.edit.new)
        for usage in member.sdk_pins:
            if usage.sdk_pin is not None and usage.sdk_pin.must_move(version, image_is_pinned=is_pinned):
                target = usage.reference.with_tag(version, None)
                reason = f"{usage.path} asks for SDK {usage.sdk_pin.version}"
                pin_needs.append(
                    Need(need.move, usage, need.terms, Replacement(usage.reference, target), False, reason)
                )
    return pin_needs


def stuck_together(needs: Sequence[Need]) -> list[Need]:
    """What has the reference of one that is stuck is left alone with it: an edit moves them all."""
    stuck = {need.usage.reference: need.reason for need in needs if need.is_stuck}
    if not stuck:
        return list(needs)
    return [
        replace(need, edit=None, floats=False, reason=stuck[need.usage.reference], is_stuck=True)
        if need.usage.reference in stuck
        else need
        for need in needs
    ]


def action_of(member: FleetRepository, need: Need) -> Action:
    """What is wished for, as far as it can help; where nothing can, maintainers are told."""
    if need.is_stuck:
        return Action.NOTIFY
    preference = member.config.action or need.terms.action
    if preference in (ActionPreference.NOTIFY, ActionPreference.DISPATCH):
        return Action(preference.value)
    prefers_workflow = need.edit is None or preference is not ActionPreference.PULL_REQUEST
    if need.floats and prefers_workflow and member.workflow(workflow_of(member, need)) is not None:
        return Action.DISPATCH
    return Action.NOTIFY if need.edit is None else Action.PULL_REQUEST


def part_of_need(member: FleetRepository, need: Need) -> PathWorkflow | None:
    return member.config.part_of(need.usage.path, need.terms)


def workflow_of(member: FleetRepository, need: Need) -> str:
    return member.config.workflow_of(need.usage.path, need.terms)
