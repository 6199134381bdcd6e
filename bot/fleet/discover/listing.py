"""What a listing means: who belongs to the fleet, who has left it, and when to doubt that."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import Repository, owner_of
from bot.domain.wording.words import counted
from bot.fleet.discover.ports import KnownFleet, Listing
from bot.fleet.discover.selection import Selection, selected

DOUBTED_FOR = timedelta(days=1)
"""So long may access be lost before the fleet is taken to have shrunk indeed."""
_FEW = 5
"""So few repositories may leave at once without a doubt, however small the fleet."""


def understood(
    shown: Sequence[Repository],
    known: KnownFleet,
    selection: Selection,
    now: datetime,
    silent: Mapping[str, Silence] = MappingProxyType({}),
) -> Listing:
    """Sorts a listing out.

    GitHub answers 200 with fewer repositories when an installation or a token loses access to them. So if more
    than half of the fleet is gone at once, it is kept for a day. A repository that is still shown but archived
    or without its topic, and one that the settings no longer name, has left for a reason and goes at once.

    `silent` are owners of whom nothing can be listed, with why: that is told, and their repositories are kept too,
    for as long as that lasts where it is trouble that passes.
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
    unheard = frozenset(name for name in gone if owner_of(name) in silent)
    kept = gone if len(gone) >= _FEW and len(gone) * 2 > len(known.names) else unheard
    until = (known.short_since or now) + DOUBTED_FOR
    in_trouble = frozenset(name for name in unheard if silent[owner_of(name)].is_passing)
    kept = in_trouble if now >= until else kept | in_trouble
    told = [
        f"{silence.reason}; {_staying(unheard & kept, owner, None if silence.is_passing else until)}"
        for owner, silence in sorted(silent.items())
    ]
    if kept - unheard:
        told.append(
            f"GitHub no longer shows {len(gone)} of {len(known.names)} repositories; what is known of them stays "
            f"until {until:%Y-%m-%d %H:%M} UTC. If they were not removed, give the App or the token access to them "
            "again"
        )
    return Listing(taken, kept, ". ".join(told) or None, nothing)


def _staying(kept: frozenset[str], owner: str, until: datetime | None) -> str:
    count = sum(owner_of(name) == owner for name in kept)
    if not count:
        return "nothing there is looked after"
    how_long = "meanwhile" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
    return f"what is known of {counted(count, 'repository')} there stays {how_long}"
