"""What jobs ask of docker/github-builder, the reusable workflows of Docker that build in a place of their own.

Source: the inputs of its `build.yml` and `bake.yml`: `push` and `sbom` are false where they are left out, `sign` is
`auto`, which signs what is pushed; a build with `output: local` pushes nothing. It scans nothing.
"""

import re

from bot.files.audit.delivery.delivery import RemoteBuild
from bot.files.audit.shell import is_unknown
from bot.files.audit.workflows.contexts import narrowed_events
from bot.files.audit.workflows.expressions import input_condition
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineJob

GITHUB_BUILDER = "docker/github-builder/"
_BUILDS = re.compile(rf"{GITHUB_BUILDER}\.github/workflows/(?:build|bake)\.ya?ml@", re.IGNORECASE)


def remote_build(pipeline: Pipeline, job: PipelineJob) -> RemoteBuild | None:
    """What the job has built and pushed; None where it calls something else, or pushes nothing that is accepted."""
    if not _BUILDS.match(job.remote or ""):
        return None
    inputs = {name: value.strip() for name, value in job.inputs.items()}
    pushes = input_condition(inputs.get("push") or "false")
    events = narrowed_events(job.events - TESTS_ONLY, pushes, {}, pipeline.root)
    if not events or inputs.get("output") == "local":
        return None
    return RemoteBuild(
        pipeline,
        job,
        events,
        gets_sbom=_flag(inputs.get("sbom") or "false"),
        is_signed=_flag((inputs.get("sign") or "auto").replace("auto", "true")),
    )


def _flag(text: str) -> bool | None:
    return None if is_unknown(text) else text.lower() == "true"
