"""A base with the images that stand on it, and how far each of them is on its way to what the base shows now."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from bot.domain.bases.observation import first_digits
from bot.domain.images.standing import ImageState
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.domain.rollouts.timing.waves import Hold
from bot.domain.wording.words import counted
from bot.views.images.images import ImageView
from bot.views.rollouts.rebuilds import what


@dataclass(frozen=True, slots=True)
class Branch:
    """An image on the base, over `depth` images of the fleet's own. `rebuild` is the newest of its repository that
    the moves of what it stands on have set off; `hold` is why that has not begun. `late` is the image between it
    and the base that does not stand on what the base shows now: then it cannot either.
    """

    view: ImageView
    rebuild: Rebuild | None = None
    depth: int = 0
    hold: Hold | None = None
    late: str | None = None

    @property
    def waits_for(self) -> str | None:
        """Why its rebuild has not begun."""
        return self.hold.reason if self.hold is not None else None

    @property
    def under_way(self) -> Rebuild | None:
        """Its rebuild, where that has not ended."""
        return None if self.rebuild is None or self.rebuild.state.has_ended else self.rebuild

    @property
    def is_current(self) -> bool:
        """Whether it is proved to stand on what the base shows now."""
        return self.late is None and self.view.image.state is ImageState.CURRENT

    @property
    def state(self) -> str:
        """Words how far an image is: `proved`, what is under way, `behind`, with what the last rebuild came to
        where that did not bring it, or as its state has it."""
        if self.under_way is not None:
            return self.waits_for or f"{what(self.under_way)} {self.under_way.state}"
        if self.late is not None:
            return f"behind, as {self.late.rpartition('/')[2]} is"
        if self.is_current:
            return "proved"
        if self.view.image.behind_since is None:
            return self.view.image.state.in_words
        return f"behind{_brought_nothing(self.rebuild)}"


@dataclass(frozen=True, slots=True)
class Tree:
    """`about` is when what is on its way is likely done, by how long rebuilds before took."""

    base: Base
    digest: str | None
    moved_at: datetime | None
    branches: tuple[Branch, ...]
    about: datetime | None = None

    @property
    def told(self) -> str:
        """How many have arrived, and when the others likely have."""
        done = sum(branch.is_current for branch in self.branches)
        about = f"; what is under way, likely by {self.about:%Y-%m-%d %H:%M} UTC" if self.about else ""
        return f"{done} of {counted(len(self.branches), 'image')} proved to stand on it{about}"


def _brought_nothing(rebuild: Rebuild | None) -> str:
    """Words what a rebuild came to that has ended without an image on the base."""
    if rebuild is None or rebuild.state not in _IN_VAIN:
        return ""
    proof = f": {rebuild.proof}" if rebuild.proof is not None and rebuild.proof.fails else ""
    return f", {what(rebuild)} {rebuild.state}{proof}"


_IN_VAIN = frozenset({RebuildState.FAILED, RebuildState.CANCELLED, RebuildState.SKIPPED})


def likely_done(branches: Sequence[Branch], took: timedelta, now: datetime) -> datetime | None:
    """When the last of those on their way is likely done, if each takes as long as others `took`: an image after
    those that it stands on, and what waits for a time after that.

    `branches` are in the order of `under`. None where nothing is on its way, and where something waits of which
    nobody can tell for how long.
    """
    ends: list[datetime] = []
    above: list[datetime | None] = []
    for branch in branches:
        del above[branch.depth :]
        below = above[-1] if above else None
        begun = branch.under_way.attempted_at if branch.under_way is not None else None
        if begun is not None:
            end: datetime | None = max(begun + took, now)
        elif branch.under_way is None:
            end = below + took if below is not None and not branch.is_current else None
        else:
            until = branch.hold.until if branch.hold is not None else now
            if until is None:
                return None
            end = max(below or until, now) + took
        above.append(end)
        ends += [end] if end is not None else []
    return max(ends, default=None)


def under(
    base: Base,
    views: Sequence[ImageView],
    rebuilds: Sequence[Rebuild],
    waits: Mapping[int, Hold] = MappingProxyType({}),
) -> tuple[Branch, ...]:
    """The images that stand on a base, each followed by those that stand on it: first those that are behind, then
    those below which one is.

    `rebuilds` are newest first, `waits` by their ids.
    """
    known = _Known(_by_base_name(views), _by_repository(rebuilds), frozenset(map(_tagged, views)), waits)
    return tuple(_below(known, base.name, lambda each: each == base, ()))


@dataclass(frozen=True, slots=True)
class _Known:
    """`views` are by the names of the bases that they stand on, `rebuilds` by repository, `tags` are the images."""

    views: Mapping[str, Sequence[ImageView]]
    rebuilds: Mapping[str, Sequence[Rebuild]]
    tags: Collection[Base]
    waits: Mapping[int, Hold]


def _by_base_name(views: Sequence[ImageView]) -> Mapping[str, Sequence[ImageView]]:
    by_name: dict[str, list[ImageView]] = {}
    for view in views:
        for name in dict.fromkeys(each.base.name for each in view.image.standings if each.base is not None):
            by_name.setdefault(name, []).append(view)
    return by_name


def _by_repository(rebuilds: Sequence[Rebuild]) -> Mapping[str, Sequence[Rebuild]]:
    by_repository: dict[str, list[Rebuild]] = {}
    for rebuild in rebuilds:
        by_repository.setdefault(rebuild.repository, []).append(rebuild)
    return by_repository


def _below(
    known: _Known, name: str, is_below: Callable[[Base], bool], way: tuple[Base, ...], late: str | None = None
) -> list[Branch]:
    """`name` is that of the image or base below, `way` are the images on the way so far, of which `late` is the
    first that is not current: whoever stands on its own is shown once."""
    mine = []
    for view in known.views.get(name, ()):
        if _tagged(view) in way or not any(
            standing.base is not None and is_below(standing.base) for standing in view.image.standings
        ):
            continue
        of_it = (
            rebuild
            for rebuild in known.rebuilds.get(view.image.repository, ())
            if any(is_below(each.base) for each in rebuild.targets)
        )
        rebuild = next(of_it, None)
        hold = known.waits.get(rebuild.id) if rebuild is not None else None
        mine.append(Branch(view, rebuild, len(way), hold, late))
    branches: list[list[Branch]] = []
    for branch in mine:
        tagged = _tagged(branch.view)
        above = late or (None if branch.is_current else tagged.name)
        is_of = partial(_is_of, tagged, known.tags)
        branches.append([branch, *_below(known, tagged.name, is_of, (*way, tagged), above)])
    return [branch for several in sorted(branches, key=_late_first) for branch in several]


def _late_first(several: Sequence[Branch]) -> tuple[bool, bool, Base]:
    """Orders an image and those on it by whether it has arrived, then by whether all of them have."""
    first = several[0]
    return first.is_current, all(each.is_current for each in several), _tagged(first.view)


def _tagged(view: ImageView) -> Base:
    """Gives the image by its name and the tag that it is looked for under."""
    claim = view.image.claim
    return Base(claim.registry, claim.repository, claim.tag.text)


def _is_of(image: Base, tags: Collection[Base], base: Base) -> bool:
    """Whether a base is that image, and no other tag of its name that has a build of its own."""
    return base.name == image.name and (base == image or base not in tags)


def as_json(tree: Tree) -> dict[str, Any]:
    """Gives the tree as plain JSON values."""
    return {
        "base": str(tree.base),
        "digest": tree.digest,
        "moved_at": tree.moved_at,
        "about": tree.about,
        "images": [
            {
                "image": branch.view.image.claim.name,
                "tag": branch.view.image.claim.tag.text,
                "produced_by": branch.view.image.repository,
                "depth": branch.depth,
                "state": branch.state,
                "waits_for": branch.waits_for,
                "is_current": branch.is_current,
                "seen_at": branch.view.image.seen_at,
                "rebuild": branch.rebuild.id if branch.rebuild else None,
                "url": branch.rebuild.url if branch.rebuild else None,
            }
            for branch in tree.branches
        ],
    }


def short(tree: Tree) -> str:
    """`aspnet:10.0-noble`, with the beginning of what it shows."""
    return f"{tree.base.short}@{first_digits(tree.digest)}" if tree.digest else tree.base.short
