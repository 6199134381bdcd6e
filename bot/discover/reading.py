"""All files of one repository, read together: projects need the properties that stand above them."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.discover import global_json, project
from bot.discover.dispatchable import dispatchable
from bot.discover.files import LARGEST_FILE, find_usages, kind_of
from bot.discover.text import decode
from bot.domain.repository import TreeEntry, Workflow
from bot.domain.usage import Findings, Kind, Problem, Usage

CONFIG_PATH = ".github/freshness.yaml"
_WORKFLOWS = ".github/workflows/"
_REMEMBERED = 20_000


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

    def findings(self, file: File, kind: Kind) -> Findings:
        key = (file.sha, kind)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = find_usages(file.path, file.data, kind)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(key)
        return _placed(found, file.path)


def wanted(entries: Iterable[TreeEntry]) -> tuple[list[TreeEntry], list[Problem]]:
    """The entries worth fetching; a file too large to be one of ours by hand is reported, not fetched."""
    chosen: list[TreeEntry] = []
    problems: list[Problem] = []
    for entry in entries:
        if not entry.is_file or (kind_of(entry.path) is None and entry.path != CONFIG_PATH):
            continue
        if entry.size > LARGEST_FILE:
            problems.append(Problem(entry.path, 1, f"{entry.size:,} bytes are too many to read; exclude the file"))
            continue
        chosen.append(entry)
    return chosen, problems


def read_files(files: Iterable[File], memory: Memory) -> tuple[Findings, tuple[Workflow, ...]]:
    """Usages and problems in the order of paths, and the workflows that can be dispatched."""
    usages: list[Usage] = []
    problems: list[Problem] = []
    workflows: list[Workflow] = []
    in_order = sorted(files, key=lambda file: file.path)
    texts = {file.path: file.data for file in in_order if _feeds_projects(file.path)}
    for file in in_order:
        kind = kind_of(file.path)
        if kind is None:
            continue
        found = _project(file, texts) if kind is Kind.PROJECT else memory.findings(file, kind)
        usages += found.usages
        problems += found.problems
        if file.path.startswith(_WORKFLOWS):
            workflow = dispatchable(file.path, decode(file.data))
            workflows += [workflow] if workflow is not None else []
    return Findings(tuple(usages), tuple(problems)), tuple(workflows)


def _feeds_projects(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("Directory.Build.") or name == "global.json"


def _project(file: File, texts: Mapping[str, bytes]) -> Findings:
    if _feeds_projects(file.path):
        return find_usages(file.path, file.data, Kind.PROJECT)
    props = [(path, decode(data)) for path, data in texts.items() if not path.endswith("global.json")]
    if not props and not texts:
        return find_usages(file.path, file.data, Kind.PROJECT)
    if len(file.data) > LARGEST_FILE or b"\0" in file.data:
        return find_usages(file.path, file.data, Kind.PROJECT)
    pin = _sdk_above(file.path, texts)
    return project.find_project(file.path, decode(file.data), props, sdk=pin)


def _sdk_above(path: str, texts: Mapping[str, bytes]) -> str | None:
    """The SDK that the nearest global.json in the folders above pins (how the .NET host looks for it)."""
    folder = path
    while folder:
        folder = folder.rpartition("/")[0]
        data = texts.get(f"{folder}/global.json" if folder else "global.json")
        if data is not None:
            found = global_json.pin(decode(data))
            return found.version if found is not None else None
    return None


def _placed(found: Findings, path: str) -> Findings:
    return Findings(
        tuple(usage if usage.path == path else replace(usage, path=path) for usage in found.usages),
        tuple(problem if problem.path == path else replace(problem, path=path) for problem in found.problems),
    )
