"""A registry that is asked once for what is kept beside an image, though several stages want to know it.

What an image stands on and which SBOMs it has are looked for one after the other, among the same attestations. An
index is asked for once for all images in it.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from bot.domain.clock import Clock, is_fresh
from bot.images.trust.collecting import SignaturesPort

LISTED_FOR = timedelta(minutes=4)
"""How long a listing or a tag counts as it was seen: less than a build is given to attach what it says of its
image. What has a digest never changes."""
MOST_BYTES = 32 * 1024 * 1024
"""Kept altogether, of what was asked for last."""
_LARGEST = 4 * 1024 * 1024
_COUNTED_APART = 200
"""Bytes that an answer counts beside its own: for the names that it is found by."""

Answer = TypeVar("Answer", bytes, bytes | None, tuple[str, ...])
_Any = bytes | tuple[str, ...] | None
_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class _Memory:
    answer: _Any
    at: datetime
    size: int


class LookedOnce:
    """Answers like the registry behind it, from memory where that was asked before. A failure is not kept."""

    def __init__(self, port: SignaturesPort, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._memories: OrderedDict[_Key, _Memory] = OrderedDict()
        self._bytes = 0

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        async def ask() -> tuple[str, ...]:
            return tuple(await self._port.referring(registry, repository, digest))

        return await self._once(("referring", registry, repository, digest), ask, LISTED_FOR)

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        return await self._once(
            ("tagged", registry, repository, tag), lambda: self._port.tagged(registry, repository, tag), LISTED_FOR
        )

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        return await self._once(
            ("manifest", registry, repository, digest), lambda: self._port.manifest(registry, repository, digest)
        )

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        return await self._once(
            ("config", registry, repository, digest), lambda: self._port.config(registry, repository, digest)
        )

    async def _once(
        self, key: _Key, ask: Callable[[], Awaitable[Answer]], counts_for: timedelta | None = None
    ) -> Answer:
        memory = self._memories.get(key)
        now = self._clock.now()
        if memory is not None and (counts_for is None or is_fresh(memory.at, now, counts_for)):
            self._memories.move_to_end(key)
            return memory.answer  # type: ignore[return-value] # a key has answers of one kind
        answer = await ask()
        self._keep(key, _Memory(answer, now, _size(answer)))
        return answer

    def _keep(self, key: _Key, memory: _Memory) -> None:
        before = self._memories.pop(key, None)
        self._bytes -= before.size if before is not None else 0
        if memory.size > _LARGEST:
            return
        self._memories[key] = memory
        self._bytes += memory.size
        while self._bytes > MOST_BYTES:
            _, oldest = self._memories.popitem(last=False)
            self._bytes -= oldest.size


def _size(answer: _Any) -> int:
    match answer:
        case bytes():
            return len(answer) + _COUNTED_APART
        case tuple():
            return sum(map(len, answer)) + _COUNTED_APART
        case _:
            return _COUNTED_APART
