"""Which projects a Dockerfile publishes, and for which .NET, by its `dotnet publish` commands and where these run.

Sources: Docker's reference of WORKDIR, and the manual of `dotnet publish`: without a project it takes the one of
the folder that it is given, or of the folder that it runs in.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.audit.images.dockerfile import Dockerfile
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS

_PUBLISH = re.compile(r"\bdotnet\s+publish\b(?P<arguments>[^&|;\n]*)")
_TAKES_VALUE = re.compile(
    r"-(?:[cofrva]|-(?:configuration|output|framework|runtime|verbosity|arch|os|source|manifest|version-suffix))"
)
_OPTION = re.compile(r"-.*|/\w+:.*|true|false", re.DOTALL)
_MOVE = re.compile(r"\bcd\s+([^\s;&|]+)\s*(?:&&|;)")
_FRAMEWORK = re.compile(r"(?:^|\s)(?:-f|--framework)[\s=]+[\"']?(?P<name>net[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Publishing:
    """One `dotnet publish`: what it is given, the image's folder that it runs in, and the framework it names."""

    operand: str
    folder: str
    framework: str


def publishings(file: Dockerfile) -> Iterator[Publishing]:
    """The `dotnet publish` commands of a Dockerfile, in order."""
    folders: dict[int, str] = {}
    for stage in file.stages:
        folder = next((folders[base.number] for base in stage.bases if base.number in folders), "/")
        for instruction in file.of(stage):
            text = instruction.arguments.text.strip()
            if instruction.keyword == "workdir":
                folder = posixpath.join(folder, text.strip("\"'"))
            elif instruction.keyword == "run":
                for match in _PUBLISH.finditer(text):
                    framework = _FRAMEWORK.search(match["arguments"])
                    name = framework["name"] if framework is not None else ""
                    moves = _MOVE.findall(text, 0, match.start())
                    yield Publishing(_operand(match["arguments"]), posixpath.join(folder, *moves), name)
        folders[stage.number] = folder


def _operand(arguments: str) -> str:
    words = [word.strip("\"'[],") for word in arguments.split()]
    for number, word in enumerate(words):
        is_value = number > 0 and _TAKES_VALUE.fullmatch(words[number - 1]) is not None
        if word and not is_value and not _OPTION.fullmatch(word):
            return word.replace("\\", "/")
    return ""


def project_of_folder(repository: RepositoryTexts, publishing: Publishing) -> str | None:
    """The only project of the folder that is published; None where a file is, or which folder it is is not told.

    A folder of the image is that of the repository whose path it ends with, else the only one of its name.
    """
    folder = posixpath.normpath(posixpath.join(publishing.folder, publishing.operand))
    if "$" in folder or posixpath.splitext(publishing.operand)[1] in _FILES or folder == "/":
        return None
    projects_by_folder = repository.kept(_projects_by_folder)
    same_end = [each for each in projects_by_folder if each and folder.endswith(f"/{each}")]
    same_name = [each for each in projects_by_folder if posixpath.basename(each) == posixpath.basename(folder)]
    of_folder = max(same_end, key=len) if same_end else same_name[0] if len(same_name) == 1 else None
    projects = projects_by_folder[of_folder] if of_folder is not None else []
    return projects[0] if len(projects) == 1 else None


_FILES = frozenset({*PROJECT_ENDINGS, ".sln", ".slnx", ".slnf"})


def _projects_by_folder(repository: RepositoryTexts) -> dict[str, list[str]]:
    projects_by_folder: dict[str, list[str]] = {}
    for path in repository.paths:
        if path.endswith(PROJECT_ENDINGS):
            projects_by_folder.setdefault(posixpath.dirname(path), []).append(path)
    return projects_by_folder
