"""What is asked about together is served by the same forge and by the same builder."""

from typing import Any, NamedTuple, cast

from bot.domain.builder.port import Builder
from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import Identity, named_at_its_forge
from bot.fleet.follow.together import served_together

_PIPELINE = "azure-pipelines: contoso/shop/"


class Item(NamedTuple):
    id: int
    home: Identity


class Port:
    """Serves each owner of a place by an object of that owner's own."""

    def __init__(self) -> None:
        self.serves = dict[tuple[str, str], object]()

    async def serving(self, repository: Identity) -> Any:
        return self.serves.setdefault(repository.owner, object())


def built_by_pipeline(number: int, name: str) -> Item:
    return Item(number, named_at_its_forge(name).for_builds(f"{_PIPELINE}{number}"))


async def test_two_forges_whose_repositories_one_builder_builds_are_asked_apart() -> None:
    items = [built_by_pipeline(1, "contoso/reports-api"), built_by_pipeline(2, "contoso/shop/billing-api")]
    forge, builder = Port(), Port()
    groups = await served_together(items, lambda item: item.home, cast(Forge, forge), cast(Builder, builder))
    assert [[item.id for item in group.items] for group in groups] == [[1], [2]]
    assert [group.forge for group in groups] == [
        forge.serves["github", "contoso"],
        forge.serves["azure-devops", "contoso"],
    ]
