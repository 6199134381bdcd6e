"""Solution files and filters: the projects that a command line means which names one.

`.sln` is lines of text, `.slnx` XML (https://learn.microsoft.com/visualstudio/ide/reference/solution-file), `.slnf`
JSON (https://learn.microsoft.com/visualstudio/msbuild/solution-filters).
"""

import posixpath
import re
from collections.abc import Iterator

from bot.domain.repositories.usage import Findings, Kind
from bot.files.formats.dotnet.msbuild import elements
from bot.files.formats.dotnet.projects import PROJECT_ENDINGS
from bot.files.formats.source import jsonc
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Scalar

KIND = Kind("solution")
MOST_PROJECTS = 1_000
_LINE = re.compile(
    r'^[ \t]*Project\("[^"\n]*"\)[ \t]*=[ \t]*"[^"\n]*"[ \t]*,[ \t]*"(?P<path>[^"\n]+)"', re.MULTILINE
)


def find(path: str, text: str) -> Findings:
    """Finds nothing: a solution names projects, and no image."""
    return Findings()


def projects_in(path: str, text: str) -> tuple[str, ...]:
    """The .NET projects of a solution, from the repository's root on, in its order. Never raises."""
    folder = posixpath.dirname(path)
    try:
        if path.lower().endswith(".sln"):
            raw_paths = [match["path"] for match in _LINE.finditer(text)]
        elif path.lower().endswith(".slnx"):
            raw_paths = list(_in_xml(elements.read(text)))
        else:
            beside, raw_paths = _in_filter(text)
            folder = posixpath.join(folder, posixpath.dirname(beside.replace("\\", "/")))
    except Unreadable:
        return ()
    paths = (posixpath.normpath(posixpath.join(folder, each.replace("\\", "/"))) for each in raw_paths)
    return tuple(dict.fromkeys(each for each in paths if each.lower().endswith(PROJECT_ENDINGS)))[:MOST_PROJECTS]


def _in_xml(root: elements.ProjectElement) -> Iterator[str]:
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.name == "Project" and "Path" in element.attributes:
            yield element.attributes["Path"]
        waiting.extend(reversed(element.children))


def _in_filter(text: str) -> tuple[str, list[str]]:
    """The solution that a filter is of, and what it keeps of it: these paths start at the solution's folder."""
    root = jsonc.read(text)
    solution = root.mapping("solution") if isinstance(root, Mapping) else None
    if solution is None:
        return "", []
    beside = solution.scalar("path")
    project_paths = [node.value for node in solution.sequence("projects") if isinstance(node, Scalar)]
    return beside.value if beside is not None else "", project_paths
