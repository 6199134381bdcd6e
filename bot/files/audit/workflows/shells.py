"""Which shell runs a step, and which failures end it.

Source: GitHub's table of `jobs.<job_id>.steps[*].shell`. `$ErrorActionPreference = 'stop'` of PowerShell is not
about programs: after the script GitHub exits with the code of the last one.
"""

from collections.abc import Mapping as Dict
from collections.abc import Sequence as Items

from bot.files.audit.shell import Stops
from bot.files.audit.workflows.expressions import filled
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

_LIKE_BASH = ("bash", "sh")
_LAST_COUNTS = ("pwsh", "powershell", "cmd")


def shell_of(around: Items[Mapping], values: Dict[str, str]) -> str:
    """The shell of a step, as it is written: `around` are the step, its job and its workflow.

    Empty where nothing is written and the runner is not one of Windows, whose own one is PowerShell.
    """
    step, job, *_ = around
    shell = step.scalar("shell")
    for mapping in around[1:]:
        shell = shell or mapping.mapping("defaults").mapping("run").scalar("shell")
    if shell is not None:
        return filled(shell.value, values).strip()
    return "pwsh" if any(each.lower().startswith("windows") for each in runners_of(job, values)) else ""


def stops_of(shell: str) -> Stops | None:
    """Which failures end a script of that shell; None for one whose commands are not read (`python`)."""
    program = shell.split(" ", 1)[0].rpartition("/")[2]
    if program in _LAST_COUNTS:
        return Stops.LAST
    if program and program not in _LIKE_BASH and "${{" not in program:
        return None
    if "{0}" in shell and not any(word[:1] == "-" and word[:2] != "--" and "e" in word for word in shell.split()):
        return Stops.LAST
    return Stops.FIRST_OF_PIPE if shell == "bash" or "pipefail" in shell else Stops.FIRST


def is_like_bash(shell: str) -> bool:
    """Whether it reads what is written for bash; what runs where nothing is written does."""
    return not shell or shell.split(" ", 1)[0].rpartition("/")[2] == "bash"


def runners_of(job: Mapping, values: Dict[str, str]) -> tuple[str, ...]:
    """The labels of the runners that a job asks for."""
    return tuple(filled(each, values).strip() for each in _words(job.get("runs-on")))


def _words(node: Node | None) -> list[str]:
    match node:
        case Scalar(value=name):
            return [name]
        case Sequence():
            return [item.value for item in node.items if isinstance(item, Scalar)]
    return []
