"""GraphQL in the place of the network: answers in their order, and what was asked."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bot.clients.forges.github.connection.graphql import GraphAnswer, graphql_answer
from bot.domain.failure import Failure


class Graphs:
    """Answers each query and mutation with the next of `answers`, the last one again and again."""

    def __init__(self, answers: list[Any | Failure | Callable[[Mapping[str, Any]], Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.read_paths: list[str] = []
        self.bodies: dict[str, Any] = {}

    async def query(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        self.asked.append((document, variables))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if callable(answer):
            answer = answer(variables)
        if isinstance(answer, Failure):
            raise answer
        return graphql_answer(answer, "POST github/graphql")

    mutate = query

    async def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        self.read_paths.append(path)
        return self.bodies[path]


@pytest.fixture
def graphs() -> Callable[..., Graphs]:
    return lambda *answers: Graphs(list(answers))
