"""Git's objects and branches as the emulator keeps them, for whatever else GitHub concludes from them.

Objects never change, so each is asked for once; branches are asked for each time.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from sandbox.github.edge import GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
Files = dict[str, tuple[str, str]]
"""Path → mode and blob."""

GITHUB_ITSELF = {"name": "GitHub", "email": "noreply@github.com"}
ZEROS = "0" * 40


@dataclass(slots=True)
class Git:
    edge: GitHubEdge
    _trees: dict[str, list[Json]] = field(default_factory=dict)
    _commits: dict[str, Json] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)
    _ancestors: dict[tuple[str, str, str], Json] = field(default_factory=dict)

    # --- reading ---

    async def tip(self, name: str, branch: str) -> str | None:
        """The commit that a branch of repository `name` points to."""
        return await self.ref(name, f"refs/heads/{branch}") if branch else None

    async def ref(self, name: str, ref: str) -> str | None:
        path = quote(ref.removeprefix("refs/"))
        answer = await self.edge.call("GET", f"/repos/{name}/git/ref/{path}")
        return str(answer.body["object"]["sha"]) if answer.status == 200 else None

    async def refs(self, name: str, prefix: str) -> dict[str, str]:
        """Full name → commit of all references that begin with `prefix`."""
        path = quote(prefix.removeprefix("refs/"))
        answer = await self.edge.call("GET", f"/repos/{name}/git/matching-refs/{path}")
        rows = answer.body if answer.status == 200 else []
        return {row["ref"]: row["object"]["sha"] for row in rows if row["ref"].startswith(prefix)}

    async def commit(self, name: str, sha: str) -> Json | None:
        """As GitHub's Git data API shows it."""
        if sha not in self._commits:
            answer = await self.edge.call("GET", f"/repos/{name}/git/commits/{quote(sha)}")
            if answer.status != 200:
                return None
            self._commits[sha] = answer.body
        return self._commits[sha]

    async def tree(self, name: str, sha: str) -> list[Json]:
        """All entries under a commit or tree, folders too, with their whole paths."""
        if sha not in self._trees:
            answer = await self.edge.call("GET", f"/repos/{name}/git/trees/{sha}?recursive=1")
            if answer.status != 200:
                return []
            self._trees[sha] = answer.body["tree"]
        return self._trees[sha]

    async def files(self, name: str, sha: str) -> Files:
        entries = await self.tree(name, sha)
        return {entry["path"]: (entry["mode"], entry["sha"]) for entry in entries if entry["type"] == "blob"}

    async def blob(self, name: str, sha: str) -> bytes:
        if sha not in self._blobs:
            answer = await self.edge.call("GET", f"/repos/{name}/git/blobs/{sha}")
            self._blobs[sha] = base64.b64decode(answer.body["content"])
        return self._blobs[sha]

    async def is_blob(self, name: str, sha: str) -> bool:
        return sha in self._blobs or (await self.edge.call("GET", f"/repos/{name}/git/blobs/{sha}")).status == 200

    async def history(self, name: str, sha: str, most: int) -> list[str]:
        """The commit and what came before it, newest first."""
        answer = await self.edge.call("GET", f"/repos/{name}/commits?sha={quote(sha)}&per_page={most}")
        return [row["sha"] for row in answer.body] if answer.status == 200 else []

    async def compare(self, name: str, base: str, head: str) -> Json | None:
        """GitHub's comparison of two commits; None where they have nothing in common."""
        key = (name, base, head)
        if key not in self._ancestors:
            answer = await self.edge.call("GET", f"/repos/{name}/compare/{base}...{head}")
            if answer.status != 200:
                return None
            self._ancestors[key] = answer.body
        return self._ancestors[key]

    async def merged(self, name: str, ours: str, theirs: str) -> Files | None:
        """The files after a three-way merge of two commits; None where both changed a file differently."""
        compared = await self.compare(name, ours, theirs)
        if compared is None:
            return None
        ancestor = compared["merge_base_commit"]["sha"]
        before, here, there = [await self.files(name, sha) for sha in (ancestor, ours, theirs)]
        return three_way(before, here, there)

    # --- writing; `like` is who does it ---

    async def commit_files(
        self,
        name: str,
        files: Mapping[str, tuple[str, str]],
        parents: list[str],
        message: str,
        like: Request | None,
        *,
        signed: bool = False,
    ) -> str:
        """A commit of exactly `files`; no branch moves. Where it is signed, GitHub itself is the committer."""
        entries = [{"path": p, "mode": mode, "type": "blob", "sha": sha} for p, (mode, sha) in files.items()]
        tree = await self._made(f"/repos/{name}/git/trees", {"tree": entries}, like)
        commit: Json = {"message": message, "tree": tree["sha"], "parents": parents}
        if signed:
            commit["committer"] = GITHUB_ITSELF
        sha = str((await self._made(f"/repos/{name}/git/commits", commit, like))["sha"])
        if signed:
            self.edge.signed.add(sha)
        return sha

    async def add_blob(self, name: str, content: bytes, like: Request) -> str:
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return str((await self._made(f"/repos/{name}/git/blobs", body, like))["sha"])

    async def _made(self, path: str, body: Json, like: Request | None) -> Json:
        answer = await self.edge.call("POST", path, body, like=like)
        if answer.status != 201:
            raise Refused(answer.status, str(answer.body.get("message", "")))
        return answer.body


def three_way(before: Files, ours: Files, theirs: Files) -> Files | None:
    """What both sides made of `before`, file by file; None where they contradict each other."""
    merged = dict(ours)
    for path in before.keys() | theirs.keys():
        if theirs.get(path) == before.get(path):
            continue
        if ours.get(path) not in (before.get(path), theirs.get(path)):
            return None
        if path in theirs:
            merged[path] = theirs[path]
        else:
            merged.pop(path, None)
    return merged
