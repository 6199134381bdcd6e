"""Which script or build file of the repository a command runs, and its text."""

import re
from posixpath import normpath

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand

BUILD_TOOLS = {"make": "Makefile", "just": "justfile", "task": "Taskfile.yml", "nuke": "build.sh"}
_INCLUDED = ".mk"
_OF_CHECKOUT = re.compile(r"^\$\{\{\s*github\.(?:action_path|workspace)\s*\}\}/+(?:\.\.?/)*")
"""Folders of the repository itself: scripts are looked for by the end of their path."""


def script_of(command: ShellCommand) -> str | None:
    """The file that a command hands its work to: a script, or what a build tool reads; None for a program."""
    if command.name in BUILD_TOOLS:
        return BUILD_TOOLS[command.name]
    is_script = command.name.endswith((".sh", ".ps1", ".cmd"))
    return normpath(_OF_CHECKOUT.sub("", re.sub(r"\\+", "/", command.words[0]))) if is_script else None


def script_texts(repository: RepositoryTexts, name: str) -> list[str]:
    """The texts of the repository's files of that name, wherever they stand, with what a Makefile may include."""
    endings = (f"/{name}", _INCLUDED) if name == BUILD_TOOLS["make"] else f"/{name}"
    return [repository.text(path) for path in repository.paths if path == name or path.endswith(endings)]
