"""A fleet played in steps: bases move, builds take their time, and whatever may act does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain.images.wanted import wanted
from bot.domain.reference import Base
from bot.plan.cascade.frontier import JOIN_TIMEOUT, Cascade, Member, Progress, Shown, decide
from bot.plan.cascade.graph import Graph, Link, graph_of

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=1)


def own(number: int) -> Base:
    return Base("ghcr.io", f"contoso/image-{number}", "latest")


def upstream(number: int) -> Base:
    return Base("mcr.microsoft.com", f"dotnet/base-{number}", "10.0")


@dataclass(slots=True)
class Build:
    """Under way since it took what its parents showed; it ends at `ends`."""

    takes: str
    standing: frozenset[tuple[Base, int]]
    ends: int


@dataclass(slots=True)
class Fleet:
    """`parents` are the images that each member names, `roots` the upstream bases. `took` is how many steps each
    member's builds take; members of `broken` fail. An image's version counts its builds."""

    parents: Mapping[int, Sequence[int]]
    roots: Mapping[int, Sequence[int]]
    took: Mapping[int, int]
    broken: frozenset[int] = frozenset()
    severe: bool = False
    step: int = 0
    graph: Graph = field(init=False)
    versions: dict[Base, int] = field(default_factory=dict)
    built_on: dict[int, str] = field(default_factory=dict)
    stands_on: dict[int, frozenset[tuple[Base, int]]] = field(default_factory=dict)
    since: dict[int, datetime] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    under_way: dict[int, Build] = field(default_factory=dict)
    ahead: set[int] = field(default_factory=set)
    begun: list[tuple[int, str]] = field(default_factory=list)
    early: list[int] = field(default_factory=list)
    """Members that began while an ancestor of theirs was still to be rebuilt."""

    def __post_init__(self) -> None:
        links = [(child, parent) for child, parents in self.parents.items() for parent in parents]
        self.graph = graph_of(Link(number, *pair, own(pair[1])) for number, pair in enumerate(links))
        for member in self.parents:
            self.built_on[member], self.stands_on[member] = self.wants(member), self.shows(member)

    @property
    def now(self) -> datetime:
        return NOON + self.step * STEP

    def shows(self, member: int) -> frozenset[tuple[Base, int]]:
        bases = [*map(own, self.parents[member]), *map(upstream, self.roots.get(member, ()))]
        return frozenset((base, self.versions.get(base, 0)) for base in bases)

    def wants(self, member: int) -> str:
        return wanted({base: {"linux/amd64": str(version)} for base, version in self.shows(member)})

    def move(self, root: int) -> None:
        self.versions[upstream(root)] = self.versions.get(upstream(root), 0) + 1

    def members(self) -> dict[int, Member]:
        return {number: self._member(number) for number in self.parents}

    def _member(self, number: int) -> Member:
        if number in self.under_way:
            return Member(Progress.UNDER_WAY)
        if self.built_on[number] == self.wants(number):
            self.since.pop(number, None)
            return Member()
        if number in self.failed:
            return Member(Progress.FAILED)
        since = self.since.setdefault(number, self.now)
        return Member(Progress.DUE, since, self.severe, number in self.ahead)

    def decided(self) -> Cascade:
        links = [link for each in self.graph.parents.values() for link in each]
        shown = {(link.child, link.base): Shown.PROVED for link in links}
        return decide(self.graph, self.members(), shown, self.now)

    def play(self) -> Cascade:
        """One step: what has been built shows, then whatever may act begins."""
        for number, build in list(self.under_way.items()):
            if build.ends <= self.step:
                del self.under_way[number]
                if number in self.broken:
                    self.failed.add(number)
                    continue
                self.built_on[number], self.stands_on[number] = build.takes, build.standing
                self.versions[own(number)] = self.versions.get(own(number), 0) + 1
        found = self.decided()
        pending = {number for number, member in self.members().items() if member.progress is not Progress.SETTLED}
        for number, passed in found.frontier.items():
            if pending & self.graph.ancestors(number):
                self.early.append(number)
            if passed.is_ahead:
                self.ahead.add(number)
            wants = self.wants(number)
            self.under_way[number] = Build(wants, self.shows(number), self.step + self.took[number])
            self.begun.append((number, wants))
        self.step += 1
        return found

    def play_to_the_end(self, most: int = 500) -> None:
        for _ in range(most):
            found = self.play()
            if not self.under_way and not found.frontier and not found.waits:
                return
        raise AssertionError("it never comes to rest")

    @property
    def timeout(self) -> int:
        """In steps."""
        return int(JOIN_TIMEOUT / STEP)

    def is_proven(self, number: int) -> bool:
        """Whether its image stands on what all of its parents show now."""
        return self.stands_on[number] == self.shows(number)
