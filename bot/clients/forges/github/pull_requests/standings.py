"""Reads what many repositories say of themselves in one request."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.forges.github.connection.graphql import Variables, check_answer, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.looks import MOST_STANDINGS, OwnWord
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import GITHUB_PATH

_CANNOT_WRITE = ("READ", "TRIAGE")
"""Of a token's account; of an App there is no such word, and a refusal tells."""

STANDING = f"""
fragment standing on Repository {{
  id nameWithOwner isArchived isDisabled isLocked lockReason viewerPermission
  defaultBranchRef {{ name target {{ oid }} }}
  config: object(expression: "HEAD:{GITHUB_PATH}") {{ ... on Blob {{ text isTruncated }} }}
}}"""


async def standings(transport: Transport, repositories: Sequence[Identity]) -> dict[Identity, OwnWord]:
    """Asks by node id in one request; those without one (never listed) by name along with them.

    The first is the one that is asked for: of the others, those that are not shown, whyever, are left out.
    """
    if len(repositories) > MOST_STANDINGS:
        raise ValueError(f"{len(repositories)} repositories to one look, {MOST_STANDINGS} at most")
    variables = Variables()
    fields = " ".join(
        f"r{number}: {repository_field(repository, variables, f'_{number}')} {{ ...standing }}"
        for number, repository in enumerate(repositories)
    )
    graph = await transport.query(f"query standings{variables.declared} {{ {fields} }}{STANDING}", variables.values)
    hidden = {error.field for error in graph.errors if error.field} - {"r0"}
    check_answer(graph, forgiving=hidden)
    own_words = {}
    for number, repository in enumerate(repositories):
        if f"r{number}" not in hidden and (row := graph.data.get(f"r{number}")) is not None:
            with shaped("repository"):
                own_words[repository] = own_word_of(row, repository)
    return own_words


async def current_name(transport: Transport, node_id: str) -> str:
    """What a repository is called now. Raises `Failure` where it is gone."""
    graph = await transport.query(
        "query name($id: ID!) { found: node(id: $id) { ... on Repository { nameWithOwner } } }", {"id": node_id}
    )
    graph.check()
    with shaped("repository"):
        return str(graph.data["found"]["nameWithOwner"])


def own_word_of(row: Mapping[str, Any], repository: Identity) -> OwnWord:
    """Reads what GitHub shows of `repository`, which keeps the id by which it was asked for: GitHub may show
    another."""
    default, config = row["defaultBranchRef"], row["config"]
    text = None if config is None else config.get("text")
    return OwnWord(
        Identity(str(row["nameWithOwner"]), repository.node_id or str(row["id"])),
        str(default["name"]) if default else None,
        None if text is None else str(text).encode("utf-8", "surrogateescape"),
        _read_only(row),
        str(default["target"]["oid"]) if default else None,
        bool(row["isArchived"]),
        config is not None and (text is None or bool(config.get("isTruncated"))),
    )


def _read_only(row: Mapping[str, Any]) -> str | None:
    if row["isArchived"]:
        return "archived"
    if row["isDisabled"]:
        return "disabled"
    if row["isLocked"]:
        return f"locked ({str(row['lockReason'] or 'for no stated reason').lower().replace('_', ' ')})"
    if row["viewerPermission"] in _CANNOT_WRITE:
        return "read-only for the bot: grant its account write access"
    return None
