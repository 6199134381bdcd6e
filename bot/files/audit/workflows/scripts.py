"""Which script or build file of the repository a command runs, and its text."""

import re
from posixpath import normpath

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand

BUILD_TOOLS = {"make": "Makefile", "just": "justfile", "task": "Taskfile.yml", "nuke": "build.sh"}
_INCLUDED = ".mk"
SHELL_SCRIPTS = (".sh", ".ps1", ".cmd", ".bat")
SCRIPTS = (*SHELL_SCRIPTS, ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".csx", ".fsx")
_RUNNERS = frozenset(
    {"bash", "sh", "zsh", "dash", "source", ".", "pwsh", "powershell", "cmd", "call", "sudo", "env", "exec", "time"}
    | {"python", "python3", "node", "deno", "bun", "ruby", "tsx", "npx"}
)
"""What runs the script that stands behind its name."""
OF_RUNNER = {
    "GITHUB_WORKSPACE": "${{ github.workspace }}",
    "GITHUB_ACTION_PATH": "${{ github.action_path }}",
    "PWD": "${{ github.workspace }}",  # nosec B105 - a folder
}
"""Variables that every step begins with, and the context that says the same."""
_OF_CHECKOUT = re.compile(r"^\$\{\{\s*github\.(?:action_path|workspace)\s*\}\}/+(?:\.\.?/)*")
"""Folders of the repository itself: scripts are looked for by the end of their path."""
_WORKSPACE = re.compile(r"^\$\{\{\s*github\.workspace\s*\}\}(?:[\\/]+|$)")


def in_checkout(path: str) -> str:
    """A path as the folder has it that a run begins in, where the repository lies."""
    return _WORKSPACE.sub("", path) or "."


def script_of(command: ShellCommand) -> str | None:
    """The file that a command hands its work to: a script, or what a build tool reads; None for a program."""
    if command.name in BUILD_TOOLS:
        return BUILD_TOOLS[command.name]
    number = place_of_script(command)
    return (
        normpath(_OF_CHECKOUT.sub("", re.sub(r"\\+", "/", command.words[number]))) if number is not None else None
    )


def place_of_script(command: ShellCommand) -> int | None:
    """Which word of a command is the script that it runs; None where it runs none."""
    words = command.words if command.name in _RUNNERS else command.words[:1]
    return next((number for number, word in enumerate(words) if word.endswith(SCRIPTS)), None)


def script_texts(repository: RepositoryTexts, name: str) -> list[str]:
    """The texts of the repository's files of that name, wherever they stand, with what a Makefile may include."""
    endings = (f"/{name}", _INCLUDED) if name == BUILD_TOOLS["make"] else f"/{name}"
    return [repository.text(path) for path in repository.paths if path == name or path.endswith(endings)]
