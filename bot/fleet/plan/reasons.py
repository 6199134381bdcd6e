"""Why a rebuild is planned as it is, in a sentence."""

from collections.abc import Iterable, Sequence

from bot.domain.reference import Base
from bot.domain.repositories.repository import FleetRepository
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.rebuild import Action
from bot.fleet.plan.due import Beginning
from bot.fleet.plan.needs import Need, workflow_of


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
            pinned = next((need for need in needs if not need.floats), None)
            if pinned is None:
                return f"{bases} moved; a marker line is added, since no edit is needed"
            return f"{bases} moved; {pinned.reason}"


def why_back(targets: Iterable[Base]) -> str:
    """Words why nothing is to be done where every base is where it was."""
    bases = ", ".join(sorted({base.short for base in targets}))
    return f"{bases} is back at the digest that it had before it moved, and nothing was rebuilt meanwhile"


def why_held(begins: Beginning) -> str:
    """Words what puts the beginning off, as the end of another reason; empty where nothing does."""
    return f"; {begins.held}" if begins.held else ""
