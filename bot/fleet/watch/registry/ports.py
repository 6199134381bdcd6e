"""What watching registries needs of the store, and what it works on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.bases.incident import Incident
from bot.domain.bases.mirrors import Likeness
from bot.domain.bases.observation import LastLook, Observation, ShowsTwo, Sight
from bot.domain.feeds.advisory import Release
from bot.domain.reference import Base
from bot.fleet.watch.registry.documents import ManifestCache
from bot.reconcile.work import Queue


@dataclass(frozen=True, slots=True)
class Mirrored:
    """How a base stands to the one that it is a copy of: what that shows, how the two are known to be alike, and
    since when this one is behind."""

    digest: str | None
    likeness: Likeness | None
    behind_since: datetime | None

    def is_stale(self, digest: str) -> bool:
        """Whether a digest of before is that of a cache which has not heard of the newer one yet."""
        return self.likeness is Likeness.DIGEST and self.digest is not None and digest != self.digest

    def is_upstreams(self, digest: str) -> bool:
        """Whether it is what upstream shows, which is doubted there where there is doubt."""
        return digest == self.digest


@dataclass(frozen=True, slots=True)
class DueBase:
    """A claimed base and what is known of it.

    `digest` is what the registry last showed: a withdrawal from the inventory does not clear it, since withdrawn
    tags still resolve. `unconfirmed` is another digest, of before, that the last poll showed in its place.
    `mirrored` is there for a copy.
    """

    id: int
    base: Base
    digest: str | None = None
    version: str | None = None
    moved_at: datetime | None = None
    unconfirmed: str | None = None
    mirrored: Mirrored | None = None
    shows_two: ShowsTwo | None = None

    @property
    def last_look(self) -> LastLook:
        return LastLook(self.digest, self.moved_at, self.unconfirmed, self.shows_two)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A new digest of a base."""

    base_id: int
    sight: Sight
    observation: Observation
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Poll:
    """When a base without news is due again; `unconfirmed` is a digest of before that is news if it shows again."""

    base_id: int
    due_at: datetime
    unconfirmed: str | None = None
    shows_two: ShowsTwo | None = None


class WatchStore(ManifestCache, Protocol):
    """What this stage asks of the store; each method is one transaction."""

    @property
    def bases(self) -> Queue[DueBase]:
        """The bases in use whose turn it is."""
        ...

    async def earlier_digests(self, base_id: int) -> frozenset[str]:
        """What the base has shown so far, as far back as the store cares to look."""
        ...

    async def newest_releases(self) -> Sequence[Release]:
        """The release of each channel that its feed showed last."""
        ...

    async def open_incidents(self, subject_prefix: str) -> Sequence[Incident]: ...

    async def reschedule(self, polls: Sequence[Poll]) -> None:
        """Sets `due_at`, ends attempts and error, and gives the leases back; what is no longer ours stays."""
        ...

    async def record(self, sightings: Sequence[Sighting], manifests: Mapping[str, bytes]) -> None:
        """Adds the observations to the history, makes them current, keeps `manifests` by digest, reschedules.

        Raises `LeaseLost`, and does nothing, where another worker has taken over.
        """
        ...

    async def save_incidents(self, opened: Sequence[Incident], cleared: Sequence[Incident]) -> None:
        """An opened incident whose subject is open already is kept as it is."""
        ...
