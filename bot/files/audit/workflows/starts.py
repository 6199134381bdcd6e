"""What a run knows of its start: the event with its ref and inputs, as GitHub's contexts hold them.

Source: GitHub's pages "Contexts" and "Events that trigger workflows": a schedule runs on the default branch, with
no inputs, and what the payload of another event holds is empty.
"""

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from bot.domain.repositories.repository import is_workflow
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.contexts import default_inputs
from bot.files.audit.workflows.model import Pipeline
from bot.files.audit.workflows.refs import spoken_refs
from bot.files.formats.source.nodes import Mapping

USUAL_BRANCHES = frozenset({"main", "master", "develop", "development", "dev", "trunk"})
"""Names that default branches have."""
_FIRST_BRANCHES = frozenset({"main", "master"})
"""Those that Git and GitHub give the first branch; the others are made beside one."""
_SPOKEN = re.compile(r"refs/heads/([\w./-]+)|\bref_name\s*[!=]=\s*'([^'\n]+)'")
_PULL_REQUEST = re.compile(r"\bissue\.pull_request\b|\brefs/pull/|\bgh\s+pr\s+(?:checkout|view)\b|\bpulls\.get\b")
_ANY_OTHER = "x-default"
MOST_BRANCHES = 12
_EMPTY = (
    *(
        "github.head_ref",
        "github.base_ref",
        "github.event.action",
        "github.event.number",
        "github.event.label.name",
    ),
    *("github.event.head_commit.message", "github.event.release.tag_name", "github.event.release.prerelease"),
    *("github.event.pull_request.number", "github.event.pull_request.merged", "github.event.pull_request.draft"),
    *("github.event.pull_request.head.repo.fork", "github.event.pull_request.head.repo.full_name"),
    *("github.event.workflow_run.conclusion", "github.event.created", "github.event.deleted"),
)
"""What only the payloads of other events hold."""
_GOES_WELL = {"success()": "true", "failure()": "false", "cancelled()": "false"}


@dataclass(frozen=True, slots=True)
class RunStart:
    """One event, with what contexts hold in its run for certain; what is not among `values` only the run knows."""

    event: str
    values: Dict[str, str]


def scheduled(repository: RepositoryTexts, root: Mapping, branch: str, cron: str) -> RunStart:
    """A run of the workflow by its schedule, where that is the default branch, in which no step fails."""
    trigger = root.mapping("on")
    names = [
        key.value.lower()
        for event in ("workflow_dispatch", "workflow_call")
        for key, _ in trigger.mapping(event).mapping("inputs").entries()
    ]
    inputs = {f"{context}.{name}": "" for name in names for context in ("inputs", "github.event.inputs")}
    values = {**_of_any(repository, branch), **inputs, "github.event.schedule": cron}
    return RunStart(
        "schedule", {**values, **_ref("branch", "refs/heads/", branch), "github.event_name": "schedule"}
    )


def pushed(repository: RepositoryTexts, branch: str) -> RunStart:
    """A run for a push to the default branch."""
    values = {**_of_any(repository, branch), **_ref("branch", "refs/heads/", branch), "github.event_name": "push"}
    del values["github.event.head_commit.message"]
    return RunStart("push", values)


def dispatched(
    repository: RepositoryTexts, root: Mapping, branch: str, tag: str = "", given: frozenset[str] = frozenset()
) -> RunStart:
    """A run that is started by its name on the default branch, or on `tag`. Inputs have their defaults, but for
    those that are `given`."""
    defaults = default_inputs(root, "workflow_dispatch")
    known = {key: value for key, value in defaults.items() if key.removeprefix("inputs.") not in given}
    inputs = {**known, **{f"github.event.{key}": value for key, value in known.items()}}
    ref = _ref("tag", "refs/tags/", tag) if tag else _ref("branch", "refs/heads/", branch)
    values = {**_of_any(repository, branch), **inputs, **ref, "github.event.schedule": ""}
    return RunStart("workflow_dispatch", {**values, "github.event_name": "workflow_dispatch"})


def _of_any(repository: RepositoryTexts, branch: str) -> dict[str, str]:
    owner, slash, _ = repository.name.partition("/")
    names = {"github.repository": repository.name, "github.repository_owner": owner} if slash else {}
    own = {"github.event.repository.default_branch": branch, "github.event.repository.fork": "false"}
    return {**dict.fromkeys(_EMPTY, ""), **_GOES_WELL, **names, **own}


def _ref(kind: str, prefix: str, name: str) -> dict[str, str]:
    return {"github.ref": f"{prefix}{name}", "github.ref_name": name, "github.ref_type": kind}


def speaks_of_pull_requests(repository: RepositoryTexts, pipeline: Pipeline) -> bool:
    """Whether a workflow, or what it calls here, asks of which pull request a comment is."""
    paths = {pipeline.path, *(step.path for step in pipeline.steps)}
    return any(_PULL_REQUEST.search(repository.text(path)) for path in paths)


def default_branches(repository: RepositoryTexts) -> tuple[str, ...]:
    """The names that the default branch may have: the one that the forge or the checkout tells, else as far as the
    workflows do: one where they name `main` or `master`, and no other usual name.

    Beside another usual name, as Git flow's `develop`, it may be one that they do not name; where they name none
    of these, it may be any branch that they name too.
    """
    return repository.kept(_default_branches)


def _default_branches(repository: RepositoryTexts) -> tuple[str, ...]:
    if default_branch := repository.surroundings.default_branch:
        return (default_branch,)
    names = set[str]()
    for path in repository.paths:
        if is_workflow(path):
            names |= {first or second for first, second in _SPOKEN.findall(repository.text(path))}
            root = repository.root(path)
            if root is not None:
                names |= set(spoken_refs(root.mapping("on"), "branches"))
    usual = names & USUAL_BRANCHES
    if usual & _FIRST_BRANCHES:
        return tuple(sorted(usual))
    if usual:
        return (*sorted(usual), _ANY_OTHER)
    return (*sorted(names)[: MOST_BRANCHES - 1], _ANY_OTHER)
