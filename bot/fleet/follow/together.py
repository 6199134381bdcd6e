"""Which items can be asked about at once: those of owners whom the same forge and builder serve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.domain.builder.port import Builder
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity

Item = TypeVar("Item")


@dataclass(slots=True)
class ServedTogether(Generic[Item]):
    """Items with what serves the owners of them all."""

    forge: Forge
    builder: Builder
    items: list[Item] = field(default_factory=list)


async def served_together(
    items: Sequence[Item], home: Callable[[Item], Identity], forge: Forge, builder: Builder
) -> list[ServedTogether[Item]]:
    """Groups items by what serves the owners of their repositories, which `home` tells as what builds them is asked
    about them. Raises `Failure`."""
    served = dict[tuple[str, str], ServedTogether[Item]]()
    groups = dict[tuple[int, int], ServedTogether[Item]]()
    for item in items:
        owner = home(item).owner
        if owner not in served:
            own_forge = await forge.serving(home(item).for_forge)
            own_builder = await builder.serving(home(item))
            group = ServedTogether[Item](own_forge, own_builder)
            served[owner] = groups.setdefault((id(own_forge), id(own_builder)), group)
        served[owner].items.append(item)
    return list(groups.values())
