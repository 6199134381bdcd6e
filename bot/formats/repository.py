"""All files of one repository, read together: projects need the properties that stand above them."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.domain.repository import Workflow
from bot.domain.usage import Findings, Kind, Problem, Usage
from bot.formats.dotnet import global_json, project
from bot.formats.finding import LARGEST_FILE, find_usages
from bot.formats.rewrite import marker
from bot.formats.source.text import decode
from bot.formats.table import kind_of
from bot.formats.workflows import KIND as WORKFLOW
from bot.formats.workflows.dispatchable import dispatchable

_WORKFLOWS = ".github/workflows/"
_REMEMBERED = 20_000
_IMPORTED = (".props", ".targets")


@dataclass(frozen=True, slots=True)
class File:
    """`sha` names the content, as git does."""

    path: str
    sha: str
    data: bytes


class Memory:
    """Findings by content and kind, so that the same Dockerfile in 300 repositories is parsed once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, Kind], Findings] = OrderedDict()
        self._turn = threading.Lock()

    def findings(self, file: File, kind: Kind) -> Findings:
        """May be asked from several threads; a content that one of them is reading is not read by another."""
        key = (file.sha, kind)
        with self._turn:
            found = self._known.get(key)
            if found is None:
                found = self._known[key] = find_usages(file.path, file.data, kind)
                if len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
        return _placed(found, file.path)


def read_files(files: Iterable[File], memory: Memory) -> tuple[Findings, tuple[Workflow, ...]]:
    """Usages and problems in the order of paths, and the workflows that can be dispatched."""
    usages: list[Usage] = []
    problems: list[Problem] = []
    workflows: list[Workflow] = []
    in_order = sorted(files, key=lambda file: file.path)
    shared = _Shared.of(in_order)
    for file in in_order:
        kind = kind_of(file.path)
        if kind is None:
            continue
        found = _project(file, shared) if kind == project.KIND else memory.findings(file, kind)
        usages += found.usages
        problems += found.problems
        if kind == WORKFLOW and file.path.startswith(_WORKFLOWS):
            workflow = dispatchable(file.path, decode(file.data))
            workflows += [workflow] if workflow is not None else []
    return Findings(tuple(usages), tuple(problems)), tuple(workflows)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What projects of the repository may take from other files: (path, text) to import, and each global.json."""

    imports: tuple[tuple[str, str], ...]
    """Those that mention containers come first: that is what a project is asked for before all else."""
    pins: Mapping[str, str]

    @classmethod
    def of(cls, files: Iterable[File]) -> "_Shared":
        imports: list[tuple[str, str]] = []
        pins: dict[str, str] = {}
        for file in files:
            if kind_of(file.path) == global_json.KIND:
                pins[file.path] = decode(file.data)
            elif file.path.endswith(_IMPORTED) and len(file.data) <= LARGEST_FILE:
                imports.append((file.path, decode(file.data)))
        imports.sort(key=lambda each: not _mentions_containers(each[1]))
        return cls(tuple(imports), pins)

    def imports_for(self, text: str) -> tuple[tuple[str, str], ...]:
        """None where neither the project nor any other text is about containers, so that nobody looks again."""
        is_asked = bool(self.imports) and (_mentions_containers(self.imports[0][1]) or _mentions_containers(text))
        return self.imports if is_asked else ()


def _mentions_containers(text: str) -> bool:
    return "container" in text.lower()


def _project(file: File, shared: _Shared) -> Findings:
    is_project = file.path.endswith(project.PROJECT_ENDINGS)
    if not is_project or len(file.data) > LARGEST_FILE or b"\0" in file.data:
        return find_usages(file.path, file.data, project.KIND)
    text = decode(file.data)
    try:
        pin = _sdk_above(file.path, shared.pins)
        found = project.find_project(file.path, text, shared.imports_for(text), sdk=pin)
    except Exception as error:
        why = f"could not be read ({type(error).__name__}); please report this file"
        return Findings(problems=(Problem(file.path, 1, why),))
    return replace(found, usages=marker.attached(found.usages, text))


def _sdk_above(path: str, pins: Mapping[str, str]) -> str | None:
    """The SDK that the nearest global.json in the folders above pins (how the .NET host looks for it)."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        text = pins.get(f"{folder}/global.json" if folder else "global.json")
        if text is not None:
            found = global_json.pin(text)
            return found.version if found is not None else None
    return None


def _placed(found: Findings, path: str) -> Findings:
    return Findings(
        tuple(usage if usage.path == path else replace(usage, path=path) for usage in found.usages),
        tuple(problem if problem.path == path else replace(problem, path=path) for problem in found.problems),
    )
