"""Rights that a suggested step needs, put into the permissions of its job."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Values

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.domain.wording.words import first_few
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, with_key, with_keys
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import Pipeline, PipelineJob, PipelineStep
from bot.files.formats.source.nodes import Mapping, Scalar

_LOGIN = "docker/login-action"
_TOKEN = re.compile(r"\b(?:secrets\.GITHUB_TOKEN|github\.token)\b", re.IGNORECASE)
_PUSHES = re.compile(r"(?<![\w./-])(?:git[ \t]+push|gh[ \t]+[a-z])")


def check_own_workflow(pipeline: Pipeline, step: PipelineStep) -> None:
    """Raises `NotSpliceable` where what a step may do is decided by those who call it."""
    if step.through:
        raise NotSpliceable("it stands in an action, whose callers grant it its rights")
    if step.path != pipeline.path or step.job.is_reusable:
        raise NotSpliceable("it stands in a workflow that others call, who grant it its rights")


def rights(
    repository: RepositoryTexts,
    pipeline: Pipeline,
    step: PipelineStep,
    required_rights: Values[str, str],
    beside: Values[str, str] | None = None,
) -> tuple[Edit, ...]:
    """The edits that grant a step's job what it lacks. Raises `NotSpliceable`.

    A job without permissions of its own gets those that it has had, so that it keeps them. Where its workflow is
    called, those who call it have to grant all that it asks for: a run does not begin otherwise. With them go the
    rights that other suggestions for this job need, `beside`, as far as callers grant these too: a job has its
    rights once, so that each suggestion writes the same.
    """
    try:
        return _granting(repository, pipeline, step, {**required_rights, **(beside or {})})
    except _NotGranted:
        return _granting(repository, pipeline, step, required_rights)


class _NotGranted(NotSpliceable):
    """Those who call a workflow do not grant what its job would ask for, or it is not known of them."""


def _granting(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, wanted_rights: Values[str, str]
) -> tuple[Edit, ...]:
    job = step.job
    missing = {scope: right for scope, right in wanted_rights.items() if job.may_write(scope) is not True}
    if not missing:
        return ()
    own = job.mapping.get("permissions")
    has_own = isinstance(own, Mapping) and bool(own.own)
    if own is not None and not has_own:
        raise NotSpliceable("the rights of its job are written as one word")

    def needed(calling: PipelineJob | None) -> dict[str, str]:
        return missing if has_own else {**_until_now(repository, pipeline, step, calling), **missing}

    _check_granted(repository, pipeline, step, needed)
    if has_own and isinstance(own, Mapping):
        return edits_of(with_keys(repository, own, missing, ""))
    lines = [f"  {scope}: {right}" for scope, right in needed(None).items()]
    return edits_of(with_key(repository, job.mapping, "permissions", ["", *lines], ""))


def _check_granted(
    repository: RepositoryTexts,
    pipeline: Pipeline,
    step: PipelineStep,
    needed: Callable[[PipelineJob | None], Values[str, str]],
) -> None:
    """Raises `_NotGranted` where the job of a workflow that is called would ask for more than its callers grant,
    or for more than is known of them. Each caller is told what its own call needs."""
    callers = list(_callers(repository, step))
    if "workflow_call" in pipeline.events and not callers:
        raise _NotGranted(f"others call it, and have to grant it {_listed(needed(None))}")
    paths_by_rights: dict[str, dict[str, None]] = {}
    for calling in callers:
        rights_of_call = needed(calling)
        if not all(_grants(calling, scope, right) for scope, right in rights_of_call.items()):
            paths_by_rights.setdefault(_listed(rights_of_call), {})[calling.path] = None
    if paths_by_rights:
        raise _NotGranted("; ".join(_asked(list(paths), listed) for listed, paths in paths_by_rights.items()))


def _listed(asked_rights: Values[str, str]) -> str:
    return ", ".join(f"{scope}: {right}" for scope, right in asked_rights.items())


def _asked(paths: list[str], listed: str) -> str:
    call, have = ("call", "have") if len(paths) > 1 else ("calls", "has")
    return f"{first_few(paths)} {call} it, and {have} to grant it {listed}"


def _callers(repository: RepositoryTexts, step: PipelineStep) -> Iterator[PipelineJob]:
    """The jobs of workflows here that call the one of a step."""
    for pipeline in pipelines(repository):
        jobs = {job.name: job for job in pipeline.jobs}
        for job in jobs.values():
            if job.mapping is step.job.mapping and (caller := jobs.get(job.name.rpartition("/")[0])) is not None:
                yield caller


def _grants(job: PipelineJob, scope: str, right: str) -> bool:
    granted = (job.permissions or {}).get(scope)
    return granted == "write" or (granted is not None and granted == right)


def rights_alone(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, advice: str, scope: str = "id-token"
) -> Fix:
    """Suggests to give a step's job one right to write, by default that to an identity."""
    try:
        check_own_workflow(pipeline, step)
        return Fix(advice, suggested=rights(repository, pipeline, step, {scope: "write"}))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))


def _until_now(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, calling: PipelineJob | None
) -> dict[str, str]:
    """The rights that a job without permissions of its own has: by those of the file that it stands in, or else by
    what the job `calling` it grants."""
    permissions = (repository.root(step.job.path) or pipeline.root).get("permissions")
    if isinstance(permissions, Mapping):
        return {key.value: value.value for key, value in permissions.entries() if isinstance(value, Scalar)}
    if permissions is not None:
        raise NotSpliceable("the rights of its workflow are written as one word")
    granted = dict((calling.permissions if calling is not None else None) or {})
    steps = [each for each in pipeline.steps if each.job is step.job]
    if not granted and any(map(_uses_token, steps)):
        raise NotSpliceable("what its job does with its token is not known, and it would keep no other rights")
    needed = {"contents": "read"}
    if "ghcr.io" in repository.text(step.path):
        needed["packages"] = "write"
    if any(each.action.startswith("github/codeql-action/") for each in steps):
        needed["security-events"] = "write"
    return {**granted, **{scope: right for scope, right in needed.items() if granted.get(scope) != "write"}}


def _uses_token(step: PipelineStep) -> bool:
    """Whether a step is handed the job's token for more than a registry, or pushes with what checkout has left."""
    if step.action == _LOGIN:
        return False
    holders = (step.job.mapping.mapping("env"), step.mapping.mapping("env"), step.mapping.mapping("with"))
    values = [value.value for each in holders for _, value in each.entries() if isinstance(value, Scalar)]
    run = step.mapping.scalar("run")
    commands = run.value if run is not None else ""
    return _PUSHES.search(commands) is not None or any(map(_TOKEN.search, (commands, *values)))
