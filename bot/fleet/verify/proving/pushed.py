"""What the build of a rebuild has pushed, found by the tag that it leaves behind."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import Build, TagKind
from bot.domain.images.image import ProducedImage
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Rebuild
from bot.fleet.verify.images.judging import Observed, look_at
from bot.fleet.verify.images.ports import ImagesPort, ImagesStore, Look
from bot.fleet.verify.images.tick import newest


class PushedStore(ImagesStore, Protocol):
    """What looking at pushed images asks of the store besides what looking at any does."""

    async def keep_look(self, image: ProducedImage, look: Look) -> None:
        """Keeps what was read of an image, whoever else looks at it."""
        ...


@dataclass(frozen=True, slots=True)
class Pushed:
    """Looks at what builds have pushed, and keeps each look."""

    store: PushedStore
    registries: ImagesPort
    observed: Observed

    async def look(self, image: ProducedImage, rebuild: Rebuild, *, only_new: bool = True) -> Look | None:
        """Reads what the build has pushed; None where nothing new is there, or nothing at all."""
        new = await self.find(image, rebuild, only_new=only_new)
        return None if new is None else await self.read(image, *new)

    async def find(
        self, image: ProducedImage, rebuild: Rebuild, *, only_new: bool = True
    ) -> tuple[str, str] | None:
        """Returns the tag and the digest of what the build has pushed, or None like `look`."""
        try:
            tag, digest = await self._left_behind(image, rebuild)
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                return None
            raise
        is_awaited_anew = only_new and not _was_green_before(image, rebuild)
        if is_awaited_anew and digest == image.digest and not was_seen_since(image, rebuild):
            return None
        return tag, digest

    async def read(self, image: ProducedImage, tag: str, digest: str) -> Look:
        """Reads the image of a digest, and keeps what it shows."""
        place = Base(image.claim.registry, image.claim.repository, tag)
        look = await look_at(image, place, digest, self.store, self.registries, self.observed)
        await self.store.keep_look(image, look)
        return look

    async def _left_behind(self, image: ProducedImage, rebuild: Rebuild) -> tuple[str, str]:
        """The tag that the build leaves behind, and its digest."""
        rule = image.claim.tag
        commit = rebuild.built_commit or (rebuild.merge.commit if rebuild.merge else None)
        tag = rule.filled(Build(commit, rebuild.run_number))
        if _was_green_before(image, rebuild):
            head = await self.registries.head(image.place)
            return image.place.tag, head.digest
        if rule.kind is TagKind.PATTERN or tag is None:
            return await newest(image, rule, self.registries)
        head = await self.registries.head(Base(image.claim.registry, image.claim.repository, tag))
        return tag, head.digest


def was_seen_since(image: ProducedImage, rebuild: Rebuild) -> bool:
    """Whether the digest that is known was first seen after the build began: a regular look may have come first.

    Of a merge whose build is tried again, its parts that were green may have pushed theirs since it was opened.
    """
    is_again = rebuild.attempted_at is not None and rebuild.attempted_at < rebuild.planned_at
    began = rebuild.attempted_at if rebuild.merge is None or is_again else rebuild.merge.at
    return image.seen_at is not None and began is not None and image.seen_at >= began


def _was_green_before(image: ProducedImage, rebuild: Rebuild) -> bool:
    """Whether a green part of a monorepo has built it, of which the red part alone, `rebuild.workflow`, was built
    again: it is there already, if anywhere."""
    repeated_parts = [part for part in rebuild.parts if part.workflow == rebuild.workflow]
    return bool(repeated_parts) and not any(part.produces(image.claim.name) for part in repeated_parts)
