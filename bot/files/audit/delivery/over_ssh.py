"""Containers that a step starts on another machine, which it reaches by SSH: what runs there is not read.

Sources: the manuals of `ssh` and of Docker (`DOCKER_HOST`, contexts), and the descriptions of the actions that run
commands over SSH.
"""

import re
from collections.abc import Iterator

from bot.files.audit.shell import without_comments
from bot.files.audit.workflows.model import PipelineStep

_ACTION = re.compile(r"(?:^|[/-])ssh(?:[/-]|$)")
_BY_COMMAND = re.compile(
    r"(?:^|[;&|(]|^[ \t]*sshpass\b[^\n]{0,200}?[ \t])[ \t]*(?:sudo[ \t]+)?ssh[ \t]", re.MULTILINE
)
_BY_ENGINE = re.compile(r"(?:\bhost[= ]|\bDOCKER_HOST[=: ]|-H[= ]?)[ \t]*[\"']?ssh://", re.IGNORECASE)
_STARTS = re.compile(
    r"\b(?:(?:docker|podman)[ \t]+(?:run|load|pull|start|restart|service[ \t]+update|stack[ \t]+(?:up|deploy))"
    r"|(?:docker|podman)(?:-|[ \t]+)compose\b[^\n;&|]{0,200}?[ \t](?:up|pull|restart|start)"
    r"|kubectl[ \t]+(?:apply|set|rollout)|helm[ \t]+(?:upgrade|install))\b"
)
_SCRIPT = re.compile(
    r"(?:^|[;&|\"'])[ \t]*(?:(?:sudo|bash|sh|exec)[ \t]+){0,3}"
    r"(?P<script>(?:[.~]{0,2}/)?(?:[\w.-]{1,80}/){0,8}[\w.-]{0,80}(?:deploy|docker|compose|container)[\w.-]{0,80})"
    r"(?=[\s;&|\"']|$)",
    re.IGNORECASE | re.MULTILINE,
)
"""A script of the other machine, by its path, whose name tells that it brings containers there."""


def started_over_ssh(step: PipelineStep, *, has_images: bool) -> str:
    """What starts containers on another machine, in its words; empty for nothing.

    A script there counts where there are images to bring: `has_images`.
    """
    for text in texts_over_ssh(step):
        commands = without_comments(text)
        if (starting := _STARTS.search(commands)) is not None:
            return " ".join(starting.group().split())[:80]
        scripts = (match["script"] for match in _SCRIPT.finditer(commands))
        if has_images and (script := next((each for each in scripts if "/" in each or "." in each), "")):
            return script[:80]
    return ""


def texts_over_ssh(step: PipelineStep) -> Iterator[str]:
    """What a step has run on another machine, as far as its text tells where that begins."""
    if _ACTION.search(step.action):
        yield from step.inputs.values()
    run = step.mapping.scalar("run")
    if run is None:
        return
    if _BY_ENGINE.search(run.value) or step.environment.get("DOCKER_HOST", "").startswith("ssh://"):
        yield run.value
    elif (by_command := _BY_COMMAND.search(run.value)) is not None:
        yield run.value[by_command.end() :]
