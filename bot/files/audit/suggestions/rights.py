"""Rights that a suggested step needs, put into the permissions of its job."""

import re
from collections.abc import Mapping as Values

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, with_key, with_keys
from bot.files.audit.workflows.model import Pipeline, PipelineStep
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
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, required_rights: Values[str, str]
) -> tuple[Edit, ...]:
    """The edits that grant a step's job what it lacks. Raises `NotSpliceable`.

    A job without permissions of its own gets those that it has had, so that it keeps them.
    """
    job = step.job
    missing = {scope: right for scope, right in required_rights.items() if job.may_write(scope) is not True}
    if not missing:
        return ()
    own = job.mapping.get("permissions")
    if isinstance(own, Mapping) and own.own:
        return edits_of(with_keys(repository, own, missing, ""))
    if own is not None:
        raise NotSpliceable("the rights of its job are written as one word")
    lines = [
        f"  {scope}: {right}" for scope, right in {**_until_now(repository, pipeline, step), **missing}.items()
    ]
    return edits_of(with_key(repository, job.mapping, "permissions", ["", *lines], ""))


def rights_alone(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, advice: str, scope: str = "id-token"
) -> Fix:
    """Suggests to give a step's job one right to write, by default that to an identity."""
    try:
        check_own_workflow(pipeline, step)
        return Fix(advice, suggested=rights(repository, pipeline, step, {scope: "write"}))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))


def _until_now(repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep) -> dict[str, str]:
    permissions = pipeline.root.get("permissions")
    if isinstance(permissions, Mapping):
        return {key.value: value.value for key, value in permissions.entries() if isinstance(value, Scalar)}
    if permissions is not None:
        raise NotSpliceable("the rights of its workflow are written as one word")
    steps = [each for each in pipeline.steps if each.job is step.job]
    if any(map(_uses_token, steps)):
        raise NotSpliceable("what its job does with its token is not known, and it would keep no other rights")
    needed = {"contents": "read"}
    if "ghcr.io" in repository.text(step.path):
        needed["packages"] = "write"
    if any(each.action.startswith("github/codeql-action/") for each in steps):
        needed["security-events"] = "write"
    return needed


def _uses_token(step: PipelineStep) -> bool:
    """Whether a step is handed the job's token for more than a registry, or pushes with what checkout has left."""
    if step.action == _LOGIN:
        return False
    holders = (step.job.mapping.mapping("env"), step.mapping.mapping("env"), step.mapping.mapping("with"))
    values = [value.value for each in holders for _, value in each.entries() if isinstance(value, Scalar)]
    run = step.mapping.scalar("run")
    commands = run.value if run is not None else ""
    return _PUSHES.search(commands) is not None or any(map(_TOKEN.search, (commands, *values)))
