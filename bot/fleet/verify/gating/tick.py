"""One tick: the gate says anew of each image what it lets through, where image, data or settings are others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.failure import Failure
from bot.domain.packages.gate import GateOutcome
from bot.fleet.verify.gating.judging import ImageAtGate, judge_images
from bot.fleet.verify.gating.ports import DueGate, GateOptions, GateStore, VexPort
from bot.reconcile.loop import Loop
from bot.reconcile.work import Claimed, Lease, Queue, Work, put_off_by_backoff

_EVERY = timedelta(hours=6)
"""What ends by itself is seen within that: data that grows too old. An exception, and a signature's verdict, is
seen to end when it does."""
_WHILE_PENDING = timedelta(minutes=2)
_WHILE_HELD = timedelta(minutes=15)
"""Somebody who is trusted may excuse beside an image what holds it back, and no registry says so by itself."""


@dataclass(frozen=True, slots=True)
class GateTally:
    """How many images were judged, how many of them are held back, and what hindered others."""

    judged: int = 0
    blocked: int = 0
    problems: tuple[str, ...] = ()


async def tick(store: GateStore, options: GateOptions, loop: Loop, vex: VexPort | None = None) -> GateTally:
    """Judges every image that is due; where the gate is off, what it said is forgotten."""
    if not options.is_on:
        await store.forget_gates()
        return GateTally()
    await store.make_due(options.mark)
    work = _Gates(store, options, loop, vex)
    tally = await loop.run(work)
    return GateTally(tally.done, work.blocked, tuple(tally.problems))


class _Gates(Work[DueGate, ImageAtGate]):
    """All of a claim are read together."""

    stage = "gate"
    rests_by_backoff = True
    batch = 200

    def __init__(self, store: GateStore, options: GateOptions, loop: Loop, vex: VexPort | None) -> None:
        self._store = store
        self._vex = vex
        self._options = options
        self._clock = loop.clock
        self._judged: Mapping[int, ImageAtGate] = {}
        self.blocked = 0

    @property
    def queue(self) -> Queue[DueGate]:
        return self._store.gates

    async def prepare(self, host: str, items: Sequence[DueGate]) -> None:
        images = [item.image for item in items]
        now = self._clock.now()
        self._judged = await judge_images(self._store, images, self._options, now, adopts=True, vex=self._vex)

    async def attempt(self, item: DueGate, lease: Lease) -> ImageAtGate:
        return self._judged[item.image.id]

    async def settle(self, item: DueGate, result: ImageAtGate) -> None:
        is_pending = result.gated is not None and result.gated.is_pending
        rest = _WHILE_PENDING if is_pending else _WHILE_HELD if result.may_be_excused else _EVERY
        now = self._clock.now()
        ends = [result.until, *(each.until for each in self._options.exceptions)]
        due_at = min([now + rest, *(each for each in ends if each is not None and each > now)])
        await self._store.settle_gate(item, result.facts, result.gated, self._options.mark, due_at)
        self.blocked += result.gated is not None and result.gated.outcome is GateOutcome.BLOCKED

    async def failed(self, item: DueGate, claimed: Claimed, failure: Failure, now: datetime) -> str | None:
        await put_off_by_backoff(self.queue, claimed, failure, now, failure.told)
        return f"{item.image.claim.name}: {failure}"
