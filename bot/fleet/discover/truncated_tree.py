"""A tree that the forge cut short, completed folder by folder."""

from bot.domain.forge.port import Forge
from bot.domain.repositories.repository import GitTree, Identity, TreeEntry
from bot.domain.repositories.usage import SourceProblem
from bot.fleet.discover.choosing import left_out

MOST_FOLDERS = 200
"""Requests that one repository may cost that way."""


async def entries_of(
    repository: Identity, tree: GitTree, forge: Forge
) -> tuple[list[TreeEntry], list[SourceProblem]]:
    """Reads all entries but folders, and a problem where there are too many folders to look at.

    GitHub cuts a listing at 100,000 entries or 7 MB. What it shows counts; folders are then walked from the top,
    where the files that build images stand.
    """
    found = {entry.path: entry for entry in tree.entries if entry.kind != "tree"}
    if not tree.truncated:
        return list(found.values()), []
    folders: list[tuple[str, str]] = [("", tree.sha)]
    asked = 0
    while asked < len(folders) and asked < MOST_FOLDERS:
        prefix, sha = folders[asked]
        asked += 1
        for entry in (await forge.subtree(repository, sha)).entries:
            placed = TreeEntry(f"{prefix}{entry.path}", entry.sha, entry.mode, entry.kind, entry.size)
            if entry.kind == "tree":
                folders.append((f"{placed.path}/", entry.sha))
            else:
                found[placed.path] = placed
    if asked == len(folders):
        return list(found.values()), []
    message = f"the repository has too many folders; {left_out(len(folders) - asked, 'looked at on their own')}"
    return list(found.values()), [SourceProblem(folders[asked][0], 1, message)]
