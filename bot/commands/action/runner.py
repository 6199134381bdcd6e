"""What the runner is told: annotations, masks, outputs and the job summary, in its own forms.

Everything else that is printed stands between `stop-commands` and its token, so that no text from outside, such as
the name of a branch, is taken for a command. Source: GitHub's "Workflow commands for GitHub Actions".
"""

import asyncio
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.domain.failure import Failure
from bot.settings import BadSettings

LARGEST_SUMMARY = 900 * 1024
"""Bytes; of a step's summary that is larger than 1 MiB the runner shows nothing at all."""
_CUT = "\n\n*The rest is left out: a job summary has no room for it.*\n"


class AnnotationLevel(StrEnum):
    """How an annotation is shown."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A line that is shown beside the run, where people see it without opening the log."""

    level: AnnotationLevel
    text: str


def mask(texts: Sequence[str]) -> None:
    """Has the runner show none of these in its log; a key of several lines is masked line by line."""
    for line in (line for text in texts for line in text.splitlines() if line.strip()):
        _command("add-mask", line.strip())


def annotate(annotation: Annotation) -> None:
    """Has the runner show it."""
    _command(f"{annotation.level} title=Freshness bot", annotation.text)


@contextmanager
def without_commands() -> Iterator[None]:
    """Has the runner take nothing for a command that is printed meanwhile; nor afterwards where this ends with an
    exception that whoever calls does not expect, whose text is printed then."""
    token = secrets.token_hex(16)
    _command("stop-commands", token)
    try:
        yield
    except (Failure, BadSettings, asyncio.CancelledError):
        _resume(token)
        raise
    _resume(token)


def _resume(token: str) -> None:
    sys.stderr.flush()
    print(f"::{token}::", flush=True)


def _command(name: str, text: str) -> None:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{name}::{escaped}", flush=True)


def write_outputs(path: Path | None, outputs: Mapping[str, object]) -> None:
    """Adds the step's outputs; each is a number or one of our own words."""
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())


def write_summary(path: Path | None, markdown: str) -> None:
    """Adds to the job summary what there is room for, cut at the end of a line."""
    if path is None:
        return
    data = markdown.encode()
    if len(data) > LARGEST_SUMMARY:
        data = data[: LARGEST_SUMMARY - len(_CUT)].rpartition(b"\n")[0] + _CUT.encode()
    with path.open("ab") as file:
        file.write(data)
