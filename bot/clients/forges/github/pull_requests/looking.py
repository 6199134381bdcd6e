"""Reading what a repository says of itself, and all that a pull request's branch needs, each in one request."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.clients.forges.github.connection.graphql import Graph, declared, in_parts
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import FILE, contents_of, file_of
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.forge import (
    MOST_STANDINGS,
    MOST_TIPS,
    BranchFile,
    BranchLook,
    Gate,
    OtherRequest,
    PullRequest,
    Standing,
    Tip,
    Wishes,
    WishIds,
)
from bot.domain.repositories.repository import Identity
from bot.domain.repositories.repository_config import GITHUB_PATH
from bot.domain.rollouts.terms import MergeMethod

_CANNOT_WRITE = ("READ", "TRIAGE")
"""Of a token's account; of an App there is no such word, and a refusal tells."""
_OF_GATE = frozenset({"refUpdateRule", "rules"})
_MOST_PATHS = 40
"""Files of one request: each is asked for on two branches."""
_ITSELF = "noreply@github.com"
"""The committer of what is committed through GitHub's API or its pages, whoever the author is."""

_STANDING = f"""
fragment standing on Repository {{
  id nameWithOwner isArchived isDisabled isLocked lockReason viewerPermission
  defaultBranchRef {{ name }}
  config: object(expression: "HEAD:{GITHUB_PATH}") {{ ... on Blob {{ text }} }}
}}"""

PULL_REQUEST = """
fragment pull on PullRequest {
  id number url title body state isDraft headRefName headRefOid mergeable isCrossRepository
  mergedAt mergeCommit { id oid }
  labels(first: 50) { nodes { name } }
  assignees(first: 10) { nodes { login } }
  autoMergeRequest { enabledBy { login } }
  mergeQueueEntry { enqueuer { login } }
}"""

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

_LOOK = """
query look%(variables)s {
  viewer { login }
  found: %(root)s {
    ... on Repository {
      ...standing
      defaultBranchRef { target { ...trunk } }
      branch: ref(qualifiedName: $branch) { target { ...tip } }
      pullRequests(headRefName: $head, first: 20, orderBy: {field: CREATED_AT, direction: DESC}) {
        nodes { ...pull }
      }
      others: pullRequests(states: OPEN, first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
        nodes { id number url headRefName headRefOid isCrossRepository author { login } }
      }
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

_FILES = """
query files($id: ID!, $trunk: GitObjectID!, $tip: GitObjectID!%(paths)s) {
  found: node(id: $id) {
    ... on Repository {
      trunk: object(oid: $trunk) { ...tip }
      branch: object(oid: $tip) { ...tip }
    }
  }
}
fragment tip on Commit { oid %(files)s }
"""


async def standings(transport: Transport, repositories: Sequence[Identity]) -> dict[Identity, Standing]:
    """By node id in one request; those without one (never listed) by name along with them."""
    if len(repositories) > MOST_STANDINGS:
        raise ValueError(f"{len(repositories)} repositories to one look, {MOST_STANDINGS} at most")
    variables: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    fields = []
    for number, repository in enumerate(repositories):
        fields.append(f"r{number}: {_root(repository, f'_{number}', variables, kinds)} {{ ...standing }}")
    document = f"query standings{declared(kinds)} {{ {' '.join(fields)} }}{_STANDING}"
    graph = await transport.query(document, variables)
    _check(graph)
    found = {}
    for number, repository in enumerate(repositories):
        if (row := graph.data.get(f"r{number}")) is not None:
            with shaped("repository"):
                found[repository] = _standing_of(row)
    return found


async def look(
    transport: Transport, repository: Identity, branch: str, paths: Sequence[str], wishes: Wishes
) -> BranchLook:
    parts = in_parts(list(paths), _MOST_PATHS) or [[]]
    variables: dict[str, Any] = {"branch": f"refs/heads/{branch}", "head": branch}
    kinds = {"branch": "String!", "head": "String!"}
    root = _root(repository, "", variables, kinds)
    files = _file_fields(parts[0], variables, kinds)
    labels, people = _wish_fields(repository, wishes, variables, kinds)
    wants_merge = wishes.merge is not MergeMethod.NEVER
    document = _LOOK % {
        "variables": declared(kinds),
        "root": root,
        "files": files,
        "labels": labels,
        "people": people,
        "gate": "...gate" if wants_merge else "",
    }
    parts_used = (FILE if files else "") + PULL_REQUEST + _STANDING + (_GATE if wants_merge else "")
    graph = await transport.query(document + parts_used, variables)
    _check(graph, forgiving=_OF_GATE)
    row = graph.data.get("found")
    if row is None:
        raise Failure(
            Trouble.MISSING,
            "the repository is not there, or not for these credentials",
            where=repository.name,
            advice="check that it exists and that the credentials may see it",
        )
    with shaped("look at a branch"):
        standing = _standing_of(row)
        trunk, tip = (row[name] and row[name]["target"] for name in ("defaultBranchRef", "branch"))
        trunk_files, tip_files = (_rows_of(commit, parts[0]) for commit in (trunk, tip))
        for more in parts[1:]:
            further = await _further(transport, standing.identity, trunk, tip, more)
            trunk_files |= _rows_of(further["trunk"], more)
            tip_files |= _rows_of(further["branch"], more)
        login = str(graph.data["viewer"]["login"])
        requests = tuple(
            pull_request_of(node, login)
            for node in row["pullRequests"]["nodes"]
            if node is not None and not node["isCrossRepository"]
        )
        contents = await contents_of(transport, standing.identity, [*trunk_files.values(), *tip_files.values()])
        return BranchLook(
            standing,
            trunk and _tip(trunk, trunk_files, contents, login),
            tip and _tip(tip, tip_files, contents, login),
            requests,
            _wish_ids(wishes, row, graph),
            _gate_of(row),
            tuple(_other_of(node) for node in row["others"]["nodes"] if _is_other(node, branch)),
        )


async def tips(
    transport: Transport, repository: Identity, commits: Sequence[str], paths: Sequence[str]
) -> dict[str, Tip]:
    """In one request for each `_MOST_PATHS` files."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    trees: dict[str, Mapping[str, Any]] = {}
    for part in in_parts(list(paths), _MOST_PATHS):
        variables: dict[str, Any] = {}
        kinds: dict[str, str] = {}
        root = _root(repository, "", variables, kinds)
        files = _file_fields(part, variables, kinds)
        fields = []
        for number, commit in enumerate(commits[:MOST_TIPS]):
            variables[f"c{number}"], kinds[f"c{number}"] = commit, "GitObjectID!"
            fields.append(f"c{number}: object(oid: $c{number}) {{ ...tip }}")
        document = (
            f"query tips{declared(kinds)} {{ found: {root} {{ ... on Repository {{ {' '.join(fields)} }} }} }}"
        )
        text = f"{document} fragment tip on Commit {{ oid tree {{ oid }} {files} }}{FILE}"
        graph = await transport.query(text, variables)
        _check(graph)
        with shaped("look at commits"):
            for number, commit in enumerate(commits[:MOST_TIPS]):
                if (row := (graph.data["found"] or {}).get(f"c{number}")) is not None:
                    trees[commit] = row
                    found.setdefault(commit, {}).update(_rows_of(row, part))
    with shaped("look at commits"):
        shown = [row for rows in found.values() for row in rows.values()]
        contents = await contents_of(transport, repository, shown)
        return {commit: _tip(trees[commit], rows, contents, "") for commit, rows in found.items()}


def _is_other(node: Mapping[str, Any] | None, branch: str) -> bool:
    return node is not None and not node["isCrossRepository"] and node["headRefName"] != branch


def _other_of(node: Mapping[str, Any]) -> OtherRequest:
    return OtherRequest(
        int(node["number"]),
        str(node["url"]),
        str(node["id"]),
        str(node["headRefName"]),
        str(node["headRefOid"]),
        str((node["author"] or {}).get("login") or ""),
    )


async def current_name(transport: Transport, node_id: str) -> str:
    """What a repository is called now. Raises `Failure` where it is gone."""
    graph = await transport.query(
        "query name($id: ID!) { found: node(id: $id) { ... on Repository { nameWithOwner } } }", {"id": node_id}
    )
    graph.check()
    with shaped("repository"):
        return str(graph.data["found"]["nameWithOwner"])


async def pull_request(transport: Transport, repository: Identity, number: int) -> PullRequest:
    variables: dict[str, Any] = {"number": number}
    kinds = {"number": "Int!"}
    root = _root(repository, "", variables, kinds)
    document = (
        f"query pull{declared(kinds)} {{ found: {root} "
        f"{{ ... on Repository {{ pullRequest(number: $number) {{ ...pull }} }} }} }}"
    )
    graph = await transport.query(document + PULL_REQUEST, variables)
    graph.check()
    with shaped("pull request"):
        return pull_request_of(graph.data["found"]["pullRequest"])


@shaped("pull request")
def pull_request_of(row: Mapping[str, Any], login: str | None = None) -> PullRequest:
    """`login` is the bot's own, where it is known."""
    merge_commit = row.get("mergeCommit")
    auto, queued = row["autoMergeRequest"], row["mergeQueueEntry"]
    asked_by = (auto and auto["enabledBy"], queued and queued["enqueuer"])
    askers = {_plain(each["login"]) for each in asked_by if each}
    return PullRequest(
        number=int(row["number"]),
        url=str(row["url"]),
        branch=str(row["headRefName"]),
        head=str(row["headRefOid"]),
        title=str(row["title"]),
        body=str(row["body"] or ""),
        is_open=row["state"] == "OPEN",
        is_merged=row["state"] == "MERGED",
        merge_commit=str(merge_commit["oid"]) if merge_commit else None,
        labels=tuple(str(label["name"]) for label in row["labels"]["nodes"]),
        is_conflicted=row["mergeable"] == "CONFLICTING",
        node_id=str(row["id"]),
        assignees=tuple(str(person["login"]) for person in row["assignees"]["nodes"]),
        is_draft=bool(row["isDraft"]),
        is_to_merge=bool(auto or queued),
        is_to_merge_by_us=login is not None and _plain(login) in askers,
        merge_node=str(merge_commit["id"]) if merge_commit else None,
        merged_at=datetime.fromisoformat(row["mergedAt"]) if row.get("mergedAt") else None,
    )


def _plain(login: str | None) -> str:
    """An App's bot bears `[bot]` behind its name in some places."""
    return str(login or "").lower().removesuffix("[bot]")


def _gate_of(row: Mapping[str, Any]) -> Gate:
    """As far as rulesets and the older protection of branches show; what is not shown is taken for not required."""
    branch = row["defaultBranchRef"] or {}
    rules = [rule for rule in (branch.get("rules") or {}).get("nodes") or () if rule is not None]
    named = [(rule.get("parameters") or {}).get("requiredStatusChecks") for rule in rules]
    older = (branch.get("refUpdateRule") or {}).get("requiredStatusCheckContexts")
    return Gate(
        bool(older) or any(named),
        any(rule["type"] == "MERGE_QUEUE" for rule in rules),
        bool(row.get("autoMergeAllowed")),
    )


def _check(graph: Graph, forgiving: Collection[str] = ()) -> None:
    """What is not there is null; anything else keeps the answer from being whole.

    A field in `forgiving` may not be for the bot to see.
    """
    for error in graph.errors:
        if error.kind != "NOT_FOUND" and set(forgiving).isdisjoint(map(str, error.path)):
            raise error.failure(graph.where)


def _root(repository: Identity, suffix: str, variables: dict[str, Any], kinds: dict[str, str]) -> str:
    if repository.node_id is not None:
        variables[f"id{suffix}"], kinds[f"id{suffix}"] = repository.node_id, "ID!"
        return f"node(id: $id{suffix})"
    owner, _, name = repository.name.partition("/")
    variables |= {f"owner{suffix}": owner, f"name{suffix}": name}
    kinds |= {f"owner{suffix}": "String!", f"name{suffix}": "String!"}
    return f"repository(owner: $owner{suffix}, name: $name{suffix})"


def _file_fields(paths: Sequence[str], variables: dict[str, Any], kinds: dict[str, str]) -> str:
    for number, path in enumerate(paths):
        variables[f"p{number}"], kinds[f"p{number}"] = path, "String!"
    return " ".join(f"f{number}: file(path: $p{number}) {{ ...entry }}" for number in range(len(paths)))


def _wish_fields(
    repository: Identity, wishes: Wishes, variables: dict[str, Any], kinds: dict[str, str]
) -> tuple[str, str]:
    """Fields within the repository, and beside it: a name that nobody has is null there."""
    labels, people = [], []
    for number, label in enumerate((*wishes.labels, *wishes.unlabel)):
        variables[f"l{number}"], kinds[f"l{number}"] = label, "String!"
        labels.append(f"l{number}: label(name: $l{number}) {{ id }}")
    for number, person in enumerate(_people(wishes)):
        variables[f"u{number}"], kinds[f"u{number}"] = person, "String!"
        people.append(f"u{number}: user(login: $u{number}) {{ id }}")
    teams = []
    for number, team in enumerate(wishes.teams):
        variables[f"t{number}"], kinds[f"t{number}"] = team, "String!"
        teams.append(f"t{number}: team(slug: $t{number}) {{ id }}")
    if teams:
        variables["organization"], kinds["organization"] = repository.name.partition("/")[0], "String!"
        people.append(f"organization(login: $organization) {{ {' '.join(teams)} }}")
    return " ".join(labels), " ".join(people)


def _wish_ids(wishes: Wishes, row: Mapping[str, Any], graph: Graph) -> WishIds:
    within = graph.data.get("organization") or {}
    return WishIds(
        {label: _id(row.get(f"l{number}")) for number, label in enumerate((*wishes.labels, *wishes.unlabel))},
        {person: _id(graph.data.get(f"u{number}")) for number, person in enumerate(_people(wishes))},
        {team: _id(within.get(f"t{number}")) for number, team in enumerate(wishes.teams)},
    )


def _people(wishes: Wishes) -> list[str]:
    return list(dict.fromkeys((*wishes.people, *wishes.assignees)))


def _id(row: Any) -> str | None:
    return None if row is None else str(row["id"])


def _standing_of(row: Mapping[str, Any]) -> Standing:
    default, config = row["defaultBranchRef"], row["config"]
    return Standing(
        Identity(str(row["nameWithOwner"]), str(row["id"])),
        str(default["name"]) if default else None,
        None if config is None else str(config.get("text") or "").encode("utf-8", "surrogateescape"),
        _read_only(row),
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


def _rows_of(commit: Mapping[str, Any] | None, paths: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    rows = {path: commit.get(f"f{number}") for number, path in enumerate(paths)} if commit else {}
    return {path: row for path, row in rows.items() if row is not None}


def _tip(
    commit: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, Any]],
    contents: Mapping[str, bytes],
    login: str,
) -> Tip:
    found = {path: file_of(path, row, contents) for path, row in rows.items()}
    files: dict[str, BranchFile] = {path: file for path, file in found.items() if file is not None}
    is_own = "author" in commit and _is_own(commit["author"], commit["committer"], login)
    return Tip(str(commit["oid"]), str(commit["tree"]["oid"]), str(commit.get("message") or ""), is_own, files)


def _is_own(author: Mapping[str, Any], committer: Mapping[str, Any], login: str) -> bool:
    """Whether the bot's account wrote a commit, and GitHub or the bot itself has put it there.

    A person who amends it becomes its committer, with `--reset-author` its author as well.
    """
    return _is(author, login) and (committer["email"] == _ITSELF or _is(committer, login))


def _is(actor: Mapping[str, Any], login: str) -> bool:
    """An App's bot is no user: it is known by the address that GitHub gives it, `ID+NAME[bot]@users.…`."""
    user, email = actor.get("user"), str(actor["email"] or "")
    if user is not None:
        return str(user["login"]).lower() == login.lower()
    local, _, domain = email.partition("@")
    return domain == "users.noreply.github.com" and local.rpartition("+")[2].lower() == login.lower()


async def _further(
    transport: Transport,
    repository: Identity,
    trunk: Mapping[str, Any] | None,
    tip: Mapping[str, Any] | None,
    paths: Sequence[str],
) -> Mapping[str, Any]:
    """More files of the same two commits."""
    either = trunk or tip
    if either is None:
        return {"trunk": None, "branch": None}
    variables: dict[str, Any] = {
        "id": repository.node_id,
        "trunk": (trunk or either)["oid"],
        "tip": (tip or either)["oid"],
    }
    kinds: dict[str, str] = {}
    files = _file_fields(paths, variables, kinds)
    declarations = "".join(f", ${name}: {kind}" for name, kind in kinds.items())
    graph = await transport.query(_FILES % {"paths": declarations, "files": files} + FILE, variables)
    _check(graph)
    found = graph.data["found"]
    return {"trunk": trunk and found["trunk"], "branch": tip and found["branch"]}
