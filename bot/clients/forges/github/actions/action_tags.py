"""Where the tags of actions point to: a few requests for all actions of a repository."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.clients.forges.github.connection.graphql import declared
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.forge.actions import ActionCommit, ActionTag

_TOGETHER = 20
_MOST_TAGS = 100
_VERSION = re.compile(r"v?\d+(?:\.\d+){0,3}")
_TARGET = "fragment pointed on GitObject { __typename oid ... on Tag { target { oid } } }"


async def action_commits(transport: Transport, actions: Sequence[ActionTag]) -> dict[ActionTag, ActionCommit]:
    """Those that are there and that these credentials may see; branches have no version, and are left out."""
    found: dict[ActionTag, ActionCommit] = {}
    for start in range(0, len(actions), _TOGETHER):
        found |= await _asked(transport, actions[start : start + _TOGETHER])
    return found


async def _asked(transport: Transport, actions: Sequence[ActionTag]) -> dict[ActionTag, ActionCommit]:
    variables: dict[str, Any] = {}
    fields = []
    for number, action in enumerate(actions):
        owner, _, name = action.repository.partition("/")
        variables |= {f"o{number}": owner, f"n{number}": name, f"t{number}": f"refs/tags/{action.tag}"}
        variables[f"q{number}"] = action.tag
        fields.append(
            f"a{number}: repository(owner: $o{number}, name: $n{number}) {{"
            f" tag: ref(qualifiedName: $t{number}) {{ name target {{ ...pointed }} }}"
            f' others: refs(refPrefix: "refs/tags/", query: $q{number}, first: {_MOST_TAGS},'
            " orderBy: {field: TAG_COMMIT_DATE, direction: DESC}) { nodes { name target { ...pointed } } } }"
        )
    kinds = dict.fromkeys(variables, "String!")
    graph = await transport.query(f"query actions{declared(kinds)} {{ {' '.join(fields)} }} {_TARGET}", variables)
    for error in graph.errors:
        if error.kind not in {"NOT_FOUND", "FORBIDDEN"}:
            raise error.failure(graph.where)
    found = {}
    with shaped("tags of actions"):
        for number, action in enumerate(actions):
            row = graph.data.get(f"a{number}")
            if row is not None and row["tag"] is not None:
                sha = _commit(row["tag"])
                found[action] = ActionCommit(sha, _version(action.tag, sha, row["others"]["nodes"]))
    return found


def _commit(ref: Mapping[str, Any]) -> str:
    """An annotated tag is an object of its own, which points to the commit."""
    target = ref["target"]
    return str(target["target"]["oid"] if target["__typename"] == "Tag" else target["oid"])


def _version(tag: str, sha: str, refs: Sequence[Mapping[str, Any]]) -> str:
    """The longest version tag of the commit: `v3` moves on, `v3.6.0` stays."""
    same = [str(each["name"]) for each in refs if _commit(each) == sha]
    versions = [name for name in (tag, *same) if _VERSION.fullmatch(name) and name.startswith(tag)]
    return max(versions, key=lambda name: name.count("."), default=tag)
