"""`createCommitOnBranch`: a commit whose author is whoever asks, and which GitHub signs."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from sandbox.github.access.permissions import require_for_workflows
from sandbox.github.graphql.git import ref as ref_named
from sandbox.github.graphql.git import ref_thing
from sandbox.github.graphql.mutations.writing import mutates
from sandbox.github.graphql.playing import Playing, Thing, load
from sandbox.github.graphql.repositories import HEADS, repository_named
from sandbox.github.refusals import Refused
from sandbox.github.repositories.git import Files

Json = Any
REGULAR = "100644"
"""The only file mode that this mutation knows."""


@mutates("createCommitOnBranch", "contents")
async def create_commit_on_branch(
    playing: Playing, branch: Json, expected_head_oid: str, message: Json, file_changes: Json = None
) -> Json:
    """Commits on top of the head that is expected; with another head it answers as GitHub does."""
    ref = await _branch(playing, branch)
    repository = ref.of_repository()
    playing.parts.edge.check_writable(playing.request, repository.data)
    head, name = ref.data["oid"], repository.name
    if head != expected_head_oid:
        text = f'Expected branch to point to "{expected_head_oid}" but it did not.  Pull and try again.'
        raise Refused(409, text, kind="STALE_DATA")
    files = await playing.parts.git.files(name, head)
    changed = await _changed(playing, name, files, file_changes or {})
    text = "\n\n".join(part for part in (message["headline"], message.get("body")) if part)
    sha = await playing.parts.git.commit_files(name, changed, [head], text, playing.request, signed=True)
    await playing.parts.refs.move(playing.request, name, ref.data["ref"], sha, force=False)
    made = Thing("Commit", {"oid": sha}, repository.data)
    return {"commit": made, "ref": ref_thing(playing, repository, ref.data["ref"], sha)}


async def _branch(playing: Playing, branch: Json) -> Thing:
    if branch.get("id") is not None:
        return await load(playing, branch["id"])
    name, wanted = str(branch.get("repositoryNameWithOwner")), str(branch.get("branchName"))
    repository = await repository_named(playing, name)
    if repository is None:
        raise Refused(404, f"Could not resolve to a Repository with the name '{name}'.", kind="NOT_FOUND")
    found = await ref_named(playing, repository, HEADS + wanted.removeprefix(HEADS))
    if found is None:
        raise Refused(404, f"The branch '{wanted}' does not exist.", kind="NOT_FOUND")
    return found


async def _changed(playing: Playing, name: str, files: Files, changes: Json) -> Mapping[str, tuple[str, str]]:
    additions, deletions = changes.get("additions") or [], changes.get("deletions") or []
    paths = [change["path"] for change in (*additions, *deletions)]
    if len(set(paths)) < len(paths):
        raise Refused(422, "A path was provided more than once.", kind="UNPROCESSABLE")
    if wrong := next((path for path in paths if not path or path.startswith("/") or ".." in path.split("/")), None):
        raise Refused(422, f"{wrong} is not a valid path.", kind="UNPROCESSABLE")
    require_for_workflows(playing.parts.edge.rights(playing.request), paths)
    changed = dict(files)
    for deletion in deletions:
        if changed.pop(deletion["path"], None) is None:
            text = f"A path was requested for deletion which does not exist as of commit oid: {deletion['path']}"
            raise Refused(422, text, kind="UNPROCESSABLE")
    rules, number = playing.parts.requests.requirements.rules, playing.parts.edge.identities.number_of(name) or 0
    for addition in additions:
        rules.check_content(number, _decoded(addition))
        sha = await playing.parts.git.add_blob(name, _decoded(addition), playing.request)
        changed[addition["path"]] = (REGULAR, sha)
    return changed


def _decoded(addition: Json) -> bytes:
    try:
        return base64.b64decode(addition["contents"], validate=True)
    except binascii.Error:
        raise Refused(422, f"The contents of {addition['path']} are no Base64.", kind="UNPROCESSABLE") from None
