"""One tick: images that are due are looked at, one HEAD each, and what they stand on is told.

What an image stands on also changes where nobody touched it: its base moves on. So all are compared anew whenever a
base was observed.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure, Trouble
from bot.domain.images.claims import TagKind, TagRule, likely_newest
from bot.domain.images.image import ProducedImage, SeenImage
from bot.domain.images.named_bases import NOTHING_NAMED
from bot.domain.images.standing import LAW, Doubt
from bot.domain.reference import Base
from bot.fleet.verify.images.confirming import open_claims
from bot.fleet.verify.images.judging import Observed, judge, look_at
from bot.fleet.verify.images.ports import ImagesPort, ImagesStore, Look
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work

MOST_TAGS_READ = 50
"""Tags that fit a pattern, of which the newest is looked for."""


@dataclass(frozen=True, slots=True)
class ImagesOptions:
    """How often an image is looked at, how many looks at one registry go on at once, and whose word counts."""

    every: timedelta = timedelta(hours=24)
    per_host: int = 8
    mark: Callable[[str], str | None] = lambda name: None
    """The mark of who may sign statements about `registry/name`; None where nobody is named."""


@dataclass(frozen=True, slots=True)
class ImagesTally:
    """How many images were looked at, how many have another digest, and of how many something else is told than
    before."""

    looked_at: int = 0
    moved: int = 0
    told_anew: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ImagesStore, registries: ImagesPort, observed: Observed, options: ImagesOptions, loop: Loop
) -> ImagesTally:
    """Looks once at every image that is due; the tally counts these."""
    await observed.catch_up(store)
    up_to = observed.last  # others who share what was observed go on meanwhile
    told_anew = await _tell_anew(store, observed) if up_to > observed.compared_until else 0
    observed.compared_until = up_to
    looks = _ImageLooks(store, registries, observed, options, loop)
    tally = await loop.run(looks)
    await store.tell_contradictions()
    return ImagesTally(tally.done, looks.moved, told_anew, tuple(tally.problems))


async def _tell_anew(store: ImagesStore, observed: Observed) -> int:
    """Compares every image again; how many stand differently now."""
    last = changed_count = 0
    while images := await store.known_images(last):
        last = images[-1].id
        new_standings = {
            image.id: standings for image in images if (standings := judge(image, observed)) != image.standings
        }
        if new_standings:
            await store.save_standings(new_standings)
        changed_count += len(new_standings)
        await asyncio.sleep(
            0
        )  # other stages get their turn, and nobody looks at an image between its two lines above
    return changed_count


async def newest(image: ProducedImage, rule: TagRule, registries: ImagesPort) -> tuple[str, str]:
    """Of the tags that fit the rule, the one whose image says to be the youngest, with its digest.

    Raises `Failure`: missing where none fits, malformed where so many fit, in no order, that they are not all read.
    """
    registry, repository = image.claim.registry, image.claim.repository
    fitting = rule.fitting(await registries.tags(registry, repository))
    pattern = f"{image.claim.name}:{rule}"
    if not fitting:
        raise Failure(Trouble.MISSING, "no tag fits", where=pattern)
    likely = likely_newest(fitting, MOST_TAGS_READ)
    if likely is None:
        reason = f"{len(fitting)} tags fit and do not count up, {MOST_TAGS_READ} are read"
        raise Failure(Trouble.MALFORMED, reason, where=pattern, advice="name a fixed tag, or one made of {sha}")
    candidates: list[tuple[datetime, str, str]] = []
    for tag in likely:
        place = Base(registry, repository, tag)
        head = await registries.head(place)
        tag_image: SeenImage = await registries.read(place, head.digest, NOTHING_NAMED)
        if tag_image.created is not None:
            candidates.append((tag_image.created, tag, head.digest))
    if not candidates:
        raise Failure(Trouble.MALFORMED, "no image says when it was built", where=pattern)
    _, tag, digest = max(candidates)
    return tag, digest


class _ImageLooks(Work[ProducedImage, Look | None]):
    """The result is None where the image is the one seen before."""

    stage = "images"
    batch = 500

    def __init__(
        self, store: ImagesStore, registries: ImagesPort, observed: Observed, options: ImagesOptions, loop: Loop
    ) -> None:
        self._store = store
        self._registries = registries
        self._observed = observed
        self._every = options.every
        self._mark = options.mark
        self._clock = loop.clock
        self.at_once = options.per_host
        self.moved = 0

    @property
    def queue(self) -> Queue[ProducedImage]:
        return self._store.images

    def host(self, item: ProducedImage) -> str:
        return item.claim.registry

    async def attempt(self, item: ProducedImage, lease: Lease) -> Look | None:
        tag, digest = await self._tag_and_digest(item)
        is_judged = item.judged_by == self._mark(item.claim.name)
        is_told = is_judged and self._is_told(item) and not (self._is_new(item) and self._awaits_more(item))
        if digest == item.digest and tag == item.found_tag and is_told:
            return None
        place = Base(item.claim.registry, item.claim.repository, tag)
        look = await look_at(item, place, digest, self._store, self._registries, self._observed)
        claims = open_claims(look.standings)
        may_be_read_later = any(each.doubt is Doubt.PACKED_ANEW for each in look.standings)
        if claims and not may_be_read_later:
            self._observed.tried[item.id] = (digest, claims)
        else:
            self._observed.tried.pop(item.id, None)
        return look

    def _is_told(self, item: ProducedImage) -> bool:
        """Whether nothing that its layers claim is left to be proved, or all was tried for just these claims."""
        if item.law != LAW:
            return False
        claims = open_claims(item.standings)
        return not claims or self._observed.tried.get(item.id) == (item.digest, claims)

    def _is_new(self, item: ProducedImage) -> bool:
        return item.seen_at is not None and self._clock.now() - item.seen_at < 2 * self._every

    def _awaits_more(self, item: ProducedImage) -> bool:
        """Whether an image is read once more: for the provenance that a build signs after it has pushed, or for its
        packages, which are read after its first look and tell which .NET it brings itself."""
        inside = [each.inside for each in item.standings if each.inside is not None]
        if not all(each.is_current or each.behind_since is not None for each in inside):
            return True
        return item.builder is None and self._registries.wants_provenance(item.claim.name)

    async def _tag_and_digest(self, item: ProducedImage) -> tuple[str, str]:
        """The tag that counts, and its digest: tags are listed only where none is known yet."""
        rule = item.claim.tag
        tag = rule.text if rule.kind is TagKind.FIXED else item.found_tag
        if tag is None:
            return await newest(item, rule, self._registries)
        head = await self._registries.head(Base(item.claim.registry, item.claim.repository, tag))
        return tag, head.digest

    def is_small(self, result: Look | None) -> bool:
        return result is None

    async def settle(self, item: ProducedImage, result: Look | None) -> None:
        if result is None:
            await self.settle_together([(item, result)])
            return
        await self._store.record_look(item, result, self._clock.now() + self._every)
        self.moved += (item.found_tag, item.digest) != (result.tag, result.image.digest)

    async def settle_together(self, unmoved: Sequence[tuple[ProducedImage, Look | None]]) -> None:
        await self._store.record_unmoved([item for item, _ in unmoved], self._clock.now() + self._every)

    async def failed(self, item: ProducedImage, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """The image's page shows it: that an image is not there, or not shown to us, is no trouble of the bot's."""
        rest = self._every if not failure.trouble.is_passing else failure.retry_after or timedelta(minutes=15)
        await self.queue.put_off([claimed], now + rest, error=failure.told)
        return None
