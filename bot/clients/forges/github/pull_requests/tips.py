"""Reads files of commits, whether the bot made them, and which come after which."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.clients.forges.github.connection.graphql import Variables, check_answer, in_parts, repository_field
from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import FILE, file_of, shown_contents
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import MOST_TIPS, BranchFile, Tip
from bot.domain.repositories.repository import Identity

MOST_PATHS = 40
"""Files of one request: each is asked for on two branches."""
_ITSELF = "noreply@github.com"
"""The committer of what is committed through GitHub's API or its pages, whoever the author is."""

_FILES = """
query files%(variables)s {
  found: node(id: $id) {
    ... on Repository {
      trunk: object(oid: $trunk) { ...tip }
      branch: object(oid: $tip) { ...tip }
    }
  }
}
fragment tip on Commit { oid %(files)s }
"""


async def tips(
    transport: Transport, repository: Identity, commits: Sequence[str], paths: Sequence[str]
) -> dict[str, Tip]:
    """Returns the files of commits, by commit; one request for each `MOST_PATHS` files."""
    rows_by_commit: dict[str, dict[str, Mapping[str, Any]]] = {}
    trees: dict[str, Mapping[str, Any]] = {}
    for part in in_parts(list(paths), MOST_PATHS):
        variables = Variables()
        root = repository_field(repository, variables)
        files = file_fields(part, variables)
        fields = " ".join(
            f"c{number}: object(oid: {variables.add(f'c{number}', 'GitObjectID!', commit)}) {{ ...tip }}"
            for number, commit in enumerate(commits[:MOST_TIPS])
        )
        document = f"query tips{variables.declared} {{ found: {root} {{ ... on Repository {{ {fields} }} }} }}"
        text = f"{document} fragment tip on Commit {{ oid tree {{ oid }} {files} }}{FILE}"
        graph = await transport.query(text, variables.values)
        check_answer(graph)
        with shaped("look at commits"):
            for number, commit in enumerate(commits[:MOST_TIPS]):
                if (row := (graph.data["found"] or {}).get(f"c{number}")) is not None:
                    trees[commit] = row
                    rows_by_commit.setdefault(commit, {}).update(rows_of(row, part))
    with shaped("look at commits"):
        file_rows = [row for rows in rows_by_commit.values() for row in rows.values()]
        contents = await shown_contents(transport, repository, file_rows)
        return {commit: tip_of(trees[commit], rows, contents, "") for commit, rows in rows_by_commit.items()}


async def contains(transport: Transport, repository: Identity, commit: str, earlier: str) -> bool:
    """Compares two commits; the files that differ are on the first page alone, and are not asked for."""
    path = f"/repos/{repository.name}/compare/{quote(earlier)}...{quote(commit)}"
    try:
        data = await transport.read(path, {"per_page": 1, "page": 2})
    except Failure as failure:
        if failure.trouble is Trouble.MISSING:
            return False
        raise
    with shaped("comparison"):
        return data["status"] in ("ahead", "identical")


def file_fields(paths: Sequence[str], variables: Variables) -> str:
    return " ".join(
        f"f{number}: file(path: {variables.add(f'p{number}', 'String!', path)}) {{ ...entry }}"
        for number, path in enumerate(paths)
    )


def rows_of(commit: Mapping[str, Any] | None, paths: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    rows = {path: commit.get(f"f{number}") for number, path in enumerate(paths)} if commit else {}
    return {path: row for path, row in rows.items() if row is not None}


def tip_of(
    commit: Mapping[str, Any],
    rows: Mapping[str, Mapping[str, Any]],
    contents: Mapping[str, bytes],
    login: str,
) -> Tip:
    files_by_path = {path: file_of(path, row, contents) for path, row in rows.items()}
    files: dict[str, BranchFile] = {path: file for path, file in files_by_path.items() if file is not None}
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


async def further_files(
    transport: Transport,
    repository: Identity,
    trunk: Mapping[str, Any] | None,
    tip: Mapping[str, Any] | None,
    paths: Sequence[str],
) -> Mapping[str, Any]:
    """Asks for more files of the two commits that a look has shown; None where there is none."""
    either = trunk or tip
    if either is None:
        return {"trunk": None, "branch": None}
    variables = Variables()
    variables.add("id", "ID!", repository.node_id)
    variables.add("trunk", "GitObjectID!", (trunk or either)["oid"])
    variables.add("tip", "GitObjectID!", (tip or either)["oid"])
    files = file_fields(paths, variables)
    graph = await transport.query(
        _FILES % {"variables": variables.declared, "files": files} + FILE, variables.values
    )
    check_answer(graph)
    repository_row = graph.data["found"]
    return {"trunk": trunk and repository_row["trunk"], "branch": tip and repository_row["branch"]}
