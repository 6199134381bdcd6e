"""A base with the images that stand on it, and how far each of them is on its way to what the base shows now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.bases.observation import short_digest
from bot.domain.evidence import Strength
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.wording.words import counted
from bot.views.bases.images import ImageView
from bot.views.rollouts.rebuilds import what


@dataclass(frozen=True, slots=True)
class Branch:
    """An image on the base. `rebuild` is the newest of its repository that the base's moves have set off."""

    view: ImageView
    rebuild: Rebuild | None = None

    @property
    def is_current(self) -> bool:
        """Whether it is proved to stand on what the base shows now."""
        image = self.view.image
        return image.strength is Strength.PROVED and image.behind_since is None

    @property
    def state(self) -> str:
        """For people: `proved`, `behind`, or what is under way."""
        if self.rebuild is not None and not self.rebuild.state.has_ended:
            return f"{what(self.rebuild)} {self.rebuild.state}"
        if self.is_current:
            return "proved"
        return "behind" if self.view.image.behind_since else self.view.image.strength.value


@dataclass(frozen=True, slots=True)
class Tree:
    """`about` is when the rebuilds under way are likely done, by how long those before took."""

    base: Base
    digest: str | None
    moved_at: datetime | None
    branches: tuple[Branch, ...]
    about: datetime | None = None

    @property
    def told(self) -> str:
        """How many have arrived: `3 of 200 images, about 2026-11-24 19:40 UTC`."""
        done = sum(branch.is_current for branch in self.branches)
        about = f", about {self.about:%Y-%m-%d %H:%M} UTC" if self.about else ""
        return f"{done} of {counted(len(self.branches), 'image')}{about}"


def under(base: Base, views: Sequence[ImageView], rebuilds: Sequence[Rebuild]) -> tuple[Branch, ...]:
    """The images that stand on a base, those that are behind first; `rebuilds` are newest first."""
    mine = [view for view in views if any(each.base == base for each in view.image.standings)]
    found = []
    for view in mine:
        of_it = (
            rebuild
            for rebuild in rebuilds
            if rebuild.repository == view.image.repository and any(each.base == base for each in rebuild.targets)
        )
        found.append(Branch(view, next(of_it, None)))
    return tuple(sorted(found, key=lambda branch: (branch.is_current, branch.view.image.claim.name)))


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
                "produced_by": branch.view.image.repository,
                "state": branch.state,
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
    return f"{tree.base.short}@{short_digest(tree.digest)}" if tree.digest else tree.base.short
