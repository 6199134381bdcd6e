"""Which step writes the digest by which a command names an image, where it takes it from steps or variables."""

import re
from collections.abc import Iterable, Iterator

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.workflows.flattening import DEEPEST_CALL
from bot.files.audit.workflows.model import Pipeline, PipelineJob, PipelineStep
from bot.files.formats.source.nodes import Mapping

OF_STEP = re.compile(r"\bsteps\.(?P<step>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
"""An output of a step of the same job."""
_OF_JOB = re.compile(r"\bneeds\.(?P<job>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
_OF_CALLED = re.compile(r"\bjobs\.(?P<job>[\w-]+)\.outputs\.(?P<output>[\w-]+)")
_OF_ENVIRONMENT = re.compile(r"\benv\.(?P<name>\w+)")
_VARIABLE = re.compile(r"@[\"']?\$\{?(?P<name>[A-Za-z_]\w*)")
_BAKE = "docker/bake-action"
_TELL_NONE = re.compile(r"docker/(?:metadata|login|setup-[\w-]+)-action$|^actions/(?:checkout|cache)$")
"""Actions that tell no digest."""


def writer_of(
    repository: RepositoryTexts, pipeline: Pipeline, step: PipelineStep, name: str
) -> tuple[str, str] | None:
    """The job and the id of the step whose output a name ends with in `step`, through the outputs of jobs and of
    workflows that are called; None where it ends with none, or which one is not told."""
    tail = name.rpartition("@")[2]
    if output := OF_STEP.search(tail):
        return step.job.name, output["step"]
    output = _OF_JOB.search(tail)
    job = _job_beside(pipeline, step, output["job"]) if output is not None else None
    for _ in range(DEEPEST_CALL):
        if job is None or output is None:
            return None
        if job.mapping.scalar("uses") is None:
            written = job.mapping.mapping("outputs").scalar(output["output"])
            output = OF_STEP.search(written.value) if written is not None else None
            return (job.name, output["step"]) if output is not None else None
        output = _output_of_called(repository, pipeline, job, output["output"])
        job = _job_named(pipeline, f"{job.name}/{output['job']}") if output is not None else None
    return None


def _output_of_called(
    repository: RepositoryTexts, pipeline: Pipeline, job: PipelineJob, name: str
) -> re.Match[str] | None:
    """The job, and its output, that a workflow which is called here hands on by that name."""
    inner = next((each for each in pipeline.jobs if each.name.startswith(f"{job.name}/")), None)
    root = repository.root(inner.path) if inner is not None else None
    if root is None:
        return None
    value = root.mapping("on").mapping("workflow_call").mapping("outputs").mapping(name).scalar("value")
    return _OF_CALLED.search(value.value) if value is not None else None


def unwritten_digest(pipeline: Pipeline, step: PipelineStep, names: Iterable[str]) -> str:
    """What names a digest in `names` or the step's script, and is written by nothing; empty where all is."""
    run = step.mapping.scalar("run")
    script = run.value if run is not None else ""
    earlier = pipeline.steps_until(step)
    digests = [name.rpartition("@")[2] for name in names]
    for name in digests:
        for match in OF_STEP.finditer(name):
            if not _step_tells(step, earlier, match["step"], match["output"]):
                return match.group()
        for match in _OF_JOB.finditer(name):
            if not _job_tells(pipeline, step, match["job"], match["output"]):
                return match.group()
    variables = [match["name"] for match in _VARIABLE.finditer(script)]
    variables += [match["name"] for name in digests for match in _OF_ENVIRONMENT.finditer(name)]
    for variable in variables:
        if variable not in step.environment and not any(_sets(text, variable) for text in _scripts(earlier)):
            return f"${variable}"
    return ""


def _step_tells(step: PipelineStep, earlier: list[PipelineStep], name: str, output: str) -> bool:
    """Whether an earlier step of the job has the output; one that is not read here may have any."""
    earlier_steps = [each for each in earlier if each.id == name and each is not step]
    if not earlier_steps:
        steps = (each for each in step.job.mapping.sequence("steps") if isinstance(each, Mapping))
        return any(written.value == name for each in steps if (written := each.scalar("id")) is not None)
    return any(_tells(each, output) for each in earlier_steps)


def _tells(step: PipelineStep, output: str) -> bool:
    run = step.mapping.scalar("run")
    if run is not None:
        return re.search(rf"(?<![\w-]){re.escape(output)}(?![\w-])", run.value) is not None
    if step.action == _BAKE:
        return output == "metadata"
    return _TELL_NONE.search(step.action) is None


def _job_tells(pipeline: Pipeline, step: PipelineStep, name: str, output: str) -> bool:
    """Whether a job has the output: one beside the step's, or beside the call by which the step was given it."""
    job = _job_beside(pipeline, step, name)
    if job is None:
        return False
    return job.mapping.scalar("uses") is not None or output in job.mapping.mapping("outputs").own


def _job_beside(pipeline: Pipeline, step: PipelineStep, name: str) -> PipelineJob | None:
    folder = step.job.name
    while folder:
        folder = folder.rpartition("/")[0]
        if job := _job_named(pipeline, f"{folder}/{name}".lstrip("/")):
            return job
    return None


def _job_named(pipeline: Pipeline, name: str) -> PipelineJob | None:
    return next((each for each in pipeline.jobs if each.name == name), None)


def _scripts(steps: Iterable[PipelineStep]) -> Iterator[str]:
    """The scripts of steps; what other actions put into the environment is not read here."""
    for step in steps:
        run = step.mapping.scalar("run")
        if run is not None:
            yield run.value


def _sets(script: str, variable: str) -> bool:
    name = re.escape(variable)
    return (
        re.search(rf"(?<![\w$])(?:{name}\+?=|for\s+{name}\s|(?:read|mapfile)\b[^\n]*\s{name}\b)", script)
        is not None
    )
