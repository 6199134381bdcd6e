"""Asking for many things in few requests: several fields of up to 100 node ids in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.clients.forges.github.connection.graphql import GraphAnswer, Variables, in_parts
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.failure import Failure, Trouble

MOST_IDS = 100
"""Of one `nodes` field; GitHub refuses more."""
MOST_FIELDS = 10
"""Of one request, where GitHub does not ask for less."""


@dataclass(frozen=True, slots=True)
class NodesField:
    """What one field asks for; `selection` is the fragment for each of the ids."""

    ids: tuple[str, ...]
    selection: str


def nodes_fields(ids: Sequence[str], selection: str, most: int = MOST_IDS) -> list[NodesField]:
    return [NodesField(tuple(part), selection) for part in in_parts(list(dict.fromkeys(ids)), most)]


@dataclass(slots=True)
class Bulk:
    """Halves its requests where one is too heavy for GitHub, and takes a field more again with each that is not."""

    transport: Transport
    fields: int = MOST_FIELDS

    async def rows(self, name: str, parts: Sequence[NodesField]) -> list[Mapping[str, Any]]:
        """What is there of all that the parts ask for; `name` is what the query is called."""
        found: list[Mapping[str, Any]] = []
        waiting = list(parts)
        while waiting:
            asked, rest = waiting[: self.fields], waiting[self.fields :]
            graph = await self._asked(name, asked)
            if graph is None:
                self.fields = max(len(asked) // 2, 1)
                waiting = [*(_halves(asked[0]) if len(asked) == 1 else asked), *rest]
                continue
            self.fields = min(self.fields + 1, MOST_FIELDS)
            with shaped("list of nodes"):
                found += _rows(graph, len(asked))
            waiting = rest
        return found

    async def _asked(self, name: str, parts: Sequence[NodesField]) -> GraphAnswer | None:
        """None where it was more than GitHub answers at once."""
        variables = Variables()
        fields = " ".join(
            f"n{number}: nodes(ids: {variables.add(f'n{number}', '[ID!]!', list(part.ids))}) {{ {part.selection} }}"
            for number, part in enumerate(parts)
        )
        try:
            graph = await self.transport.query(f"query {name}{variables.declared} {{ {fields} }}", variables.values)
        except Failure as failure:
            if failure.status in (502, 504) and (len(parts) > 1 or len(parts[0].ids) > 1):
                return None
            raise
        if graph.is_too_heavy:
            if len(parts) == 1 and len(parts[0].ids) == 1:
                raise Failure(Trouble.UNREACHABLE, graph.errors[0].message, where=graph.where)
            return None
        for error in graph.errors:
            if error.kind != "NOT_FOUND":
                raise error.failure(graph.where)
        return graph


def _halves(part: NodesField) -> list[NodesField]:
    middle = (len(part.ids) + 1) // 2
    return [NodesField(ids, part.selection) for ids in (part.ids[:middle], part.ids[middle:]) if ids]


def _rows(graph: GraphAnswer, fields: int) -> list[Mapping[str, Any]]:
    rows = [row for number in range(fields) for row in graph.data.get(f"n{number}") or ()]
    return [row for row in rows if isinstance(row, Mapping) and "id" in row]
