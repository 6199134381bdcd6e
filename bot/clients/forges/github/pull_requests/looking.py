"""Reads all that a pull request's branch needs in one request, and what many repositories say of themselves in
one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.clients.forges.github.connection.graphql import (
    GraphAnswer,
    Variables,
    check_answer,
    in_parts,
    repository_field,
)
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import FILE, shown_contents
from bot.clients.forges.github.pull_requests.pull_request import OTHERS, PULL_REQUEST, others_of, pull_request_of
from bot.clients.forges.github.pull_requests.rules import OPTIONAL, RULESETS, UPDATE_RULE, RulesAhead
from bot.clients.forges.github.pull_requests.tips import MOST_PATHS, file_fields, further_files, rows_of, tip_of
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import MOST_STANDINGS, BranchLook, OwnWord
from bot.domain.forge.pull_requests import MergeRequirements, Wishes, WishIds
from bot.domain.repositories.repository import WORKFLOWS, Identity
from bot.domain.repositories.repository_config import GITHUB_PATH
from bot.domain.rollouts.terms import MergeMethod

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


_TEAMS = "organization"
_UNSEEN_TEAMS = "teams may not be read; grant members: read"

_GATE = """
fragment gate on Repository {
  autoMergeAllowed
  defaultBranchRef {
    refUpdateRule { requiredStatusCheckContexts }
    rules(first: 100) {
      nodes { type parameters { ... on RequiredStatusChecksParameters { requiredStatusChecks { context } } } }
    }
  }
}"""

_WORKFLOWS = f"""workflows: object(expression: "HEAD:{WORKFLOWS.rstrip("/")}") {{ ... on Tree {{
  entries {{ name object {{ ... on Blob {{ text isTruncated }} }} }}
}} }}"""

_LOOK = """
query look%(variables)s {
  viewer { login }
  found: %(root)s {
    ... on Repository {
      ...standing
      defaultBranchRef { target { ...trunk } }
      branch: ref(qualifiedName: $branch) { target { ...tip } %(update_rule)s }
      ...rulesets
      %(workflows)s
      pullRequests(headRefName: $head, first: 20, orderBy: {field: CREATED_AT, direction: DESC}) {
        nodes { ...pull }
      }
      %(others)s
      %(labels)s
      %(gate)s
    }
  }
  %(people)s
}
fragment trunk on Commit { oid tree { oid } %(files)s }
fragment tip on Commit { ...trunk message author { ...who } committer { ...who } }
fragment who on GitActor { name email user { login } }
"""


async def look(
    transport: Transport,
    repository: Identity,
    branch: str,
    paths: Sequence[str],
    wishes: Wishes,
    rules: RulesAhead | None = None,
) -> BranchLook:
    """Reads a branch in one request, and in one more for each further `MOST_PATHS` files.

    What it shows of rules is noted in `rules`. Raises a `Failure` where the repository is not there.
    """
    parts = in_parts(list(paths), MOST_PATHS) or [[]]
    document, variables = _question(repository, branch, parts[0], wishes)
    graph = await transport.query(document, variables.values)
    check_answer(graph, forgiving=OPTIONAL | {_TEAMS})
    row = graph.data.get("found")
    if row is None:
        raise Failure(
            Trouble.MISSING,
            "the repository is not there, or not for these credentials",
            where=repository.name,
            advice="check that it exists and that the credentials may see it",
        )
    with shaped("look at a branch"):
        standing = own_word_of(row, repository)
        if rules is not None:
            rules.note(standing.identity, branch, row)
        trunk, tip = (row[name] and row[name]["target"] for name in ("defaultBranchRef", "branch"))
        trunk_files, tip_files = (rows_of(commit, parts[0]) for commit in (trunk, tip))
        for more in parts[1:]:
            further = await further_files(transport, standing.identity, trunk, tip, more)
            trunk_files |= rows_of(further["trunk"], more)
            tip_files |= rows_of(further["branch"], more)
        login = str(graph.data["viewer"]["login"])
        requests = tuple(
            pull_request_of(node, login)
            for node in row["pullRequests"]["nodes"]
            if node is not None and not node["isCrossRepository"]
        )
        contents = await shown_contents(transport, standing.identity, [*trunk_files.values(), *tip_files.values()])
        return BranchLook(
            standing,
            trunk and tip_of(trunk, trunk_files, contents, login),
            tip and tip_of(tip, tip_files, contents, login),
            requests,
            _wish_ids(wishes, row, graph),
            _gate_of(row),
            others_of(row, branch),
            _workflows_of(row),
        )


def _question(repository: Identity, branch: str, paths: Sequence[str], wishes: Wishes) -> tuple[str, Variables]:
    variables = Variables()
    variables.add("branch", "String!", f"refs/heads/{branch}")
    variables.add("head", "String!", branch)
    root = repository_field(repository, variables)
    files = file_fields(paths, variables)
    labels, people = _wish_fields(repository, wishes, variables)
    wants_merge = wishes.merge is not MergeMethod.NEVER
    document = _LOOK % {
        "variables": variables.declared,
        "root": root,
        "files": files,
        "labels": labels,
        "people": people,
        "gate": "...gate" if wants_merge else "",
        "update_rule": UPDATE_RULE,
        "others": OTHERS,
        "workflows": _WORKFLOWS if paths else "",
    }
    fragments = (FILE if files else "") + PULL_REQUEST + STANDING + RULESETS + (_GATE if wants_merge else "")
    return document + fragments, variables


def _workflows_of(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    entries = (row.get("workflows") or {}).get("entries") or ()
    files = [entry["object"] for entry in entries if str(entry["name"]).endswith((".yml", ".yaml"))]
    return tuple(None if file["isTruncated"] else file["text"] for file in files if file)


def _gate_of(row: Mapping[str, Any]) -> MergeRequirements:
    """As far as rulesets and the older protection of branches show; what is not shown is taken for not required."""
    branch = row["defaultBranchRef"] or {}
    rules = [rule for rule in (branch.get("rules") or {}).get("nodes") or () if rule is not None]
    required_checks = [(rule.get("parameters") or {}).get("requiredStatusChecks") for rule in rules]
    older = (branch.get("refUpdateRule") or {}).get("requiredStatusCheckContexts")
    return MergeRequirements(
        bool(older) or any(required_checks),
        any(rule["type"] == "MERGE_QUEUE" for rule in rules),
        bool(row.get("autoMergeAllowed")),
    )


def _wish_fields(repository: Identity, wishes: Wishes, variables: Variables) -> tuple[str, str]:
    """Fields within the repository, and beside it: a name that nobody has is null there."""

    def fields(letter: str, kind: str, key: str, names: Iterable[str]) -> list[str]:
        aliases = [(f"{letter}{number}", name) for number, name in enumerate(names)]
        return [f"{each}: {kind}({key}: {variables.add(each, 'String!', name)}) {{ id }}" for each, name in aliases]

    labels = fields("l", "label", "name", (*wishes.labels, *wishes.unlabel))
    people = fields("u", "user", "login", _people(wishes))
    if teams := fields("t", "team", "slug", wishes.teams):
        organization = variables.add("organization", "String!", repository.name.partition("/")[0])
        people.append(f"{_TEAMS}(login: {organization}) {{ {' '.join(teams)} }}")
    return " ".join(labels), " ".join(people)


def _wish_ids(wishes: Wishes, row: Mapping[str, Any], graph: GraphAnswer) -> WishIds:
    within = graph.data.get(_TEAMS) or {}
    teams = {team: _id(within.get(f"t{number}")) for number, team in enumerate(wishes.teams)}
    are_unseen = any(error.field == _TEAMS and error.kind != "NOT_FOUND" for error in graph.errors)
    return WishIds(
        {label: _id(row.get(f"l{number}")) for number, label in enumerate((*wishes.labels, *wishes.unlabel))},
        {person: _id(graph.data.get(f"u{number}")) for number, person in enumerate(_people(wishes))},
        teams,
        {team: _UNSEEN_TEAMS for team, node_id in teams.items() if node_id is None and are_unseen},
    )


def _people(wishes: Wishes) -> list[str]:
    return list(dict.fromkeys((*wishes.people, *wishes.assignees)))


def _id(row: Any) -> str | None:
    return None if row is None else str(row["id"])
