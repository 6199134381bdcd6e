"""A fleet played in steps: bases move, builds take their time, and whatever may act does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.domain.images.named_bases import hash_of_parents
from bot.domain.reference import Base
from bot.fleet.plan.cascade.decisions import Cascade, Due, RebuildProgress
from bot.fleet.plan.cascade.frontier import JOIN_TIMEOUT, decide_frontier
from bot.fleet.plan.cascade.graph import Graph, Image, Link, graph_of
from bot.fleet.plan.cascade.shown import Shown, Together

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=1)


def own(number: int) -> Base:
    return Base("ghcr.io", f"contoso/image-{number}", "latest")


def image(number: int, repository: int | None = None) -> Image:
    """An image of the repository with the same number, unless it is named."""
    return Image(number if repository is None else repository, own(number).name)


def link(number: int, child: int, parent: int) -> Link:
    return Link(number, image(child), image(parent), own(parent))


def upstream(number: int) -> Base:
    return Base("mcr.microsoft.com", f"dotnet/base-{number}", "10.0")


def ancestors(graph: Graph, child: Image) -> frozenset[Image]:
    """All images that it stands on, directly or not."""
    parents = [link.parent for link in graph.of(child)]
    return frozenset(parents).union(*(ancestors(graph, each) for each in parents))


Standing = frozenset[tuple[Base, str]]
"""What an image is built on: each base with the content that it had."""


@dataclass(slots=True)
class Run:
    """Builds all images of a repository from what their parents showed when it began; it ends at `ends`."""

    targets: frozenset[Base]
    standing: Mapping[int, Standing]
    ends: int


@dataclass(slots=True)
class Fleet:
    """`parents` are the images that each image names, `roots` the upstream bases, `repository` who builds it.
    `took` is how many steps each repository's builds take; those of `broken` fail.

    Where `in_one_go`, a build makes the images of its repository one upon the other; else all at once, each from
    what the registry shows. Where `noisy`, no two builds have the same layers.
    """

    parents: Mapping[int, Sequence[int]]
    roots: Mapping[int, Sequence[int]]
    took: Mapping[int, int]
    broken: frozenset[int] = frozenset()
    severe: bool = False
    repository: Mapping[int, int] = field(default_factory=dict)
    in_one_go: bool = True
    noisy: bool = False
    step: int = 0
    graph: Graph = field(init=False)
    contents: dict[Base, str] = field(default_factory=dict)
    stands_on: dict[int, Standing] = field(default_factory=dict)
    due: dict[int, frozenset[Base]] = field(default_factory=dict)
    """By repository, the bases that its rebuild is for."""
    since: dict[int, datetime] = field(default_factory=dict)
    failed: dict[int, frozenset[Base]] = field(default_factory=dict)
    under_way: dict[int, Run] = field(default_factory=dict)
    ahead: set[int] = field(default_factory=set)
    runs: list[int] = field(default_factory=list)
    served: list[tuple[int, str]] = field(default_factory=list)
    """Images that a rebuild was for, with what they were to stand on, where nothing was to be waited for."""
    early: list[int] = field(default_factory=list)
    """Repositories whose build began though all that it was for stood on something still to be rebuilt."""

    def __post_init__(self) -> None:
        links = [(child, parent) for child, parents in self.parents.items() for parent in parents]
        self.graph = graph_of(
            Link(number, self.node(child), self.node(parent), own(parent))
            for number, (child, parent) in enumerate(links)
        )
        for number in self.parents:
            self.stands_on[number] = self.shows(number)
            self.contents[own(number)] = hash_of_parents(
                {base: {"": text} for base, text in self.stands_on[number]}
            )

    @property
    def now(self) -> datetime:
        return NOON + self.step * STEP

    def home(self, number: int) -> int:
        return self.repository.get(number, number)

    def node(self, number: int) -> Image:
        return image(number, self.home(number))

    def numbers(self, images: Iterable[Image]) -> set[int]:
        return {number for number in self.parents if self.node(number) in images}

    def bases(self, number: int) -> frozenset[Base]:
        return frozenset([*map(own, self.parents[number]), *map(upstream, self.roots.get(number, ()))])

    def shows(self, number: int) -> Standing:
        return frozenset((base, self.contents.get(base, "0")) for base in self.bases(number))

    def wants(self, number: int) -> str:
        return hash_of_parents({base: {"": text} for base, text in self.shows(number)})

    def move(self, root: int) -> None:
        base = upstream(root)
        self._moved(base, str(int(self.contents.get(base, "0")) + 1))

    def _moved(self, base: Base, content: str) -> None:
        before = self.contents.get(base, "0")
        self.contents[base] = content
        brings = content.partition("#")[0] != before.partition("#")[0]
        for number in self.parents:
            counts = brings or (self.node(number), base) not in self.graph.only_brought
            if base in self.bases(number) and content != before and counts:
                home = self.home(number)
                self.due[home] = self.due.get(home, frozenset()) | {base}
                self.since.setdefault(home, self.now)
                self.failed.pop(home, None)

    def images_for(self, home: int, targets: frozenset[Base]) -> frozenset[Image]:
        mine = (number for number in self.parents if self.home(number) == home)
        return frozenset(self.node(number) for number in mine if self.bases(number) & targets)

    def progress(self) -> dict[Image, RebuildProgress]:
        found: dict[Image, RebuildProgress] = {}
        for progress, some in (
            (RebuildProgress.FAILED, self.failed),
            (RebuildProgress.UNDER_WAY, {home: run.targets for home, run in self.under_way.items()}),
            (RebuildProgress.DUE, self.due),
        ):
            for home, targets in some.items():
                found |= dict.fromkeys(self.images_for(home, targets), progress)
        return found

    def dues(self) -> dict[int, Due]:
        """By repository: each has one rebuild that is due at most."""
        return {
            home: Due(
                home,
                self.images_for(home, targets),
                self.since[home],
                self.severe,
                home in self.ahead,
                self._together(home, targets),
            )
            for home, targets in self.due.items()
            if home not in self.under_way
        }

    def _together(self, home: int, targets: frozenset[Base]) -> Together | None:
        if not targets <= {own(number) for number in self.parents if self.home(number) == home}:
            return None
        concerned = self.numbers(self.images_for(home, targets))
        is_done = all(
            (base, self.contents[base]) in self.stands_on[number]
            for number in concerned
            for base in targets & self.bases(number)
        )
        return Together.YES if is_done else Together.NO

    def decided(self) -> Cascade:
        links = [link for each in self.graph.parents.values() for link in each]
        shown = {(link.child, link.base): Shown.PROVED for link in links}
        return decide_frontier(self.graph, self.progress(), self.dues(), shown, self.now)

    def play(self) -> Cascade:
        """One step: what has been built shows, then whatever may act begins."""
        for home, run in list(self.under_way.items()):
            if run.ends <= self.step:
                del self.under_way[home]
                self._end(home, run)
        found = self.decided()
        progress = self.progress()
        for home in found.made_before:
            self._forget(home)
        for home, passed in found.frontier.items():
            self._begin(home, progress, is_ahead=passed.is_ahead)
        self.step += 1
        return found

    def _begin(self, home: int, progress: Mapping[Image, RebuildProgress], *, is_ahead: bool) -> None:
        targets = self.due[home]
        concerned = self.images_for(home, targets)
        ready = {each for each in concerned if not ancestors(self.graph, each) & progress.keys()}
        if not ready:
            self.early.append(home)
        if home not in self.graph.turning and len(ready) < len(concerned):
            self.early.append(home)
        if is_ahead:
            self.ahead.add(home)
        standing: dict[int, Standing] = {}
        for number in sorted(number for number in self.parents if self.home(number) == home):
            standing[number] = frozenset(
                (base, self._made(standing, base) or text) for base, text in self.shows(number)
            )
        self.served += [
            (number, self.wants(number)) for number in self.numbers(ready if not is_ahead else concerned)
        ]
        self.runs.append(home)
        self.under_way[home] = Run(targets, standing, self.step + self.took[home])
        self._forget(home)

    def _made(self, standing: Mapping[int, Standing], base: Base) -> str | None:
        """What the same build has made of a base before."""
        made = next((number for number in standing if own(number) == base), None)
        return self._content(standing[made]) if made is not None and self.in_one_go else None

    def _content(self, standing: Standing) -> str:
        nonce = f"#{len(self.runs)}" if self.noisy else ""
        return hash_of_parents({base: {"": text.partition("#")[0]} for base, text in standing}) + nonce

    def _forget(self, home: int) -> None:
        del self.due[home], self.since[home]

    def _end(self, home: int, run: Run) -> None:
        if home in self.broken:
            self.failed[home] = run.targets
            return
        self.failed.pop(home, None)
        self.stands_on |= run.standing
        for number, standing in run.standing.items():
            self._moved(own(number), self._content(standing))

    def play_to_the_end(self, most: int = 500) -> None:
        for _ in range(most):
            found = self.play()
            if not self.under_way and not found.frontier and not found.waits and not found.made_before:
                return
        raise AssertionError("it never comes to rest")

    @property
    def timeout(self) -> int:
        """In steps."""
        return int(JOIN_TIMEOUT / STEP)

    def is_proven(self, number: int) -> bool:
        """Whether an image stands on what all of its parents show now."""
        return _contents(self.stands_on[number]) == _contents(self.shows(number))


def _contents(standing: Standing) -> frozenset[tuple[Base, str]]:
    return frozenset((base, text.partition("#")[0]) for base, text in standing)
