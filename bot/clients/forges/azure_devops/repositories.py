"""Repositories of Azure Repos, their trees and files as the service shows them."""

import io
import zipfile
import zlib
from collections.abc import Collection, Mapping
from typing import Any

from bot.clients.forges.azure_devops.names import AzureNode, branch_of
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import AZURE_DEVOPS, GitTree, Identity, Repository, TreeEntry, blob_name

GIT = "git"
"""The kind of a node that is a repository; so short that its node id fits beside the longest organisation."""
LARGEST_FILE = 16 * 1024 * 1024
LARGEST_ARCHIVE = 64 * 1024 * 1024
"""Bytes of all files of one archive."""
_KINDS: Mapping[str, str] = {"blob": "blob", "tree": "tree", "commit": "commit"}


def repository_of(row: Mapping[str, Any], organization: str) -> Repository:
    """One entry of an organisation's list. It tells no pushes: only asking each repository does."""
    project, number = row["project"], str(row["id"])
    return Repository(
        f"{organization}/{project['name']}/{row['name']}",
        branch_of(row.get("defaultBranch")) or "",
        disabled=bool(row.get("isDisabled")),
        fork=bool(row.get("isFork")),
        id=number,
        node_id=str(AzureNode(organization, str(project["id"]), GIT, number)),
        forge=AZURE_DEVOPS,
    )


def identity_of(row: Mapping[str, Any], organization: str) -> Identity:
    """The same entry as who it is, and what it is called now."""
    repository = repository_of(row, organization)
    return Identity(repository.name, repository.node_id, AZURE_DEVOPS)


def tree_of(shown: Mapping[str, Any]) -> GitTree:
    """A tree with all that is below it, as far as that was asked for."""
    entries = (
        TreeEntry(
            str(row["relativePath"]).lstrip("/"),
            str(row["objectId"]),
            str(row["mode"]).rjust(6, "0"),
            _KINDS.get(str(row["gitObjectType"]).lower(), "blob"),
            int(row.get("size") or 0),
        )
        for row in shown["treeEntries"]
    )
    return GitTree(str(shown["objectId"]), tuple(entries))


def unzipped(archive: bytes, shas: Collection[str], place: str) -> dict[str, bytes]:
    """The files of an archive by git's names for them, whatever it calls them; what was not asked for is left out.

    Raises `Failure` (malformed) for what is no archive, or holds more than is accepted.
    """
    contents: dict[str, bytes] = {}
    left = LARGEST_ARCHIVE
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            for entry in files.infolist():
                with files.open(entry) as file:
                    content = file.read(min(LARGEST_FILE, left) + 1)
                left -= len(content)
                if len(content) > LARGEST_FILE or left < 0:
                    raise Failure(Trouble.MALFORMED, "sent larger files than are accepted", where=place)
                contents[blob_name(content, "0" * 40)] = content
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise Failure(Trouble.MALFORMED, "sent a damaged archive of files", where=place) from error
    return {sha: contents[sha] for sha in shas if sha in contents}
