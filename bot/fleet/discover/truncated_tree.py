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
    entries = {entry.path: entry for entry in tree.entries if entry.kind != "tree"}
    if not tree.truncated:
        return list(entries.values()), []
    folders: list[tuple[str, str]] = [("", tree.sha)]
    folder_number = 0
    while folder_number < len(folders) and folder_number < MOST_FOLDERS:
        prefix, sha = folders[folder_number]
        folder_number += 1
        for entry in (await forge.subtree(repository, sha)).entries:
            placed = TreeEntry(f"{prefix}{entry.path}", entry.sha, entry.mode, entry.kind, entry.size)
            if entry.kind == "tree":
                folders.append((f"{placed.path}/", entry.sha))
            else:
                entries[placed.path] = placed
    if folder_number == len(folders):
        return list(entries.values()), []
    message = (
        f"the repository has too many folders; {left_out(len(folders) - folder_number, 'looked at on their own')}"
    )
    return list(entries.values()), [SourceProblem(folders[folder_number][0], 1, message)]
