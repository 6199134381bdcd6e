"""Items are asked about together with those of all owners whom the same forge and builder serve."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from bot.domain.builder.port import Builder
from bot.domain.failure import Failure
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity


class _Row(Protocol):
    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=_Row)
Answer = TypeVar("Answer")


@dataclass(slots=True)
class ServedTogether(Generic[Item]):
    """Items with what serves the owners of them all."""

    forge: Forge
    builder: Builder
    items: list[Item] = field(default_factory=list)


async def ask_together(
    items: Sequence[Item],
    home: Callable[[Item], Identity],
    forge: Forge,
    builder: Builder,
    ask: Callable[[ServedTogether[Item]], Awaitable[Answer]],
) -> dict[int, Answer | Failure]:
    """Asks about each group at once; returns, by an item's id, the answer for its group or the failure that it met.

    Raises `Failure` where there is but one group, and it met one.
    """
    answers = dict[int, Answer | Failure]()
    groups = await served_together(items, home, forge, builder)
    for group in groups:
        answer: Answer | Failure
        try:
            answer = await ask(group)
        except Failure as failure:
            if len(groups) == 1:
                raise
            answer = failure
        answers |= dict.fromkeys((item.id for item in group.items), answer)
    return answers


def answer_of(answer: Answer | Failure) -> Answer:
    """Returns an answer that was asked for together with others. Raises it where it is a `Failure`."""
    if isinstance(answer, Failure):
        raise answer
    return answer


async def served_together(
    items: Sequence[Item], home: Callable[[Item], Identity], forge: Forge, builder: Builder
) -> list[ServedTogether[Item]]:
    """Groups items by what serves the owners of their repositories, at the forge and at the builder: `home` tells a
    repository as what builds it is asked about it. Raises `Failure`."""
    served = dict[tuple[tuple[str, str], tuple[str, str]], ServedTogether[Item]]()
    groups = dict[tuple[int, int], ServedTogether[Item]]()
    for item in items:
        owners = home(item).for_forge.owner, home(item).owner
        if owners not in served:
            own_forge = await forge.serving(home(item).for_forge)
            own_builder = await builder.serving(home(item))
            group = ServedTogether[Item](own_forge, own_builder)
            served[owners] = groups.setdefault((id(own_forge), id(own_builder)), group)
        served[owners].items.append(item)
    return list(groups.values())
