"""What a listing means: who belongs to the fleet, who has left it, and when to doubt that."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.discover.ports import KnownFleet, Listing
from bot.discover.selection import Selection, selected
from bot.domain.repositories.repository import Repository

DOUBTED_FOR = timedelta(days=1)
"""So long may access be lost before the fleet is taken to have shrunk indeed."""
_FEW = 5
"""So few repositories may leave at once without a doubt, however small the fleet."""


def understood(shown: Sequence[Repository], known: KnownFleet, selection: Selection, now: datetime) -> Listing:
    """Sorts a listing out.

    GitHub answers 200 with fewer repositories when an installation or a token loses access to them. So if more
    than half of the fleet is gone at once, it is kept for a day. A repository that is still shown but archived
    or without its topic, and one that the settings no longer name, has left for a reason and goes at once.
    """
    taken = tuple(selected(shown, selection))
    shown_names = {repository.name for repository in shown}
    shown_ids = {repository.id for repository in shown if repository.id is not None}
    gone = frozenset(
        name for name in known.names - shown_names if selection.names(name) and known.ids.get(name) not in shown_ids
    )
    nothing = None
    if not taken and shown:
        nothing = (
            f"none of the {len(shown)} repositories that GitHub shows is taken; "
            "check include, exclude and topics under github.repositories"
        )
    if len(gone) < _FEW or len(gone) * 2 <= len(known.names):
        return Listing(taken, nothing_taken=nothing)
    until = (known.short_since or now) + DOUBTED_FOR
    if now >= until:
        return Listing(taken, nothing_taken=nothing)
    trouble = (
        f"GitHub no longer shows {len(gone)} of {len(known.names)} repositories; what is known of them stays until "
        f"{until:%Y-%m-%d %H:%M} UTC. If they were not removed, give the App or the token access to them again"
    )
    return Listing(taken, gone, trouble, nothing)
