"""Pushes that the text of a step says, and that no command of it is read as.

They are handed as a text to `eval`, `Invoke-Expression`, another shell or machine, or an action that tries again.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.pushing import copies_image, pushed_names
from bot.files.audit.shell import joined_lines
from bot.files.audit.workflows.model import PipelineStep

_SILENT = r"^(?![ \t]*(?:#|//|@?echo\b|printf\b|Write-\w+|\w*log\())[^\n]*?"
_BETWEEN = r"(?:[\"']?,?[ \t]*+(?:-ArgumentList[ \t]++)?\[?[ \t]*+[\"']|[ \t]++)"
_SAID = re.compile(
    rf"{_SILENT}\b(?P<said>(?:docker|podman|buildah|nerdctl)(?:\.exe)?{_BETWEEN}(?:(?:image|manifest|compose){_BETWEEN})?push\b"
    r"|(?:docker|podman|buildah)\b[^\n]{0,300}[ \t]--push\b|buildx[ \t]+imagetools[ \t]+create\b"
    r"|buildctl\b[^\n]{0,300}\bpush=true|jib:build\b)(?![ \t\"']*(?:localhost|127\.))",
    re.IGNORECASE | re.MULTILINE,
)
_COMMANDS = ("command", "commands", "script", "run", "cmd")
"""Inputs in which actions take what they run."""


def said_push(step: PipelineStep) -> str:
    """What the text of a step says of a push that nothing else is told of, in its words; empty for nothing."""
    if any(pushed_names(each) is not None or copies_image(each) for each in step.commands):
        return ""
    pushes = (_SAID.search(joined_lines(text)) for text in _texts(step))
    return next((" ".join(match["said"].split())[:80] for match in pushes if match is not None), "")


def _texts(step: PipelineStep) -> Iterator[str]:
    run = step.mapping.scalar("run")
    if run is not None:
        yield run.value
    yield from (step.inputs[name] for name in _COMMANDS if name in step.inputs)
