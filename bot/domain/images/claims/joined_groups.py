"""Which groups of things belong together, since they have something in common."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def joined(groups: Sequence[Sequence[T]], key: Callable[[T], Hashable]) -> Iterator[list[T]]:
    """The groups, of which those that share a key, also by way of others, are one; in their order.

    Goes through each thing twice, however many groups there are.
    """
    holders: dict[Hashable, list[int]] = {}
    for number, group in enumerate(groups):
        for each in group:
            holders.setdefault(key(each), []).append(number)
    seen: set[int] = set()
    for first in range(len(groups)):
        together: set[int] = set()
        waiting = [first]
        while waiting:
            number = waiting.pop()
            if number not in seen:
                seen.add(number)
                together.add(number)
                waiting += (other for each in groups[number] for other in holders.pop(key(each), ()))
        if together:
            yield [each for number in sorted(together) for each in groups[number]]
