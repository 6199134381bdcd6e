"""One answer for all who ask at the same time: who needs no token to ask costs the store one question a second."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class SharedAnswer(Generic[T]):
    """What was found is the answer for `lasts` seconds, and one asks at a time."""

    lasts: float = 1.0
    now: Callable[[], float] = monotonic
    _last: tuple[float, T] | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Gives the last answer where it is new enough, else what `ask` finds."""
        async with self._asking:
            if self._last is None or self.now() - self._last[0] > self.lasts:
                answer = await ask()
                self._last = self.now(), answer
            return self._last[1]
