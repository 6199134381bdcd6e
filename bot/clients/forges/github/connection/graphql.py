"""GraphQL: how a query names a repository and its variables; and answers: data that may lack parts, and for each
part that is missing the reason."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.clients.forges.github.connection.answers import refused
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity

_LIMIT = re.compile(r"rate limit|secondary rate|submitted too quickly|abuse detection", re.I)
_TOO_HEAVY = re.compile(r"resource limits|timeout|timed out|something went wrong", re.I)
_TROUBLES = {
    "NOT_FOUND": Trouble.MISSING,
    "FORBIDDEN": Trouble.DENIED,
    "INSUFFICIENT_SCOPES": Trouble.DENIED,
    "STALE_DATA": Trouble.CONFLICT,
    "UNPROCESSABLE": Trouble.CONFLICT,
    "MAX_NODE_LIMIT_EXCEEDED": Trouble.MALFORMED,
    "EXCESSIVE_PAGINATION": Trouble.MALFORMED,
}
"""By the type of an error. One of another type, or of none, is GitHub's own trouble: see `GraphError`."""
_ADVICE = {
    Trouble.MISSING: "check that it exists and that the credentials may see it",
    Trouble.DENIED: "grant contents, pull requests and actions: read and write",
    Trouble.UNREACHABLE: "the next pass tries again",
    Trouble.MALFORMED: "the bot has asked what GitHub does not know: report it as a defect of the bot",
}


@dataclass(frozen=True, slots=True)
class GraphError:
    """One error of an answer, in GitHub's words; `path` leads to the field that it is about.

    `is_of_the_query` where the query does not fit GitHub's schema, which an error's code tells.
    """

    kind: str
    message: str
    path: tuple[str | int, ...] = ()
    is_of_the_query: bool = False

    @property
    def is_a_limit(self) -> bool:
        return self.kind == "RATE_LIMITED" or _LIMIT.search(self.message) is not None

    @property
    def is_too_heavy(self) -> bool:
        """Whether the query asked for more at once than GitHub computes."""
        return self.kind == "RESOURCE_LIMITS_EXCEEDED" or _TOO_HEAVY.search(self.message) is not None

    @property
    def is_denial(self) -> bool:
        """Whether the credentials may not see or do what it is about."""
        return self.trouble is Trouble.DENIED

    @property
    def field(self) -> str:
        """The alias of the query or mutation that it is about."""
        return str(self.path[0]) if self.path else ""

    @property
    def trouble(self) -> Trouble:
        """GitHub tells its own incidents with 200 and an error without a type: those pass."""
        return Trouble.MALFORMED if self.is_of_the_query else _TROUBLES.get(self.kind, Trouble.UNREACHABLE)

    def failure(self, place: str) -> Failure:
        return refused(self.trouble, self.message[:300], place, _ADVICE.get(self.trouble, ""))


@dataclass(frozen=True, slots=True)
class GraphAnswer:
    """What GitHub's GraphQL has answered: data, and errors that may concern parts of it. `place` names the
    question."""

    data: Mapping[str, Any]
    errors: tuple[GraphError, ...]
    place: str

    def check(self, *, forgiving: Collection[str] = ()) -> None:
        """Raises the first error as a `Failure`, but for those about the fields in `forgiving`."""
        for error in self.errors:
            if error.field not in forgiving:
                raise error.failure(self.place)

    @property
    def is_too_heavy(self) -> bool:
        return any(error.is_too_heavy for error in self.errors)


def graphql_answer(body: Any, place: str) -> GraphAnswer:
    """Raises `Failure` where the body is no answer to GraphQL."""
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        raise Failure(
            Trouble.MALFORMED, "the answer is none of GraphQL", where=place, advice="check github.api_url"
        )
    data, errors = body.get("data"), body.get("errors")
    return GraphAnswer(
        data if isinstance(data, dict) else {},
        tuple(_error(row) for row in errors if isinstance(row, dict)) if isinstance(errors, list) else (),
        place,
    )


def _error(row: Mapping[str, Any]) -> GraphError:
    path, extensions = row.get("path"), row.get("extensions")
    return GraphError(
        str(row.get("type") or ""),
        str(row.get("message") or "an error without a message"),
        tuple(path) if isinstance(path, list) else (),
        is_of_the_query=isinstance(extensions, dict) and bool(extensions.get("code")) and not row.get("type"),
    )


@dataclass(slots=True)
class Variables:
    """The variables of a query or mutation: their values, and what GraphQL calls the kind of each."""

    values: dict[str, Any] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, kind: str, value: Any) -> str:
        """Adds one, and returns how a query names it."""
        self.values[name], self._kinds[name] = value, kind
        return f"${name}"

    @property
    def declared(self) -> str:
        """`($a: ID!, $b: String!)`, nothing where there are no variables."""
        return f"({', '.join(f'${name}: {kind}' for name, kind in self._kinds.items())})" if self._kinds else ""


def in_parts(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


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
