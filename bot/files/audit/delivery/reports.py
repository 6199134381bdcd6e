"""Who reads the report that a scan writes: steps after it that name the file, or an output of the scan.

A scan that is made to fail keeps its report from all of them, for by default no step runs after one that failed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.shell import is_unknown
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

UPLOAD_SARIF = "github/codeql-action/upload-sarif"
_UPLOAD, _DOWNLOAD = "actions/upload-artifact", "actions/download-artifact"
_KEEPERS = frozenset({UPLOAD_SARIF, _UPLOAD, _DOWNLOAD, "actions/cache", "actions/cache/save"})
"""Actions that bring a report elsewhere, and end no run by what stands in it."""
_PATCHERS = frozenset({"project-copacetic/copa-action"})
"""Actions that make another image by a report: a gate has to look at that one."""
_FILE_INPUTS = ("output", "output-file", "sarif-file")
_SCANNER = re.compile(r"\b(?:trivy|grype|scout)\b")
_WRITTEN = re.compile(
    r"(?:(?:^|\s)(?:--output|--file|-o)[ \t=]+(?:\w+=)?|>[ \t]*|\btee[ \t]+(?:-a[ \t]+)?)"
    r"[\"']?([^\s\"'|;&<>]+\.\w+)"
)
_ONLY_SHOWS = re.compile(
    r"\s*(?:#[^\n]*|[{}]|(?:cat|echo|printf|tee|head|tail|ls|cp|mv|mkdir)(?:\s(?:[^\n|&;`$(]|\$\{?GITHUB_\w+)*)?)?"
)
"""One command that passes on what it reads and fails by nothing that stands there."""
_BETWEEN_WORDS = re.compile(r"[\s'\"=,:;|&()<>`]+")
_OF_STEP = re.compile(r"\bsteps\.[\w-]+\.outputs\.")
_ENDS_RUN = re.compile(r"(?m)(?:^|[;&|{]|\bthen\b)[ \t]*(?:exit[ \t]+[1-9]|false\b)")


@dataclass(frozen=True, slots=True)
class Reader:
    """A step that reads a scan's report. `may_gate`: it may end the run by what it reads. `is_patcher`: it makes
    another image by it."""

    step: PipelineStep
    may_gate: bool
    is_patcher: bool = False


def readers_of(scan: ImageScan) -> list[Reader]:
    """Who reads a scan's report, in the order of the steps; its own step where the rest of its script does."""
    names = _report_files(scan)
    readers = []
    for step in scan.pipeline.steps:
        if step is scan.step:
            rest = _lines_without_scanner(step)
            if any(_mentions(line, names) for line in rest):
                readers.append(Reader(step, not all(map(_ONLY_SHOWS.fullmatch, rest))))
        elif scan.step.is_before(step) and _reads(scan, step, names, readers):
            readers.append(Reader(step, _may_gate(step), step.action in _PATCHERS))
    return readers


def why_as_it_is(scan: ImageScan) -> str:
    """Why a scan is let report all that it does: another step reads that; empty where none does."""
    readers = readers_of(scan)
    return f"{readers[0].step.subject} reads its report, which would tell of less" if readers else ""


def takes_any_artifact(step: PipelineStep) -> bool:
    """Whether a step downloads artifacts of a run without saying which."""
    if step.action.endswith("/download-artifact") or step.action.endswith("/action-download-artifact"):
        return not any(step.input(each) for each in ("name", "pattern", "artifact-ids"))
    return any(
        command.name == "gh" and command.words[1:3] == ("run", "download") and not any(map(command.has, _WHICH))
        for command in step.commands
    )


_WHICH = ("--name", "-n", "--pattern", "-p")


def gate_of(scan: ImageScan) -> PipelineStep | None:
    """The later step of its job that ends the run where the scan itself was let go on: it asks for its outcome."""
    if not scan.step.id or scan.step.may_fail is False:
        return None
    asks = re.compile(
        rf"\bsteps\.{re.escape(scan.step.id)}\.outcome\s*(?:==\s*'failure'|!=\s*'success')", re.IGNORECASE
    )
    for step in scan.pipeline.steps:
        if step.job is scan.step.job and step.number > scan.step.number and step.may_fail is False:
            run = step.mapping.scalar("run")
            if run is not None and asks.search(step.condition) and _ENDS_RUN.search(run.value):
                return step
    return None


def _report_files(scan: ImageScan) -> set[str]:
    """The files that the scan writes, as they are named."""
    step = scan.step
    names = {step.input(key) for key in _FILE_INPUTS} if step.action else set()
    if scan.report is not None and " " not in scan.report:
        names.add(scan.report)
    for line in _script_lines(step):
        if _SCANNER.search(line):
            names |= set(_WRITTEN.findall(line))
    return {name.removeprefix("./") for name in names if name}


def _reads(scan: ImageScan, step: PipelineStep, names: set[str], earlier: list[Reader]) -> bool:
    if step.action == UPLOAD_SARIF and scan.report is not None and _may_upload(step, names):
        return True
    if step.action == _DOWNLOAD:
        uploads = [each.step for each in earlier if each.step.action == _UPLOAD]
        wanted = step.input("name")
        return any(not wanted or wanted == (each.input("name") or "artifact") for each in uploads)
    texts = list(_texts(step.mapping))
    if scan.step.id and scan.step.job is step.job:
        output = re.compile(rf"\bsteps\.{re.escape(scan.step.id)}\.(?:outputs|outcome)\b", re.IGNORECASE)
        if any(map(output.search, texts)):
            return True
    if scan.step.id and scan.step.job is not step.job and _hands_on(scan.step):
        needed = re.compile(
            rf"\bneeds\.{re.escape(scan.step.job.name.rpartition('/')[2])}\.outputs\b", re.IGNORECASE
        )
        if any(map(needed.search, [*texts, *_texts(step.job.mapping.get("if"))])):
            return True
    written = [*texts, *step.inputs.values()]
    return any(_mentions(text, names) for text in written)


def _may_upload(step: PipelineStep, names: set[str]) -> bool:
    """Whether an upload may be of one of these files: it names none of another name, and no output of a step."""
    named = step.input("sarif_file").removeprefix("./").rstrip("/")
    if not names or named in {"", "."} or is_unknown(named):
        return _OF_STEP.search(named) is None
    return _mentions(named, names)


def _hands_on(step: PipelineStep) -> bool:
    """Whether its job hands an output of the step to others."""
    outputs = _texts(step.job.mapping.get("outputs"))
    return any(f"steps.{step.id}." in text for text in outputs)


def _mentions(text: str, names: set[str]) -> bool:
    """Whether a text names one of the files, its folder, or a pattern that it fits."""
    for name in names:
        if name in text:
            return True
        folder, _, base = name.rpartition("/")
        for word in _BETWEEN_WORDS.split(text):
            path = word.removeprefix("./").rstrip("/")
            last = path.rpartition("/")[2]
            if last == base or (folder and path == folder):
                return True
            if "*" in last and "." in last and fnmatchcase(base, last):
                return True
            if last in {"*", "**"} and folder == path.rstrip("*").rstrip("/") != "":
                return True
    return False


def _may_gate(step: PipelineStep) -> bool:
    if step.action in _KEEPERS or step.action in _PATCHERS:
        return False
    lines = list(_script_lines(step))
    return not lines or not all(map(_ONLY_SHOWS.fullmatch, lines))


def _lines_without_scanner(step: PipelineStep) -> list[str]:
    return [line for line in _script_lines(step) if line.strip() and not _SCANNER.search(line)]


def _script_lines(step: PipelineStep) -> Iterator[str]:
    run = step.mapping.scalar("run")
    yield from run.value.replace("\\\n", " ").split("\n") if run is not None else ()


def _texts(node: Node | None) -> Iterator[str]:
    """All words below a node, at most four levels deep: a step has no more."""
    waiting: list[tuple[Node | None, int]] = [(node, 0)]
    while waiting:
        part, depth = waiting.pop()
        match part:
            case Scalar():
                yield part.value
            case Sequence() if depth < 4:
                waiting += [(item, depth + 1) for item in part.items]
            case Mapping() if depth < 4:
                waiting += [(value, depth + 1) for _, value in part.entries()]
