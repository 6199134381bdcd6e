"""Verdicts that need not be made again: the same bytes under the same policy, within the time that decides."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot.images.signatures.verdict import SignatureVerdict

_MOST = 20_000


@dataclass(frozen=True, slots=True)
class _Memory:
    verdict: SignatureVerdict
    judged_at: datetime


class Remembered:
    """Keeps verdicts of signatures that hold, the most recently asked about ones.

    One that does not hold is judged each time: a certificate may begin to be valid, a trust store may be mended.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._verdicts: OrderedDict[tuple[bytes, Hashable], _Memory] = OrderedDict()

    def verdict(
        self, encoded: bytes, under: Hashable, moment: datetime, judge: Callable[[], SignatureVerdict]
    ) -> SignatureVerdict:
        """The verdict of a signature at one moment, from memory where that is as good as anew.

        `under` is everything else that decides: whom to trust, and the digest asked about. It must differ where
        they do.
        """
        key = (sha256(encoded).digest(), under)
        memory = self._verdicts.get(key)
        if memory is not None and _covers(memory, moment):
            self._verdicts.move_to_end(key)
            return memory.verdict
        verdict = judge()
        if verdict.is_valid:
            self._verdicts[key] = _Memory(verdict, moment)
            self._verdicts.move_to_end(key)
            while len(self._verdicts) > self._most:
                self._verdicts.popitem(last=False)
        return verdict


def _covers(memory: _Memory, moment: datetime) -> bool:
    until = memory.verdict.holds_until
    return memory.judged_at <= moment and (until is None or moment < until)
