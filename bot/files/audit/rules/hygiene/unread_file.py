"""A file that checks look at can be read.

What: one unknown, with line and reason, for each workflow, action, manifest, Compose file, kustomization, chart,
pipeline or Dockerfile that its own tool would refuse, each file that is too large, in Git LFS, or not UTF-8.

Example that is unknown::

    on: push
    jobs: [

Fix: mend the file at that line.

Exceptions: what is left out, templates of charts, and YAML that no check looks at.
"""

import re
from collections.abc import Iterator
from posixpath import dirname

from bot.domain.repositories.finding import FindingSeverity, Place
from bot.domain.repositories.repository import is_workflow
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.verdict import Verdict, unknown
from bot.files.audit.workloads.entries import KUSTOMIZATIONS
from bot.files.audit.workloads.kustomize import may_hold_workloads, patch_files
from bot.files.audit.workloads.refusals import refusal_by_kustomize
from bot.files.formats import repository_config
from bot.files.formats.compose.finder import KIND as COMPOSE
from bot.files.formats.compose.recognizing import is_of_version_1, may_be_compose_file
from bot.files.formats.dockerfile import KIND as DOCKERFILE
from bot.files.formats.dockerfile.finder import refusal as refused_by_docker
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence, mappings_under
from bot.files.formats.source.yaml import NO_TEXT
from bot.files.formats.table import LINE_BREAK_IN_PATH, holds_line_break, is_worth_reading
from bot.files.formats.workflows import KIND as WORKFLOW
from bot.files.scope import is_for_checks

_NO_UTF_8 = re.compile("[\udc80-\udcff]")
"""What bytes that are no UTF-8 were decoded to."""
_DATA = re.compile(r"^kind:\s*[\"']?(?:Secret|ConfigMap)\b", re.MULTILINE)
_TAKEN_BY_NAME = frozenset({*KUSTOMIZATIONS, "Chart.yaml"})
_VALUES = ("values.yaml", "values.yml")
_CORRECTED = "a file that can be read"
_VERSION_1 = "put its services under `services:`, since Docker takes no others any more"
Told = tuple[int, str]
"""The line at fault, and the reason; behind a semicolon in it what to do."""


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    charts = {dirname(path) for path in repository.paths if path.rpartition("/")[2] == "Chart.yaml"}
    for path in repository.paths:
        if holds_line_break(path):
            message, _, advice = LINE_BREAK_IN_PATH.partition("; ")
            yield unknown(Place(path, 1, 1), path.rpartition("/")[2], message, advice)
            continue
        why = _why_unread(repository, path, charts) if _is_looked_at(repository, path, charts) else None
        if why is not None:
            line, reason = why
            message, _, advice = reason.partition("; ")
            place = Place(path, line, line)
            yield unknown(place, path.rpartition("/")[2], message, advice or _CORRECTED)


def _is_looked_at(repository: RepositoryTexts, path: str, charts: set[str]) -> bool:
    """Whether a check would ask something of the file, as far as its path and what is seen of its text tell."""
    kind = repository.kind(path)
    if not repository.scope.is_judged(path):
        return False
    if kind in {DOCKERFILE, COMPOSE}:
        return not repository.scope.is_for_developers(path)
    folder, _, name = path.rpartition("/")
    is_values = name in _VALUES and folder in charts
    if kind == WORKFLOW or path == repository_config.PATH or is_values or name in _TAKEN_BY_NAME:
        return True
    if path in patch_files(repository):
        return True
    if kind == MANIFEST:
        glimpse = repository.glimpse(path) if is_worth_reading(path) else ""
        is_compose = may_be_compose_file(glimpse) and repository.unreadable(path) is not None
        is_data = repository.refusal(path) is not None and _DATA.search(glimpse) is not None
        return is_compose or is_data or may_hold_workloads(glimpse)
    return is_for_checks(path, repository)


def _why_unread(repository: RepositoryTexts, path: str, charts: set[str]) -> Told | None:
    refused = repository.refusal(path)
    if refused is not None:
        return 1, refused
    text = repository.text(path)
    stray = None if text.isascii() else _NO_UTF_8.search(text)
    if stray is not None:
        return repository.lines(path).at(stray.start()), "holds bytes that are no UTF-8; convert it"
    kind, name = repository.kind(path), path.rpartition("/")[2]
    if kind == DOCKERFILE:
        fault = refused_by_docker(text)
        return (fault.line, fault.message) if fault is not None else None
    is_of_chart = kind == MANIFEST and name != "Chart.yaml" and any(map(path.startswith, _below(charts)))
    if is_of_chart or not _is_yaml(path):
        return None
    if (error := repository.unreadable(path)) is not None:
        return min(error.line, len(repository.lines(path))), str(error)
    if kind in {WORKFLOW, COMPOSE} or name in {*KUSTOMIZATIONS, *_VALUES}:
        misshapen = _misshapen(repository, path)
        return misshapen or (_refused_by_kustomize(repository, path) if name in KUSTOMIZATIONS else None)
    return None


def _refused_by_kustomize(repository: RepositoryTexts, path: str) -> Told | None:
    if (refusal := refusal_by_kustomize(repository, path)) is None:
        return None
    node, why = refusal
    return _at(repository, node, path), why


def _below(charts: set[str]) -> Iterator[str]:
    return (f"{folder}/" if folder else "" for folder in charts)


def _is_yaml(path: str) -> bool:
    return path.endswith((".yml", ".yaml")) or path.rpartition("/")[2] in KUSTOMIZATIONS


def _misshapen(repository: RepositoryTexts, path: str) -> Told | None:
    """What in a file that has to be one mapping is not as its tool wants it; None where nothing is."""
    documents = [each for each in repository.documents(path) if not (isinstance(each, Scalar) and each.is_null)]
    if not documents:
        return None
    root, *others = documents
    if not isinstance(root, Mapping):
        return _at(repository, root, path), "the file is no mapping of keys"
    if repository.kind(path) == COMPOSE and is_of_version_1(root):
        return _at(repository, root, path), f"the file is of Compose's version 1; {_VERSION_1}"
    if others and repository.kind(path) != COMPOSE:
        return _at(repository, others[0], path), "the file holds several documents, of which the first is read"
    for _, mapping in mappings_under(root):
        if (again := mapping.repeated) is not None:
            return _at(repository, again, path), f"the key {again.value[:80]} stands twice in one mapping"
        odd_key = next((key for key, _ in mapping.own.values() if key.value.startswith(NO_TEXT)), None)
        if odd_key is not None:
            return _at(repository, odd_key, path), "a key is no text but a list or a mapping"
    return _misshapen_jobs(repository, path, root) if is_workflow(path) else None


def _misshapen_jobs(repository: RepositoryTexts, path: str, root: Mapping) -> Told | None:
    jobs = root.get("jobs")
    if root.get("on") is None:
        return _at(repository, root, path), "the workflow names no event under `on`"
    if not isinstance(jobs, Mapping):
        return _at(repository, jobs or root, path), "the workflow has no mapping `jobs`"
    for name, job in jobs.entries():
        if not isinstance(job, Mapping):
            return _at(repository, name, path), f"the job {name.value[:80]} is no mapping of keys"
        steps = job.get("steps")
        if steps is None and job.get("uses") is None:
            return _at(repository, name, path), f"the job {name.value[:80]} has neither `steps` nor `uses`"
        is_list = isinstance(steps, Sequence) and all(isinstance(step, Mapping) for step in steps.items)
        if steps is not None and not is_list:
            return _at(repository, steps, path), f"the steps of the job {name.value[:80]} are no list of mappings"
    return None


def _at(repository: RepositoryTexts, node: Node, path: str) -> int:
    return repository.place(node, path).start


RULE = Rule(
    "unread-file",
    "Files that checks look at can be read",
    "What cannot be read has nothing to complain about, and says nothing either.",
    FindingSeverity.MEDIUM,
    judge,
)
