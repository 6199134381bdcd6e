"""Several GraphQL mutations sent as one request.

GitHub runs them one after another, and goes on after one that failed; none is rolled back. So what must not happen
after a failure is either impossible then (no pull request without commits), or harmless.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.clients.forges.github.connection.graphql import GraphAnswer, Variables
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.pull_requests.pull_request import PULL_REQUEST
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import PullRequest
from bot.domain.repositories.repository import Identity


@dataclass(slots=True)
class Mutations:
    """Mutations in the order in which they are to run, with their variables."""

    fields: list[str] = field(default_factory=list)
    _variables: Variables = field(default_factory=Variables)

    def add(
        self, alias: str, mutation: str, arguments: Mapping[str, Any], selection: str = "clientMutationId"
    ) -> None:
        variable = self._variables.add(alias, f"{mutation[0].upper()}{mutation[1:]}Input!", arguments)
        self.fields.append(f"{alias}: {mutation}(input: {variable}) {{ {selection} }}")

    async def send(self, transport: Transport) -> GraphAnswer:
        text = f"mutation change{self._variables.declared} {{ {' '.join(self.fields)} }}"
        uses_pull = any("...pull" in each for each in self.fields)
        return await transport.mutate(text + (PULL_REQUEST if uses_pull else ""), self._variables.values)

    def has(self, alias: str) -> bool:
        return alias in self._variables.values


def pull_request_node(repository: Identity, request: PullRequest) -> str:
    if request.node_id is None:
        raise Failure(Trouble.MALFORMED, f"#{request.number} has no node id", where=repository.name)
    return request.node_id


def repository_node(repository: Identity) -> str:
    if repository.node_id is None:
        raise Failure(Trouble.MALFORMED, "the repository's node id is not known", where=repository.name)
    return repository.node_id
