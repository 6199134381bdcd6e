"""What one usage needs once its base has moved, and by which action it can get that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.bases.change import Move
from bot.domain.bases.followed_base import Unknown, is_patch_pinned
from bot.domain.repositories.repository import FleetRepository
from bot.domain.repositories.usage import Replacement, Usage
from bot.domain.rollouts.pinning import wanted_reference
from bot.domain.rollouts.policy import ActionPreference, Policy, Terms
from bot.domain.rollouts.rebuild import Action
from bot.domain.rollouts.terms import Pin


@dataclass(frozen=True, slots=True)
class Need:
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


def need_of(member: FleetRepository, move: Move, usage: Usage, policy: Policy, today: date) -> Need | None:
    change = move.change
    if not usage.builds_for(change.platforms):
        return None
    if member.config.ignored and _is_ignored(member, usage, str(change.base), today):
        return None
    terms = policy.terms(member.name, change.base, change.cause, change.severity)
    assert change.to_digest is not None
    target = wanted_reference(usage.reference, change.to_digest, change.to_version, terms.pin)
    if isinstance(target, Unknown):
        return Need(move, usage, terms, None, False, target.reason)
    can_be_written = usage.span is not None and usage.fixed_because is None
    if target == usage.reference and usage.is_pinned:
        return Need(move, usage, terms, Replacement(target, target), False, f"{target.tag} is back at this digest")
    if target == usage.reference:
        mark = Replacement(target, target.at(target.tag, change.to_digest), marker=True)
        return Need(move, usage, terms, mark if can_be_written else None, True, f"{usage.reference} needs no edit")
    if not can_be_written:
        why = usage.fixed_because or "the base is implied, not written"
        return Need(move, usage, terms, None, False, f"{usage.reference} must be edited by hand: {why}")
    return Need(move, usage, terms, Replacement(usage.reference, target), False, _why(usage, terms.pin))


def _why(usage: Usage, pin: Pin) -> str:
    if pin is Pin.DIGEST and not usage.is_pinned:
        return f"{usage.reference.tag} is to be pinned by digest"
    how = "pinned by digest" if usage.is_pinned else "pinned to a patch"
    return f"{usage.reference.tag} is {how}" + (", and is to float" if pin is Pin.FLOATING else "")


def _is_ignored(member: FleetRepository, usage: Usage, base: str, today: date) -> bool:
    return any(member.config.ignored_by(path, base, today) is not None for path in usage.paths)


def needs_of_sdk_pins(member: FleetRepository, needs: Sequence[Need]) -> list[Need]:
    """global.json moves together with the SDK image that builds there, never by itself."""
    found: list[Need] = []
    for need in needs if member.sdk_pins else ():
        version = need.move.change.to_version
        if not need.usage.reference.base.is_sdk or version is None:
            continue
        written = need.usage.reference if need.edit is None else need.edit.new
        pinned = not need.floats and is_patch_pinned(written)
        for usage in member.sdk_pins:
            if usage.sdk_pin is not None and usage.sdk_pin.must_move(version, image_is_pinned=pinned):
                target = usage.reference.at(version, None)
                reason = f"{usage.path} asks for SDK {usage.sdk_pin.version}"
                found.append(
                    Need(need.move, usage, need.terms, Replacement(usage.reference, target), False, reason)
                )
    return found


def action_of(member: FleetRepository, need: Need) -> Action:
    """What is wished for, as far as it can help; where nothing can, maintainers are told."""
    preference = member.config.action or need.terms.action
    if preference in (ActionPreference.NOTIFY, ActionPreference.DISPATCH):
        return Action(preference.value)
    has_workflow = member.workflow(workflow_of(member, need)) is not None
    prefers_workflow = need.edit is None or preference is not ActionPreference.PULL_REQUEST
    if need.floats and has_workflow and prefers_workflow:
        return Action.DISPATCH
    return Action.NOTIFY if need.edit is None else Action.PULL_REQUEST


def workflow_of(member: FleetRepository, need: Need) -> str:
    return member.config.workflow or need.terms.workflow
