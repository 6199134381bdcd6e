"""Asking for many things in few requests: several fields of up to 100 node ids in each. What can only be asked for
alone is asked for one after the other, and fails alone."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.clients.forges.github.connection.graphql import GraphAnswer, GraphError, Variables, in_parts
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble

Thing = TypeVar("Thing")
Shown = TypeVar("Shown")
MOST_IDS = 100
"""Of one `nodes` field; GitHub refuses more."""
STRIKES = 3
"""So many in a row, each asked for by itself, without an answer, and it is GitHub that gives none."""
MOST_FIELDS = 10
"""Of one request, where GitHub does not ask for less."""


@dataclass(frozen=True, slots=True)
class NodesField:
    """What one field asks for; `selection` is the fragment for each of the ids."""

    ids: tuple[str, ...]
    selection: str


def nodes_fields(ids: Sequence[str], selection: str, most: int = MOST_IDS) -> list[NodesField]:
    return [NodesField(tuple(part), selection) for part in in_parts(list(dict.fromkeys(ids)), most)]


@dataclass(frozen=True, slots=True)
class NodesShown:
    """What is there of all that was asked for, by the ids that it was asked by: GitHub may show others for these.

    `denied` are those of which not all could be seen, for want of a right or of an answer, each with why; they are
    in no row.
    """

    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    denied: dict[str, Failure] = field(default_factory=dict)


@dataclass(slots=True)
class Bulk:
    """Halves its requests where one is too heavy for GitHub, and takes a field more again with each that is not."""

    transport: Transport
    fields: int = MOST_FIELDS

    async def ask(self, name: str, parts: Sequence[NodesField]) -> NodesShown:
        """Asks for all parts; `name` is what the query is called. One that is not shown hides no other.

        Raises `Failure` where no answer comes at all.
        """
        nodes = NodesShown()
        waiting, strikes = list(parts), 0
        while waiting:
            batch, rest = waiting[: self.fields], waiting[self.fields :]
            graph = await self._ask_batch(name, batch)
            if isinstance(graph, Failure) and _is_one(batch):
                strikes += 1
                if strikes >= STRIKES or not (rest or nodes.rows):
                    raise graph
                nodes.denied[batch[0].ids[0]] = graph
                waiting = rest
                continue
            if isinstance(graph, Failure):
                self.fields = max(len(batch) // 2, 1)
                waiting = [*(_halves(batch[0]) if len(batch) == 1 else batch), *rest]
                continue
            strikes = 0
            self.fields = min(self.fields + 1, MOST_FIELDS)
            with shaped("list of nodes"):
                _add(nodes, graph, batch)
            waiting = rest
        return nodes

    async def _ask_batch(self, name: str, parts: Sequence[NodesField]) -> GraphAnswer | Failure:
        """The answer, or why there is none where it may have been more than GitHub answers at once."""
        variables = Variables()
        fields = " ".join(
            f"n{number}: nodes(ids: {variables.add(f'n{number}', '[ID!]!', list(part.ids))}) {{ {part.selection} }}"
            for number, part in enumerate(parts)
        )
        try:
            graph = await self.transport.query(f"query {name}{variables.declared} {{ {fields} }}", variables.values)
        except Failure as failure:
            if failure.status in (502, 504):
                return failure
            raise
        if graph.is_too_heavy:
            return Failure(Trouble.UNREACHABLE, graph.errors[0].message, where=graph.place)
        for error in graph.errors:
            if error.kind != "NOT_FOUND" and _denied_id(error, parts) is None:
                raise error.failure(graph.place)
        return graph


def _is_one(parts: Sequence[NodesField]) -> bool:
    return len(parts) == 1 and len(parts[0].ids) == 1


def _halves(part: NodesField) -> list[NodesField]:
    middle = (len(part.ids) + 1) // 2
    return [NodesField(ids, part.selection) for ids in (part.ids[:middle], part.ids[middle:]) if ids]


def _add(nodes: NodesShown, graph: GraphAnswer, parts: Sequence[NodesField]) -> None:
    """Adds what an answer shows of each id, in whose order GitHub answers, and which of them it denies."""
    for error in graph.errors:
        if error.kind != "NOT_FOUND" and (denied := _denied_id(error, parts)) is not None:
            nodes.denied.setdefault(denied, error.failure(graph.place))
    for number, part in enumerate(parts):
        for node_id, row in zip(part.ids, graph.data.get(f"n{number}") or (), strict=False):
            if isinstance(row, Mapping) and "id" in row and node_id not in nodes.denied:
                nodes.rows[node_id] = row


def _denied_id(error: GraphError, parts: Sequence[NodesField]) -> str | None:
    """The node that an error keeps from being seen; None where it is about none, or about something else."""
    if len(error.path) < 2:
        return None
    field_name, place = error.path[:2]
    number = str(field_name).removeprefix("n")
    if not (number.isdecimal() and int(number) < len(parts) and isinstance(place, int)):
        return None
    ids = parts[int(number)].ids
    return ids[place] if place < len(ids) else None


async def one_by_one(
    things: Mapping[str, Thing], ask: Callable[[Thing], Awaitable[Shown]]
) -> dict[str, Shown | Failure]:
    """What is shown of each thing, by its node id, or why it is not shown.

    Once GitHub asks for a pause, or gives no answer again and again, it is asked no further: that is then why the
    rest is not shown.
    """
    results: dict[str, Shown | Failure] = {}
    stopped: Failure | None = None
    strikes = 0
    for node_id, thing in things.items():
        if stopped is not None:
            results[node_id] = stopped
            continue
        try:
            results[node_id] = await ask(thing)
            strikes = 0
        except Failure as failure:
            results[node_id] = failure
            strikes = strikes + 1 if failure.trouble is Trouble.UNREACHABLE else 0
            if failure.pauses_host or strikes >= STRIKES:
                stopped = failure
    return results
