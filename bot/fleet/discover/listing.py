"""What a listing means: who belongs to the fleet, who has left it, and when to doubt that."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.domain.forge.looks import Silence
from bot.domain.repositories.repository import (
    GITHUB,
    Repository,
    form_of,
    is_name_at,
    owner_of,
    title_of,
)
from bot.domain.wording.words import counted
from bot.fleet.discover.ports import KnownFleet, Listing
from bot.fleet.discover.selection import Selection, selected

DOUBTED_FOR = timedelta(days=1)
"""So long may access be lost before the fleet is taken to have shrunk indeed."""
_FEW = 5
"""So few repositories may leave at once without a doubt, however small the fleet."""


def understood(
    repositories: Sequence[Repository],
    known: KnownFleet,
    selection: Selection,
    now: datetime,
    silent: Mapping[str, Silence] = MappingProxyType({}),
    forge: str = GITHUB,
) -> Listing:
    """Says which of the repositories that a forge lists are taken, and which of those known of it stay though they
    are absent.

    GitHub answers 200 with fewer repositories when an installation or a token loses access to them. So if more
    than half of the fleet is gone at once, it is kept for a day. A repository that is still shown but archived
    or without its topic, and one that the settings no longer name, has left for a reason and goes at once.

    `silent` are owners of whom nothing can be listed, with why: that is told, and their repositories are kept too,
    for as long as that lasts where it is trouble that passes.
    """
    misnamed = sorted(each.name for each in repositories if not is_name_at(forge, each.name))
    repositories = [each for each in repositories if is_name_at(forge, each.name)]
    selected_repositories = tuple(selected(repositories, selection))
    shown_names = {repository.name for repository in repositories}
    shown_keys = {repository.key for repository in repositories if repository.key is not None}
    absent_names = frozenset(
        name
        for name in known.names - shown_names
        if selection.names(name) and known.keys.get(name) not in shown_keys
    )
    nothing = None
    if not selected_repositories and repositories:
        nothing = (
            f"none of the {len(repositories)} repositories that {title_of(forge)} shows is taken; "
            f"check include, exclude and topics under {forge.replace('-', '_')}.repositories"
        )
    unheard = frozenset(name for name in absent_names if owner_of(name) in silent)
    kept_names = absent_names if len(absent_names) >= _FEW and len(absent_names) * 2 > len(known.names) else unheard
    until = (known.short_since or now) + DOUBTED_FOR
    in_trouble = frozenset(name for name in unheard if silent[owner_of(name)].is_passing)
    kept_names = in_trouble if now >= until else kept_names | in_trouble
    sentences = [
        f"{silence.reason}; {_sentence_of_stay(unheard & kept_names, owner, None if silence.is_passing else until)}"
        for owner, silence in sorted(silent.items())
    ]
    if kept_names - unheard:
        sentences.append(
            f"{title_of(forge)} no longer shows {len(absent_names)} of {len(known.names)} repositories; what is "
            f"known of them stays until {until:%Y-%m-%d %H:%M} UTC. If they were not removed, give the App or the "
            "token access to them again"
        )
    left_out = tuple(
        f"{title_of(forge)} shows {name}, whose name is not {form_of(forge)}; it is left out" for name in misnamed
    )
    return Listing(selected_repositories, kept_names, ". ".join(sentences) or None, nothing, left_out=left_out)


def _sentence_of_stay(names: frozenset[str], owner: str, until: datetime | None) -> str:
    count = sum(owner_of(name) == owner for name in names)
    if not count:
        return "nothing there is looked after"
    how_long = "meanwhile" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
    return f"what is known of {counted(count, 'repository')} there stays {how_long}"
