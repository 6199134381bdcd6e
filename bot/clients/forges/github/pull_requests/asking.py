"""How a repository is named in a GraphQL query, and which errors of an answer are none."""

from collections.abc import Collection

from bot.clients.forges.github.connection.graphql import GraphAnswer, Variables
from bot.domain.repositories.repository import Identity


def check_answer(graph: GraphAnswer, forgiving: Collection[str] = ()) -> None:
    """Raises a `Failure` for the first error that keeps an answer from being whole.

    What is not there is null, and no such error. A field in `forgiving` may not be for the bot to see.
    """
    for error in graph.errors:
        if error.kind != "NOT_FOUND" and set(forgiving).isdisjoint(map(str, error.path)):
            raise error.failure(graph.place)


def repository_field(repository: Identity, variables: Variables, suffix: str = "") -> str:
    """Names a repository by its node id, else by owner and name; adds the variables for that, with `suffix`."""
    if repository.node_id is not None:
        return f"node(id: {variables.add(f'id{suffix}', 'ID!', repository.node_id)})"
    owner, _, name = repository.name.partition("/")
    whose, called = (
        variables.add(f"{key}{suffix}", "String!", each) for key, each in (("owner", owner), ("name", name))
    )
    return f"repository(owner: {whose}, name: {called})"
