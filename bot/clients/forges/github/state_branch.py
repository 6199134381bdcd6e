"""A branch that hands files from one run of the bot to the next: one commit without a parent, replaced as a whole.

Of two runs at once the second cannot undo what the first has kept: the branch moves only from the commit that was
read (`updateRefs` with `beforeOid`). It has no history, so that it grows no larger than what it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.clients.forges.github.connection.connections import GitHubAccess
from bot.clients.forges.github.connection.shapes import rows, shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.clients.forges.github.files import blob
from bot.clients.forges.github.pull_requests.commits import REGULAR, Mutations, commit_tree, new_blob, ref_of
from bot.clients.forges.github.pull_requests.rules import refusal
from bot.clients.http.client import Observer
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.branches import NO_COMMIT
from bot.domain.forge.refusals import BranchMoved
from bot.domain.repositories.repository import Identity


@dataclass(frozen=True, slots=True)
class StateHome:
    """The repository that has the branch; everybody may read a public one."""

    identity: Identity
    is_public: bool


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """What the branch holds, by path, and in which commit."""

    commit: str
    files: Mapping[str, bytes]


class StateBranch:
    """One branch of one repository. Every method raises `Failure`."""

    def __init__(
        self, access: GitHubAccess, clock: Clock, repository: str, branch: str, observer: Observer | None = None
    ) -> None:
        self._transport = Transport(access, clock, observer)
        self._repository = repository
        self._branch = branch

    async def close(self) -> None:
        await self._transport.close()

    async def home(self) -> StateHome:
        """Asks whether the repository is public, and for the id that GraphQL knows it by."""
        row = await self._transport.read(f"/repos/{self._repository}")
        with shaped("repository"):
            is_public = str(row.get("visibility") or ("private" if row["private"] else "public")) == "public"
            return StateHome(Identity(str(row["full_name"]), str(row["node_id"])), is_public)

    async def read(self, home: StateHome) -> KeptFiles | None:
        """Reads what the last run has kept; None where there is no such branch."""
        root = f"/repos/{home.identity.name}/git"
        try:
            tip = await self._transport.read(f"{root}/ref/heads/{quote(self._branch)}")
        except Failure as failure:
            if failure.trouble is Trouble.MISSING or failure.status == 409:  # 409: the repository has no commits
                return None
            raise
        with shaped("branch"):
            commit = str(tip["object"]["sha"])
        tree = await self._transport.read(f"{root}/trees/{commit}")
        with shaped("tree"):
            blobs = {str(row["path"]): str(row["sha"]) for row in rows(tree, "tree") if row["type"] == "blob"}
        contents = {path: await blob(self._transport, home.identity, sha) for path, sha in blobs.items()}
        return KeptFiles(commit, contents)

    async def replace(self, home: StateHome, files: Mapping[str, bytes], message: str, before: str | None) -> str:
        """Has the branch hold these files and nothing else, where it still points to the commit `before` (None:
        where it is not there yet); returns its new commit. Raises `BranchMoved` where another run was faster."""
        entries = [
            {
                "path": path,
                "mode": REGULAR,
                "type": "blob",
                "sha": await new_blob(self._transport, home.identity, content),
            }
            for path, content in files.items()
        ]
        commit = await commit_tree(self._transport, home.identity, {"tree": entries}, message, ())
        await self._move(home, before or NO_COMMIT, commit)
        return commit

    async def _move(self, home: StateHome, before: str, after: str) -> None:
        update = {"name": ref_of(self._branch), "beforeOid": before, "afterOid": after, "force": True}
        mutations = Mutations()
        mutations.add("refs", "updateRefs", {"repositoryId": home.identity.node_id, "refUpdates": [update]})
        graph = await mutations.send(self._transport)
        for error in graph.errors[:1]:
            if (refused := refusal(self._branch, error.message, graph.place, error.kind)) is not None:
                raise refused
            failure = error.failure(graph.place)
            raise (
                BranchMoved(self._branch, error.message, graph.place)
                if failure.trouble is Trouble.CONFLICT
                else failure
            )
