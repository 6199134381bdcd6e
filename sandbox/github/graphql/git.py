"""Branches, commits, trees and files."""

from typing import Any

from sandbox.github.graphql.playing import Playing, Thing, connection, loads, plain, plays
from sandbox.github.graphql.repositories import HEADS, repository_numbered
from sandbox.github.refusals import Refused
from sandbox.github.repositories.identity import Node

Json = Any
MOST_TEXT = 512_000
"""Bytes of `text`; the rest is cut without an error."""
PARAMETERS = {
    "required_status_checks": "RequiredStatusChecksParameters",
    "pull_request": "PullRequestParameters",
    "merge_queue": "MergeQueueParameters",
}
NODE_PREFIXES = {"Commit": "C", "Tree": "T", "Blob": "B", "Ref": "REF"}


def ref_thing(playing: Playing, repository: Thing, name: str, oid: str) -> Thing:
    return Thing("Ref", {"ref": name, "oid": oid}, repository.data)


def object_thing(kind: str, repository: Thing, oid: str) -> Thing:
    return Thing(kind, {"oid": oid}, repository.data)


def node_id(playing: Playing, thing: Thing) -> str:
    """An id of our own: the emulator has none for most of Git's objects."""
    number, key = thing.repository["id"], thing.data["ref" if thing.type == "Ref" else "oid"]
    own = f"{NODE_PREFIXES[thing.type]}_{number}_{key}"
    return playing.parts.edge.identities.add(own, Node(thing.type, number, key))


for _kind in NODE_PREFIXES:
    plays(_kind, "id")(node_id)
for _kind in ("Commit", "Tree", "Blob"):
    plain(_kind, oid="oid")
    plays(_kind, "abbreviatedOid")(lambda _, thing: thing.data["oid"][:7])
    plays(_kind, "repository")(lambda _, thing: Thing("Repository", thing.repository))


async def _load_object(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    return None if repository is None else object_thing(node.type, repository, node.key)


for _kind in ("Commit", "Tree", "Blob"):
    loads(_kind)(_load_object)


# --- branches ---


@loads("Ref")
async def load_ref(playing: Playing, node: Node) -> Thing | None:
    repository = await repository_numbered(playing, node.repository_id or 0)
    return None if repository is None else await ref(playing, repository, node.key)


@plays("Repository", "ref")
async def ref_as_shown(playing: Playing, repository: Thing, qualified_name: str) -> Thing | None:
    """As a read shows it, which may come too early after a write."""
    found = await ref(playing, repository, qualified_name)
    full = qualified_name if qualified_name.startswith("refs/") else HEADS + qualified_name
    oid = playing.parts.refs.lag.shown(repository.name, full, found.data["oid"] if found else None)
    return None if oid is None else ref_thing(playing, repository, full, oid)


async def ref(playing: Playing, repository: Thing, qualified_name: str) -> Thing | None:
    full = qualified_name if qualified_name.startswith("refs/") else HEADS + qualified_name
    oid = await playing.parts.git.ref(repository.name, full)
    return None if oid is None else ref_thing(playing, repository, full, oid)


@plays("Repository", "defaultBranchRef")
async def default_branch(playing: Playing, repository: Thing) -> Thing | None:
    return await ref(playing, repository, HEADS + repository.data["default_branch"])


@plays("Repository", "refs")
async def refs(playing: Playing, repository: Thing, ref_prefix: str, query: str | None = None, **page: Any) -> Json:
    page.pop("order_by", None)
    found = await playing.parts.git.refs(repository.name, ref_prefix)
    fitting = {name: oid for name, oid in found.items() if (query or "") in name.removeprefix(ref_prefix)}
    shown = connection([ref_thing(playing, repository, name, oid) for name, oid in fitting.items()], **page)
    playing.count(len(shown["nodes"]))
    return shown


@plays("Ref", "name")
def ref_name(_: Playing, thing: Thing) -> str:
    return str(thing.data["ref"]).split("/", 2)[2]


@plays("Ref", "prefix")
def ref_prefix(_: Playing, thing: Thing) -> str:
    return "/".join(str(thing.data["ref"]).split("/", 2)[:2]) + "/"


@plays("Ref", "target")
def ref_target(_: Playing, thing: Thing) -> Thing:
    return Thing("Commit", {"oid": thing.data["oid"]}, thing.repository)


plays("Ref", "repository")(lambda _, thing: Thing("Repository", thing.repository))


@plays("Ref", "rules")
def rules(playing: Playing, thing: Thing, **page: Any) -> Json:
    """Those of rulesets that hold for the branch."""
    page.pop("order_by", None)
    branch = str(thing.data["ref"]).removeprefix(HEADS)
    found = playing.parts.requests.requirements.rules.of(thing.repository["id"], branch)
    return connection([Thing("RepositoryRule", rule, thing.repository) for rule in found], **page)


@plays("Ref", "refUpdateRule")
def update_rule(playing: Playing, thing: Thing) -> Json | None:
    """The older protection of branches; whoever is asked about has no part in it."""
    branch = str(thing.data["ref"]).removeprefix(HEADS)
    older = playing.parts.requests.requirements.rules.protection(thing.repository["id"], branch)
    if older is None:
        return None
    return {
        "allowsDeletions": older.deletable,
        "allowsForcePushes": older.forceable,
        "blocksCreations": older.blocks_creations,
        "pattern": older.pattern,
        "requiredApprovingReviewCount": older.reviews or None,
        "requiredStatusCheckContexts": list(older.checks),
        "requiresSignatures": older.signatures,
        "viewerCanPush": not older.pushers_only,
    }


@plays("Repository", "rulesets")
def rulesets(
    playing: Playing, repository: Thing, include_parents: bool = True, targets: Json = None, **page: Any
) -> Json:
    """Each rule as a ruleset of its own, as the sandbox keeps them."""
    known = playing.parts.requests.requirements.rules.by_repository.get(repository.data["id"], ())
    shown = [
        {
            "target": "BRANCH",
            "enforcement": "ACTIVE",
            "conditions": {"refName": {"include": [HEADS + rule.pattern], "exclude": []}},
            "rules": connection([Thing("RepositoryRule", rule, repository.data)], first=1),
        }
        for rule in known
    ]
    return connection(shown, **page)


plays("RepositoryRule", "type")(lambda _, rule: rule.data.type.upper())


@plays("RepositoryRule", "parameters")
def parameters(_: Playing, rule: Thing) -> Thing | None:
    kind = PARAMETERS.get(rule.data.type)
    return None if kind is None else Thing(kind, rule.data.parameters, rule.repository)


@plays("RequiredStatusChecksParameters", "requiredStatusChecks")
def required_checks(_: Playing, thing: Thing) -> Json:
    return thing.data["required_status_checks"]


# --- commits ---


async def _commit(playing: Playing, thing: Thing) -> Json:
    found = await playing.parts.git.commit(thing.name, thing.data["oid"])
    if found is None:
        raise Refused(404, f"Could not resolve to a Commit with the oid '{thing.data['oid']}'.", kind="NOT_FOUND")
    return found


@plays("Commit", "message")
async def message(playing: Playing, thing: Thing) -> str:
    return str((await _commit(playing, thing))["message"])


@plays("Commit", "messageHeadline")
async def headline(playing: Playing, thing: Thing) -> str:
    return (await message(playing, thing)).partition("\n")[0]


@plays("Commit", "messageBody")
async def message_body(playing: Playing, thing: Thing) -> str:
    return (await message(playing, thing)).partition("\n")[2].lstrip("\n")


@plays("Commit", "committedDate")
async def committed(playing: Playing, thing: Thing) -> str:
    return str((await _commit(playing, thing))["committer"]["date"])


@plays("Commit", "authoredDate")
async def authored(playing: Playing, thing: Thing) -> str:
    return str((await _commit(playing, thing))["author"]["date"])


async def _person(playing: Playing, thing: Thing, role: str) -> Thing:
    return Thing("GitActor", (await _commit(playing, thing))[role])


plays("Commit", "author")(lambda playing, thing: _person(playing, thing, "author"))
plays("Commit", "committer")(lambda playing, thing: _person(playing, thing, "committer"))
plain("GitActor", name="name", email="email", date="date")


@plays("Commit", "tree")
async def commit_tree(playing: Playing, thing: Thing) -> Thing:
    return Thing("Tree", {"oid": (await _commit(playing, thing))["tree"]["sha"]}, thing.repository)


@plays("Commit", "parents")
async def parents(playing: Playing, thing: Thing, **page: Any) -> Json:
    found = [parent["sha"] for parent in (await _commit(playing, thing))["parents"]]
    return connection([Thing("Commit", {"oid": oid}, thing.repository) for oid in found], **page)


@plays("Commit", "history")
async def history(playing: Playing, thing: Thing, **page: Any) -> Json:
    bounds = {side: page[side] for side in ("first", "after", "last", "before") if side in page}
    if unplayed := page.keys() - bounds.keys():
        raise Refused(422, f"the sandbox does not play Commit.history({', '.join(unplayed)})")
    found = await playing.parts.git.history(thing.name, thing.data["oid"], 100)
    return connection([Thing("Commit", {"oid": oid}, thing.repository) for oid in found], **bounds)


@plays("Commit", "file")
async def file(playing: Playing, thing: Thing, path: str) -> Thing | None:
    return await _entry(playing, thing, path)


@plays("Commit", "signature")
async def signature(playing: Playing, thing: Thing) -> Thing | None:
    """GitHub signs what it commits for an App that names no author of its own."""
    signed = (await _commit(playing, thing)).get("verification", {}).get("verified")
    return Thing("GpgSignature", {"isValid": True, "wasSignedByGitHub": True, "state": "VALID"}) if signed else None


plain("GpgSignature", isValid="isValid", wasSignedByGitHub="wasSignedByGitHub", state="state")


# --- trees and files ---


@plays("Repository", "object")
async def object_at(
    playing: Playing, repository: Thing, expression: str | None = None, oid: str | None = None
) -> Thing | None:
    """`expression` is a commit, a branch, or either with `:path`; null where there is no such thing."""
    playing.count(1)
    revision, colon, path = (expression or oid or "").partition(":")
    commit = await _resolved(playing, repository, revision)
    if commit is None and not colon and await playing.parts.git.is_blob(repository.name, revision):
        return object_thing("Blob", repository, revision)
    if commit is None or not colon:
        return commit
    if not path:
        return await commit_tree(playing, commit)
    entry = await _entry(playing, commit, path)
    return None if entry is None else await entry_object(playing, entry)


async def _resolved(playing: Playing, repository: Thing, revision: str) -> Thing | None:
    git = playing.parts.git
    if len(revision) == 40 and await git.commit(repository.name, revision) is not None:
        return object_thing("Commit", repository, revision)
    revision = repository.data["default_branch"] if revision == "HEAD" else revision
    for prefix in ("", HEADS, "refs/tags/"):
        if (prefix + revision).startswith("refs/") and (tip := await git.ref(repository.name, prefix + revision)):
            return object_thing("Commit", repository, tip)
    return None


async def _entry(playing: Playing, commit: Thing, path: str) -> Thing | None:
    entries = await playing.parts.git.tree(commit.name, commit.data["oid"])
    found = next((entry for entry in entries if entry["path"] == path), None)
    return None if found is None else Thing("TreeEntry", found, commit.repository)


@plays("Tree", "entries")
async def entries(playing: Playing, tree: Thing) -> list[Thing]:
    rows = await playing.parts.git.tree(tree.name, tree.data["oid"])
    return [Thing("TreeEntry", row, tree.repository) for row in rows if "/" not in row["path"]]


plain("TreeEntry", path="path", type="type", oid="sha")


@plays("TreeEntry", "name")
def entry_name(_: Playing, entry: Thing) -> str:
    return str(entry.data["path"]).rpartition("/")[2]


@plays("TreeEntry", "mode")
def entry_mode(_: Playing, entry: Thing) -> int:
    """The file mode as a decimal number: 33188 for 100644."""
    return int(entry.data["mode"], 8)


@plays("TreeEntry", "size")
def entry_size(_: Playing, entry: Thing) -> int:
    return int(entry.data.get("size") or 0)


@plays("TreeEntry", "object")
async def entry_object(_: Playing, entry: Thing) -> Thing | None:
    kind = {"blob": "Blob", "tree": "Tree"}.get(entry.data["type"])
    return None if kind is None else Thing(kind, {"oid": entry.data["sha"]}, entry.repository)


async def _content(playing: Playing, blob: Thing) -> bytes:
    return await playing.parts.git.blob(blob.name, blob.data["oid"])


@plays("Blob", "byteSize")
async def byte_size(playing: Playing, blob: Thing) -> int:
    return len(await _content(playing, blob))


@plays("Blob", "isBinary")
async def is_binary(playing: Playing, blob: Thing) -> bool:
    return _is_binary(await _content(playing, blob))


@plays("Blob", "isTruncated")
async def is_truncated(playing: Playing, blob: Thing) -> bool:
    return len(await _content(playing, blob)) > MOST_TEXT


@plays("Blob", "text")
async def text(playing: Playing, blob: Thing) -> str | None:
    content = await _content(playing, blob)
    return None if _is_binary(content) else content[:MOST_TEXT].decode(errors="replace")


def _is_binary(content: bytes) -> bool:
    if b"\0" in content[:8000]:
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return False
