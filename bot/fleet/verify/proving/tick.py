"""One tick: the images of rebuilds whose build is green are looked at until they show what they stand on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.evidence import ImageVerdict
from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.images.proof import Proof, may_stand_on, not_seen, proof_of
from bot.domain.images.trust import Lack
from bot.domain.packages.gate import is_awaited
from bot.domain.reference import Base
from bot.domain.repositories.usage import Usage
from bot.domain.rollouts.after_build import after_proof, gate_in_words
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.wording.words import duration
from bot.fleet.verify.gating.judging import NoGate
from bot.fleet.verify.gating.ports import ImageGate
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import ImagesPort, Look
from bot.fleet.verify.proving.pushed import Pushed, PushedStore, was_seen_since
from bot.fleet.verify.proving.required import (
    SAY_WHO,
    TRIED_FOR,
    ImageTrust,
    NothingRequired,
    cannot_tell,
    lack_of,
    not_shown,
    untold,
)
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work


@dataclass(frozen=True, slots=True)
class Proving:
    """A rebuild whose build is green, with what its repository produces and names."""

    rebuild: Rebuild
    images: tuple[ProducedImage, ...]
    usages: tuple[Usage, ...]


class ProvingStore(PushedStore, Protocol):
    """What proving asks of the store besides what looking at images does."""

    @property
    def proving(self) -> Queue[Proving]: ...

    async def settle_rebuild(self, before: Rebuild, after: Rebuild, *, succeeded: bool = True) -> None: ...


@dataclass(frozen=True, slots=True)
class ProvingOptions:
    """`every` is the time between two looks at an image that is not there yet, `within` how long it may take;
    `signed_within` how long what is required of it may be missing."""

    every: timedelta = timedelta(minutes=2)
    within: timedelta = timedelta(hours=2)
    signed_within: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _OtherImages:
    """The images beside those that a rebuild is for, as they were seen, and what cannot be told of the rest."""

    images: Sequence[ProducedImage] = ()
    looks: Sequence[Look | None] = ()
    untold: Sequence[str] = ()


_NONE = _OtherImages()


@dataclass(frozen=True, slots=True)
class ProvingTally:
    """How many rebuilds were proved, failed or ended unproven, and what hindered others."""

    proved: int = 0
    failed: int = 0
    unproven: int = 0
    problems: tuple[str, ...] = ()


async def tick(
    store: ProvingStore,
    registries: ImagesPort,
    observed: Observed,
    options: ProvingOptions,
    loop: Loop,
    gate: ImageGate = NoGate(),  # noqa: B008 - it has no state
    trust: ImageTrust = NothingRequired(),  # noqa: B008 - it has no state
) -> ProvingTally:
    """Looks once at the images of every rebuild that is due, and asks the gate of what is proved."""
    await observed.catch_up(store)
    work = _Proofs(store, registries, observed, options, loop, gate, trust)
    tally = await loop.run(work)
    ends = work.ends
    return ProvingTally(
        ends.count(ImageVerdict.PROVED),
        sum(verdict.fails for verdict in ends),
        ends.count(ImageVerdict.UNKNOWN),
        tuple(tally.problems),
    )


class _Proofs(Work[Proving, Rebuild]):
    stage = "prove"

    def __init__(
        self,
        store: ProvingStore,
        registries: ImagesPort,
        observed: Observed,
        options: ProvingOptions,
        loop: Loop,
        gate: ImageGate,
        trust: ImageTrust,
    ) -> None:
        self._trust = trust
        self._store = store
        self._gate = gate
        self._registries = registries
        self._layers = observed.layers
        self._pushed = Pushed(store, registries, observed)
        self._options = options
        self._clock = loop.clock
        self.ends: list[ImageVerdict] = []

    @property
    def queue(self) -> Queue[Proving]:
        return self._store.proving

    def host(self, item: Proving) -> str:
        return item.images[0].claim.registry if item.images else self.stage

    async def attempt(self, item: Proving, lease: Lease) -> Rebuild:
        now, rebuild = self._clock.now(), item.rebuild
        bases = {target.base for target in rebuild.targets}
        concerned_images = [image for image in item.images if bases and may_stand_on(image, bases)]
        if not concerned_images:
            return await self._none_concerned(item, bases, now)
        if await self._awaits_watch(item, bases):
            return replace(rebuild, due_at=now + self._options.every)
        looks = [await self._pushed.look(image, rebuild) for image in concerned_images]
        pending = [image for image, look in zip(concerned_images, looks, strict=True) if look is None]
        if pending and now - (rebuild.built_at or now) <= self._time_to_wait(rebuild):
            return replace(rebuild, due_at=now + self._options.every)
        proofs = [self._proof(image, look, item, now) for image, look in zip(concerned_images, looks, strict=True)]
        decisive = max(proofs, key=lambda proof: _WEIGHT.index(proof.verdict))
        waiting_time = now - (rebuild.built_at or now)
        if any(proof.awaits_base for proof in proofs) and waiting_time <= self._options.within:
            return replace(rebuild, due_at=now + self._options.every)
        others = (
            _NONE if decisive.verdict.fails else await self._look_at_others(item, concerned_images, waiting_time)
        )
        images, all_looks = [*concerned_images, *others.images], [*looks, *others.looks]
        lack = None if decisive.verdict.fails else await lack_of(self._trust, images, all_looks, waiting_time)
        if lack is not None and lack.may_come and waiting_time <= self._options.signed_within:
            return replace(rebuild, due_at=now + self._options.every)
        if lack is not None:
            return after_proof(rebuild, ImageVerdict.UNTRUSTED, lack.text, now=now)
        gated = None if decisive.verdict.fails else await self._gate.gated(concerned_images)
        if (
            gated is not None
            and is_awaited(gated)
            and now - _seen_at(concerned_images, looks, now) < self._gate.wait
        ):
            waits = f"{decisive.text}; {gate_in_words(gated)}"
            return replace(rebuild, reason=waits, due_at=now + self._options.every)
        proof_text = "; ".join((decisive.text, *others.untold))
        return after_proof(rebuild, decisive.verdict, proof_text, gated, now=now)

    async def _look_at_others(
        self, item: Proving, concerned_images: Sequence[ProducedImage], waiting_time: timedelta
    ) -> _OtherImages:
        """The repository's other images that must be signed, as far as their tags show something new.

        What the build did not touch is not asked about, nor is what is not shown to us, of which nothing tells that
        the build touched it: that says nothing of the images that the rebuild is for.
        """
        images: list[ProducedImage] = []
        looks: list[Look | None] = []
        untold: list[str] = []
        for image in item.images:
            if image in concerned_images or image.doubt is not None or not self._trust.requires(image.claim.name):
                continue
            try:
                new = await self._pushed.find(image, item.rebuild)
            except Failure as failure:
                is_tried_again = failure.trouble.is_passing and waiting_time <= TRIED_FOR
                if is_tried_again or was_seen_since(image, item.rebuild):
                    raise
                untold.append(not_shown(image.place, failure.told))
                continue
            images.append(image)
            looks.append(None if new is None else await self._pushed.read(image, *new))
        return _OtherImages(images, looks, untold)

    async def _none_concerned(self, item: Proving, bases: Collection[Base], now: datetime) -> Rebuild:
        """Nothing can be proven by the images of the repository, but those that must be signed still have to be.

        What the build pushes of them is waited for; where it pushes nothing, what their tags show counts.
        """
        rebuild = item.rebuild
        if (doubt := untold(self._trust, item.images)) is not None:
            return after_proof(rebuild, ImageVerdict.UNTRUSTED, doubt, now=now)
        required = [image for image in item.images if self._trust.requires(image.claim.name)]
        waiting_time = now - (rebuild.built_at or now)
        is_over = waiting_time > self._time_to_wait(rebuild)
        looks = [await self._pushed.look(image, rebuild, only_new=not is_over) for image in required]
        if None in looks and not is_over:
            return replace(rebuild, due_at=now + self._options.every)
        lack = await lack_of(self._trust, required, looks, waiting_time)
        if lack is not None and lack.may_come and waiting_time <= self._options.signed_within:
            return replace(rebuild, due_at=now + self._options.every)
        missing_place = next(
            (image.place for image, look in zip(required, looks, strict=True) if look is None), None
        )
        if lack is None and missing_place is not None:
            lack = Lack(cannot_tell(missing_place, "no such image is there"))
        if lack is not None:
            return after_proof(rebuild, ImageVerdict.UNTRUSTED, lack.text, now=now)
        reason = _not_known(item, bases)
        return after_proof(rebuild, ImageVerdict.UNKNOWN, reason, self._gate.unseen(item.images, reason), now=now)

    async def _awaits_watch(self, item: Proving, bases: Collection[Base]) -> bool:
        """Whether the build has made one of its own bases anew, of which the layers are not known yet: what stands
        on it would seem to stand on something else."""
        built_at = item.rebuild.built_at or self._clock.now()
        if self._clock.now() - built_at > self._options.within:
            return False
        names = {image.claim.name for image in item.images}
        for base in sorted(base for base in bases if base.name in names):
            head = await self._registries.head(base)
            if self._layers.first_shown(base, head.digest) is None:
                return True
        return False

    def _time_to_wait(self, rebuild: Rebuild) -> timedelta:
        """How long a new image is waited for: less after a run of others, since a dispatch makes up for it."""
        return min(self._options.within, _OF_OTHERS_WITHIN) if rebuild.follows_others else self._options.within

    def _proof(self, image: ProducedImage, look: Look | None, item: Proving, now: datetime) -> Proof:
        if look is None:
            return not_seen(image, item.usages, duration(self._time_to_wait(item.rebuild)))
        seen_image = replace(image, found_tag=look.tag)
        return proof_of(seen_image, look.standings, item.rebuild.targets, self._first_shown(item), item.usages, now)

    def _first_shown(self, item: Proving) -> Mapping[str, datetime]:
        """When the wanted digests were seen first."""
        first_shown: dict[str, datetime] = {}
        for target in item.rebuild.targets:
            moment = self._layers.first_shown(target.base, target.to_digest)
            if moment is not None:
                first_shown[target.to_digest] = moment
        return first_shown

    async def settle(self, item: Proving, result: Rebuild) -> None:
        await self._store.settle_rebuild(item.rebuild, result)
        if result.proof is not None:
            self.ends.append(result.proof)

    async def failed(self, item: Proving, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        """Puts the rebuild off while the registry may yet answer; else ends it as unproven or untrusted."""
        rebuild = item.rebuild
        waiting_time = now - (rebuild.built_at or now)
        if failure.trouble.is_passing and waiting_time <= TRIED_FOR:
            rest = max(self._options.every, failure.retry_after or timedelta(0))
            await self._store.settle_rebuild(rebuild, replace(rebuild, due_at=now + rest), succeeded=False)
            return f"{rebuild.repository}: {failure}"
        gated = self._gate.unseen(item.images, "its new image could not be looked at")
        required = next((image.place for image in item.images if self._trust.requires(image.claim.name)), None)
        verdict, reason = ImageVerdict.UNKNOWN, str(failure)
        if required is not None:
            verdict, reason = ImageVerdict.UNTRUSTED, cannot_tell(required, str(failure))
        after = after_proof(rebuild, verdict, reason, gated, now=now)
        await self._store.settle_rebuild(rebuild, after)
        self.ends.append(verdict)
        return f"{rebuild.repository}: {failure}"


_OF_OTHERS_WITHIN = timedelta(minutes=15)
"""A push may run the same workflow without pushing an image."""
_WEIGHT = (ImageVerdict.PROVED, ImageVerdict.UNKNOWN, ImageVerdict.NOT_SEEN, ImageVerdict.OTHER, ImageVerdict.NO_OP)
"""Of several images, the one that shows least decides."""


def _seen_at(images: Sequence[ProducedImage], looks: Sequence[Look | None], now: datetime) -> datetime:
    """Since when all new images are there."""
    pairs = zip(images, looks, strict=True)
    is_known = [look is not None and look.image.digest == image.digest for image, look in pairs]
    times = [image.seen_at if same else now for image, same in zip(images, is_known, strict=True)]
    return max((each or now for each in times), default=now)


def _not_known(item: Proving, bases: Collection[Base]) -> str:
    """Why nothing can be looked at, and what would help."""
    if doubts := [f"{image.claim.name}: {image.doubt}" for image in item.images if image.doubt]:
        return f"{doubts[0]}; {SAY_WHO}"
    if not bases:
        return "nothing tells which base its image should stand on"
    names = " or ".join(sorted(base.short for base in bases))
    if item.images:
        return f"none of its images is seen to stand on {names}"
    return "no image of this repository is known; name it in the settings under images, or let a build name it"
