"""The steps of docker/metadata-action, and which of them tells the names of what another step handles.

Source: the outputs of docker/metadata-action, which crazy-max/ghaction-docker-meta was before.
"""

import re

from bot.files.audit.workflows.model import Pipeline, PipelineStep

METADATA_ACTIONS = frozenset({"docker/metadata-action", "crazy-max/ghaction-docker-meta"})
NAMES = re.compile(
    r"\bsteps\.(?P<step>[\w-]+)\.outputs\.(?:tags|json)\b|\benv\.DOCKER_METADATA_OUTPUT_(?:TAGS|JSON)\b",
    re.IGNORECASE,
)
"""What tells all names that it gives an image, or one of them."""
VERSION = re.compile(
    r"\bsteps\.(?P<step>[\w-]+)\.outputs\.version\b|\benv\.DOCKER_METADATA_OUTPUT_VERSION\b", re.IGNORECASE
)
"""What tells the tag of one of them."""
_ALL_NAMES = re.compile(rf"\$\{{\{{\s*(?:{NAMES.pattern})\s*\}}\}}", re.IGNORECASE)


def metadata_of(pipeline: Pipeline, step: PipelineStep, text: str, way: re.Pattern[str]) -> PipelineStep | None:
    """The step of metadata-action that a text in a later step of its job takes its names, or a version, of."""
    match = way.search(text)
    if match is None:
        return None
    steps = [each for each in pipeline.steps_until(step) if each.action in METADATA_ACTIONS]
    return next((each for each in reversed(steps) if match["step"] in {None, each.id}), None)


def naming_step(pipeline: Pipeline, step: PipelineStep, names: str) -> PipelineStep | None:
    """The step of metadata-action that gives all names of what a step pushes; None where it gives only some."""
    return metadata_of(pipeline, step, names, NAMES) if _ALL_NAMES.fullmatch(names.strip()) else None
