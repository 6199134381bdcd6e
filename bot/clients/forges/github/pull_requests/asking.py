"""How a repository is named in a GraphQL query, and which errors of an answer are none."""

from collections.abc import Collection
from typing import Any

from bot.clients.forges.github.connection.graphql import GraphAnswer
from bot.domain.repositories.repository import Identity


def check_answer(graph: GraphAnswer, forgiving: Collection[str] = ()) -> None:
    """Raises a `Failure` for the first error that keeps an answer from being whole.

    What is not there is null, and no such error. A field in `forgiving` may not be for the bot to see.
    """
    for error in graph.errors:
        if error.kind != "NOT_FOUND" and set(forgiving).isdisjoint(map(str, error.path)):
            raise error.failure(graph.where)


def repository_field(repository: Identity, suffix: str, variables: dict[str, Any], kinds: dict[str, str]) -> str:
    """Names a repository by its node id, else by owner and name; adds the variables for that, with `suffix`."""
    if repository.node_id is not None:
        variables[f"id{suffix}"], kinds[f"id{suffix}"] = repository.node_id, "ID!"
        return f"node(id: $id{suffix})"
    owner, _, name = repository.name.partition("/")
    variables |= {f"owner{suffix}": owner, f"name{suffix}": name}
    kinds |= {f"owner{suffix}": "String!", f"name{suffix}": "String!"}
    return f"repository(owner: $owner{suffix}, name: $name{suffix})"
