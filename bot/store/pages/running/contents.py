"""What is inside of builds that run or ran: by inventories, and by sets of packages where those are gone."""

from collections.abc import Collection, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.running.inside import HeldPlatform
from bot.store.engine.among import is_among
from bot.store.engine.codec import readable
from bot.store.pages.images.found_packages import release_in, told_in
from bot.store.rows.inventories.inventories import inventories
from bot.store.rows.running.numbers import digests_in
from bot.store.rows.running.past import past_contents, past_images
from bot.store.rows.running.running import running_contents

_SHOWN = (
    select(
        *(running_contents.c.build_id, running_contents.c.kind, inventories.c.id, inventories.c.platform),
        cast(inventories.c.distribution, String).label("distribution"),
        *(inventories.c[name] for name in ("read_at", "is_complete", "error", "digest", "config_digest")),
    )
    .join(inventories, inventories.c.id == running_contents.c.inventory_id)
    .where(is_among(running_contents.c.build_id, "builds"))
    .order_by(running_contents.c.build_id, inventories.c.platform)
)
_PAST = (
    select(
        *(past_contents.c[name] for name in ("build_id", "system_set_id", "other_set_id", "digests")),
        *(
            past_images.c.kind,
            past_images.c.platform,
            cast(past_images.c.distribution, String).label("distribution"),
        ),
        *(past_images.c.is_read, past_images.c.is_complete, past_images.c.error),
    )
    .join(past_images, past_images.c.id == past_contents.c.image_id)
    .where(is_among(past_contents.c.build_id, "builds"))
    .order_by(past_contents.c.build_id, past_images.c.platform, past_contents.c.id)
)


@dataclass(frozen=True, slots=True)
class BuildContent:
    """One platform that a build may be: what it holds is told by its inventory, or, where that is gone, by the ids
    of sets of packages. `kind` is what the build's digest names."""

    build: int
    kind: str
    platform: str
    distribution: str | None
    is_read: bool
    is_whole: bool
    error: str
    digests: tuple[str, ...]
    inventory: int | None = None
    sets: tuple[int, ...] = ()

    @property
    def manifest(self) -> tuple[int, str]:
        """The build, and the digest of the platform's manifest, where that can be read: what is told of both twice
        is of one image."""
        return self.build, self.digests[0] if self.digests else self.platform

    def is_better_known_than(self, other: "BuildContent") -> bool:
        """Whether more is known of it: a whole reading before one in part, either before none."""
        return (self.is_read, self.is_whole) > (other.is_read, other.is_whole)

    def held(self, unread: Set[int]) -> HeldPlatform:
        """The platform without its packages, of which there may be more in sets that are `unread`."""
        is_whole = self.is_whole and unread.isdisjoint(self.sets)
        return HeldPlatform(self.platform, release_in(self.distribution), self.is_read, is_whole, error=self.error)


async def read_contents(
    connection: AsyncConnection, builds: Collection[int], platforms: Collection[str] | None
) -> dict[int, list[BuildContent]]:
    """Reads what these builds may be: one platform where its digest names that, else all that are read; of a whole
    image only these `platforms` count, None for all."""
    contents: dict[tuple[int, str], BuildContent] = {}
    for row in await connection.execute(_SHOWN, {"builds": builds}):
        digests = tuple(each for each in (row.digest, row.config_digest) if each)
        content = _content(row, row.read_at is not None, digests, inventory=row.id)
        contents[content.manifest] = content
    for row in await connection.execute(_PAST, {"builds": builds}):
        digests = next(iter(readable([row], lambda each: digests_in(each.digests), _name)), ())
        sets = tuple(each for each in (row.system_set_id, row.other_set_id) if each is not None)
        content = _content(row, row.is_read, digests, sets=sets)
        known = contents.get(content.manifest)
        if known is None or content.is_better_known_than(known):
            contents[content.manifest] = content
    by_build: dict[int, list[BuildContent]] = {}
    for each in contents.values():
        by_build.setdefault(each.build, []).append(each)
    return {build: _that_count(several, platforms) for build, several in by_build.items()}


def _content(
    row: Any, is_read: bool, digests: tuple[str, ...], *, inventory: int | None = None, sets: tuple[int, ...] = ()
) -> BuildContent:
    """What a row tells; where some of it cannot be read, it is not all that is inside."""
    is_known = bool(told_in(row.distribution, release_in, _name(row)))
    distribution = row.distribution if is_known else None
    is_whole = bool(is_known and digests and row.is_complete)
    state = is_read, is_whole, row.error or "", digests, inventory, sets
    return BuildContent(row.build_id, row.kind, row.platform, distribution, *state)


def _name(row: Any) -> str:
    return f"{row.platform} of build {row.build_id}"


def does_count(kind: str, platform: str, platforms: Collection[str] | None) -> bool:
    """Whether what a digest of that kind may be counts: of a whole image only these `platforms`, None for all."""
    return kind != "index" or platforms is None or platform in platforms


def _that_count(several: list[BuildContent], platforms: Collection[str] | None) -> list[BuildContent]:
    counting = [each for each in several if does_count(each.kind, each.platform, platforms)]
    return [each for each in counting if each.kind != "index"] or counting
