"""What a pipeline takes as it is started: the parameters that its file declares.

Source: the YAML schema of Azure Pipelines, `parameters`: each has a name, and is required where it has no default.
"""

from bot.domain.repositories.repository import Workflow
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Scalar, Sequence
from bot.files.formats.source.yaml import read


def startable(path: str, text: str) -> Workflow | None:
    """The pipeline with what it takes; None of a text that is none."""
    try:
        roots = read(text)
    except Unreadable:
        return None
    if not roots or not isinstance(roots[0], Mapping):
        return None
    parameters = roots[0].get("parameters")
    declared = parameters.items if isinstance(parameters, Sequence) else ()
    named = [
        (name.value, each.get("default") is not None)
        for each in declared
        if isinstance(each, Mapping) and isinstance(name := each.get("name"), Scalar)
    ]
    required = tuple(name for name, has_default in named if not has_default)
    return Workflow(path, tuple(name for name, _ in named), required=required)
