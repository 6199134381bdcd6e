"""Azure Repos as repositories are read there: lists, heads, trees and files of several organisations."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from bot.clients.forges.azure_devops.answers import AzureRefusal, shaped
from bot.clients.forges.azure_devops.names import AzureNode, node_of
from bot.clients.forges.azure_devops.repositories import GIT, identity_of, repository_of, tree_of, unzipped
from bot.clients.forges.azure_devops.transport import OrganizationTransport, Query, transport_at
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import OwnWord, Silence
from bot.domain.repositories.repository import GitTree, Identity, Repository, blob_name, owner_of
from bot.domain.repositories.repository_config import GITHUB_PATH as OWN_WORD

_NO_BRANCH = "GitUnresolvableToCommitException"
_NO_ITEM = "GitItemNotFoundException"
_EMPTY = "VS403403"
"""How the service says that a repository has no commits."""
_SHA = re.compile("[0-9a-f]{40}")
_FEW = 2
"""So many repositories are asked for one by one; of more, the list of their organisation tells in one request."""
_MOST_WORDS = 2_000
"""Repositories whose own word is kept, by the commit that it was read at."""


@dataclass(frozen=True, slots=True)
class BranchHead:
    """The commit at the end of a branch, and its tree."""

    commit: str
    tree: str


@dataclass(slots=True)
class Repos:
    """Repositories of several organisations, each asked by its own transport, by its name in lower case.

    The service shows no heads in bulk and no time of a push, so each repository is asked by itself.
    """

    transports: Mapping[str, OrganizationTransport]
    _silent: dict[str, Silence] = field(default_factory=dict, init=False)
    _words: dict[tuple[str, str], bytes | None] = field(default_factory=dict, init=False)

    async def repositories(self, owners: Sequence[str] | None) -> list[Repository]:
        """One request for an organisation. Raises the `Failure` of the first where none could be listed."""
        wanted = self.transports.keys() if owners is None else {owner.lower() for owner in owners}
        transports = [each for name, each in self.transports.items() if name in wanted]
        repositories: list[Repository] = []
        failures: dict[str, Failure] = {}
        for transport in transports:
            try:
                rows = await self.listed(transport)
                with shaped("list of repositories", transport.organization):
                    repositories += [repository_of(row, transport.organization) for row in rows]
            except Failure as failure:
                failures[transport.organization.lower()] = failure
        if failures and len(failures) == len(transports):
            raise next(iter(failures.values()))
        self._silent = {
            name: Silence(f"{name} could not be listed: {failure}", is_passing=True)
            for name, failure in failures.items()
        }
        return repositories

    async def silent(self, owners: Collection[str]) -> Mapping[str, Silence]:
        """Those whose organisation is not set up, or could not be listed."""
        without = {
            owner: Silence(f"{owner} is not among azure_devops.organizations any more")
            for owner in owners
            if owner not in self.transports
        }
        return without | self._silent

    async def grants(self) -> Mapping[str, Mapping[str, str]] | None:
        """None: what an identity may do is told for one repository at a time alone."""
        return None

    async def tree(self, repository: Identity, ref: str, known: str | None = None) -> GitTree | None:
        """One request where the tree is the known one, else two. Nothing of it is ever cut short."""
        if not ref:
            return None
        sha = ref
        if _SHA.fullmatch(ref) is None:
            head = await self.head(repository, ref)
            if head is None:
                return None
            sha = head.tree
        return GitTree(sha, ()) if sha == known else await self._tree(repository, sha, {"recursive": "true"})

    async def subtree(self, repository: Identity, sha: str) -> GitTree:
        return await self._tree(repository, sha, {})

    async def blob(self, repository: Identity, sha: str) -> bytes:
        content = await self._content(repository, f"blobs/{sha}", {"$format": "octetStream"})
        if blob_name(content, sha) != sha:
            raise Failure(Trouble.MALFORMED, f"the content is not that of {sha[:12]}", where=repository.name)
        return content

    async def blobs(self, repository: Identity, shas: Sequence[str]) -> Mapping[str, bytes]:
        """All in one request; what the archive lacks is asked for by itself."""
        names = list(dict.fromkeys(shas))
        if len(names) == 1:
            return {names[0]: await self.blob(repository, names[0])}
        if not names:
            return {}
        transport, path = self.at(repository)
        archive = await transport.archive(f"{path}/blobs", names)
        contents = await asyncio.to_thread(unzipped, archive, names, repository.name)
        for sha in names:
            if sha not in contents:
                contents[sha] = await self.blob(repository, sha)
        return contents

    async def standings(self, repositories: Sequence[Identity]) -> Mapping[Identity, OwnWord]:
        """One request for each head and one more where that has moved, beside who they are; the first is the one
        that is asked for: of the others, those who are not shown, whyever, are left out."""
        by_organization: dict[str, list[Identity]] = defaultdict(list)
        for repository in repositories:
            by_organization[owner_of(repository.name)].append(repository)
        own_words: dict[Identity, OwnWord] = {}
        for identities in by_organization.values():
            try:
                shown = await self.rows_of(identities)
                for repository in identities:
                    if (row := shown.get(self.node(repository).id)) is not None:
                        own_words[repository] = await self.own_word(repository, row)
            except Failure:
                if repositories[0] in identities and repositories[0] not in own_words:
                    raise
        return own_words

    async def contains(self, repository: Identity, commit: str, earlier: str) -> bool:
        """Whether the commit at which both meet is the earlier one."""
        if commit == earlier:
            return True
        if _SHA.fullmatch(commit) is None:
            try:
                head = await self.head(repository, commit)
            except Failure as failure:
                if failure.trouble is Trouble.MISSING:
                    return False
                raise
            if head is None:
                return False
            commit = head.commit
        try:
            bases = await self.rows(repository, f"commits/{commit}/mergebases", {"otherCommitId": earlier})
        except Failure as failure:
            if failure.trouble is Trouble.MISSING:
                return False
            raise
        return any(row.get("commitId") == earlier for row in bases)

    async def sees_others(self, repository: Identity) -> bool:
        """Whether any repository of the organisation is shown: what is not, is gone then."""
        return bool(await self.listed(self.at(repository)[0]))

    async def head(self, repository: Identity, branch: str) -> BranchHead | None:
        """The end of a branch; None in a repository without commits. Raises `Failure`: missing where there is no
        such branch."""
        query = {
            "path": "/",
            "versionDescriptor.version": branch,
            "versionDescriptor.versionType": "branch",
        }
        try:
            row = await self.shown(repository, "items", query)
        except AzureRefusal as refusal:
            if refusal.type_key == _NO_ITEM and _EMPTY in refusal.what:
                return None
            if refusal.type_key == _NO_BRANCH:
                raise refusal.altered(trouble=Trouble.MISSING) from refusal
            raise
        with shaped("head of a branch", repository.name):
            return BranchHead(str(row["commitId"]), str(row["objectId"]))

    async def text(self, repository: Identity, path: str, commit: str) -> bytes | None:
        """A file as a commit has it; None where it has none."""
        query = {
            "path": f"/{path}",
            "versionDescriptor.version": commit,
            "versionDescriptor.versionType": "commit",
            "$format": "octetStream",
        }
        try:
            return await self._content(repository, "items", query)
        except AzureRefusal as refusal:
            if refusal.type_key == _NO_ITEM:
                return None
            raise

    async def row(self, repository: Identity) -> Mapping[str, Any]:
        """What the service shows of a repository. Raises `Failure`: missing also where it is disabled."""
        transport, home = self.at(repository)
        row = await transport.get(home)
        if not isinstance(row, dict):
            raise Failure(Trouble.MALFORMED, "the repository has another shape", where=repository.name)
        return row

    async def shown(self, repository: Identity, path: str, query: Query | None = None) -> Any:
        """The JSON at a path below a repository. Raises `Failure`."""
        transport, home = self.at(repository)
        return await transport.get(f"{home}/{path}", query)

    async def rows(self, repository: Identity, path: str, query: Query | None = None) -> list[Mapping[str, Any]]:
        """The whole list at a path below a repository. Raises `Failure`."""
        transport, home = self.at(repository)
        return await transport.pages(f"{home}/{path}", query)

    async def _content(self, repository: Identity, path: str, query: Query) -> bytes:
        transport, home = self.at(repository)
        return await transport.content(f"{home}/{path}", query)

    async def listed(self, transport: OrganizationTransport) -> list[Mapping[str, Any]]:
        return await transport.pages("_apis/git/repositories")

    async def rows_of(self, repositories: Sequence[Identity]) -> Mapping[str, Mapping[str, Any]]:
        """What the service shows of repositories of one organisation, by their GUIDs; what is gone is not in it.

        One that is disabled is in the list alone.
        """
        if len(repositories) <= _FEW:
            try:
                rows = [await self.row(repository) for repository in repositories]
                return {str(row.get("id")): row for row in rows}
            except Failure as failure:
                if failure.trouble is not Trouble.MISSING:
                    raise
        listed = await self.listed(self.at(repositories[0])[0])
        return {str(row.get("id")): row for row in listed}

    async def own_word(self, repository: Identity, row: Mapping[str, Any]) -> OwnWord:
        organization = self.node(repository).organization
        with shaped("repository", repository.name):
            entry, identity = repository_of(row, organization), identity_of(row, organization)
        if entry.disabled:
            return OwnWord(identity, entry.default_branch or None, read_only="disabled", is_archived=True)
        head = await self.head(repository, entry.default_branch) if entry.default_branch else None
        if head is None:
            return OwnWord(identity, None)
        key = entry.id or "", head.commit
        if key not in self._words:
            if len(self._words) >= _MOST_WORDS:
                self._words.clear()
            self._words[key] = await self.text(repository, OWN_WORD, head.commit)
        return OwnWord(identity, entry.default_branch, self._words[key], head=head.commit)

    async def _tree(self, repository: Identity, sha: str, query: Query) -> GitTree:
        shown = await self.shown(repository, f"trees/{sha}", query)
        with shaped("tree", repository.name):
            return tree_of(shown)

    def at(self, repository: Identity) -> tuple[OrganizationTransport, str]:
        """Who is asked about a repository, and at which path: that of its ids, which stay."""
        node = self.node(repository)
        path = f"{quote(node.project, safe='')}/_apis/git/repositories/{quote(node.id, safe='')}"
        return transport_at(self.transports, node.organization), path

    def node(self, repository: Identity) -> AzureNode:
        """Raises `Failure` (malformed) where only a name is known, and that is none."""
        if repository.node_id is not None:
            return node_of(repository.node_id)
        organization, project, name = (*repository.name.split("/"), "", "", "")[:3]
        return AzureNode(organization, project, GIT, name)
