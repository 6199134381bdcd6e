"""One tick: rebuilds whose parents are ready are let go, the others are told what they wait for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.domain.bases.mirrors import Behind
from bot.domain.clock import Clock
from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.fleet.plan.cascade.decisions import Cascade, Due, RebuildProgress
from bot.fleet.plan.cascade.frontier import JOIN_TIMEOUT, decide_frontier
from bot.fleet.plan.cascade.graph import Graph, Image, Link, graph_of
from bot.fleet.plan.cascade.shown import LastBuild, Shown, Stood, shown_of


@dataclass(frozen=True, slots=True)
class CascadeInput:
    """What the store knows of own bases and of what stands on them.

    `names` are those of repositories, `progress` is how far each image's rebuild is, `dues` the rebuilds that have
    not begun, and `held_rebuilds` those of them that wait for their parents. `bases_of` are the bases that each
    parent follows, `digests` what bases show now and `moved` since when. `is_settled` is False while a base has
    moved of which no plan was made yet: what is to be rebuilt is not known then.
    """

    releases: int
    links: tuple[Link, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    progress: Mapping[Image, RebuildProgress] = field(default_factory=dict)
    dues: Mapping[int, Due] = field(default_factory=dict)
    held_rebuilds: frozenset[int] = frozenset()
    builds: Mapping[Image, LastBuild] = field(default_factory=dict)
    bases_of: Mapping[Image, frozenset[Base]] = field(default_factory=dict)
    digests: Mapping[Base, str | None] = field(default_factory=dict)
    moved: Mapping[Base, datetime | None] = field(default_factory=dict)
    is_settled: bool = True
    behind: Mapping[int, tuple[Behind, ...]] = field(default_factory=dict)
    """By who builds on them, the bases in mirrors that do not show yet what upstream does."""
    gated: frozenset[Image] = frozenset()
    """The images that the gate holds back."""
    beginnings: Mapping[Image, datetime] = field(default_factory=dict)
    """When the rebuild of an image was let go, or may be at the earliest."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What one tick has decided, with the fleet and the graph that it was decided from."""

    fleet: CascadeInput
    graph: Graph
    cascade: Cascade


class CascadeStore(Protocol):
    """What the cascade asks of the store."""

    async def fleet(self) -> CascadeInput | None:
        """Reads own bases and who stands on them; None where nothing has changed that a decision hangs on, and
        nobody waits."""
        ...

    async def save(self, decision: Decided) -> int:
        """Stores the decision in one transaction, and returns how many rebuilds were let go.

        Raises `LeaseLost` where somebody let rebuilds begin, or kept them from it, since the fleet was read.
        """
        ...


class Layers(Protocol):
    """Registries, as far as layers tell what own bases stand on."""

    async def stood(self, bases_below: Mapping[Base, Collection[Base]]) -> Mapping[Base, Stood]:
        """What the layers of own bases tell of the bases that each may stand on; those that layers tell of."""
        ...


@dataclass(frozen=True, slots=True)
class CascadeTally:
    """How many rebuilds were let go, wait for parents or cannot go, and how many circles of images were cut."""

    let_go: int = 0
    waiting: int = 0
    blocked: int = 0
    cycles: int = 0


async def tick(
    store: CascadeStore, layers: Layers, clock: Clock, join_timeout: timedelta = JOIN_TIMEOUT
) -> CascadeTally:
    """Lets rebuilds go whose parents are ready; cheap where nothing has changed, and nothing is kept but what the
    store has."""
    fleet = await store.fleet()
    if fleet is None:
        return CascadeTally()
    graph = graph_of(fleet.links)
    shown_by_link = await _shown_by_link(fleet, graph, layers)
    cascade = decide_frontier(
        *(graph, fleet.progress, fleet.dues, shown_by_link, clock.now(), join_timeout),
        *(fleet.behind, fleet.gated, fleet.beginnings),
    )
    try:
        let_go = await store.save(Decided(fleet, graph, cascade))
    except LeaseLost:
        return CascadeTally()
    return CascadeTally(let_go, len(cascade.waits), len(cascade.blocks), len(graph.cycles))


async def _shown_by_link(fleet: CascadeInput, graph: Graph, layers: Layers) -> Mapping[tuple[Image, Base], Shown]:
    """Asked only for the parents of those who wait that have nothing to do themselves."""
    homes = {fleet.dues[number].repository for number in fleet.held_rebuilds if number in fleet.dues}
    links = [
        link
        for home in homes
        for child in graph.images_of.get(home, ())
        for link in graph.of(child)
        if fleet.progress.get(link.parent, RebuildProgress.SETTLED) is RebuildProgress.SETTLED
    ]
    bases_below = {link.base: fleet.bases_of.get(link.parent, frozenset()) for link in links}
    stood_by_base = await layers.stood(bases_below) if bases_below else {}
    return {
        (link.child, link.base): shown_of(
            fleet.moved.get(link.base), fleet.builds.get(link.parent), fleet.digests, stood_by_base.get(link.base)
        )
        for link in links
    }
