"""Where the tags of actions point to: a few requests for all actions of a repository."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.forges.github.connection.graphql import Variables, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.repositories.repository import Identity

_TOGETHER = 20
_MOST_TAGS = 100
_VERSION = re.compile(r"v?\d+(?:\.\d+){0,3}")
_TARGET = "fragment pointed on GitObject { __typename oid ... on Tag { target { oid } } }"


async def action_commits(transport: Transport, actions: Sequence[ActionTag]) -> dict[ActionTag, ActionCommit]:
    """Those that are there and that these credentials may see; branches have no version, and are left out."""
    commits: dict[ActionTag, ActionCommit] = {}
    for start in range(0, len(actions), _TOGETHER):
        commits |= await _ask_together(transport, actions[start : start + _TOGETHER])
    return commits


async def _ask_together(transport: Transport, actions: Sequence[ActionTag]) -> dict[ActionTag, ActionCommit]:
    variables = Variables()
    fields = []
    for number, action in enumerate(actions):
        root = repository_field(Identity(action.repository), variables, f"_{number}")
        ref = variables.add(f"t{number}", "String!", f"refs/tags/{action.tag}")
        tag = variables.add(f"q{number}", "String!", action.tag)
        fields.append(
            f"a{number}: {root} {{ tag: ref(qualifiedName: {ref}) {{ name target {{ ...pointed }} }}"
            f' others: refs(refPrefix: "refs/tags/", query: {tag}, first: {_MOST_TAGS},'
            " orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) { nodes { name target { ...pointed } } } }"
        )
    text = f"query actions{variables.declared} {{ {' '.join(fields)} }} {_TARGET}"
    graph = await transport.query(text, variables.values)
    for error in graph.errors:
        if error.kind not in {"NOT_FOUND", "FORBIDDEN"}:
            raise error.failure(graph.place)
    commits = {}
    with shaped("tags of actions"):
        for number, action in enumerate(actions):
            row = graph.data.get(f"a{number}")
            if row is not None and row["tag"] is not None:
                sha = _commit(row["tag"])
                commits[action] = ActionCommit(sha, _version(action.tag, sha, row["others"]["nodes"]))
    return commits


def _commit(ref: Mapping[str, Any]) -> str:
    """An annotated tag is an object of its own, which points to the commit."""
    target = ref["target"]
    return str(target["target"]["oid"] if target["__typename"] == "Tag" else target["oid"])


def _version(tag: str, sha: str, refs: Sequence[Mapping[str, Any]]) -> str:
    """The longest version tag of the commit: `v3` moves on, `v3.6.0` stays."""
    same = [str(each["name"]) for each in refs if _commit(each) == sha]
    versions = [name for name in (tag, *same) if _VERSION.fullmatch(name) and name.startswith(tag)]
    return max(versions, key=lambda name: name.count("."), default=tag)
