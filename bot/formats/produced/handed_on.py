"""What a step sets for those behind it: in `$GITHUB_ENV`, `$GITHUB_OUTPUT` or an `.env` file, or by a command of
Azure Pipelines.

Sources: GitHub's workflow commands and https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.formats.shell.commands import UNKNOWN, commands
from bot.formats.source.nodes import Node
from bot.formats.source.spanned import Spanned
from bot.formats.workflows.steps import WorkflowStep, steps_of

_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_][\w-]*)=(?P<value>.*)", re.DOTALL)
_KEEPS = re.compile(r"GITHUB_ENV|GITHUB_OUTPUT|\.env\b")
_KEPT_LINE = re.compile(r"^[ \t]*[\"']?(?P<name>[A-Za-z_][\w-]*)=(?P<value>[^\"'\r\n]*)", re.MULTILINE)
_SET_VARIABLE = re.compile(
    r"task\.setvariable variable=(?P<name>[\w.]{1,200})[^\]\n]{0,200}\](?P<value>[^\"'\r\n]*)"
)
_OPEN = re.compile(r"[$`]")


def steps_in_order(document: Node) -> Iterator[WorkflowStep]:
    """The steps of a workflow or an action, each with what those before it in its job have set."""
    jobs: dict[tuple[int, int], tuple[dict[str, Spanned], dict[str, Spanned]]] = {}
    for bare in steps_of(document):
        kept, outputs = jobs.setdefault((id(bare.around[0]), id(bare.variant)), ({}, {}))
        step = replace(bare, variant={**bare.variant, **outputs}, kept=dict(kept))
        yield step
        script = step.script
        if script is None or not _KEEPS.search(script.text):
            continue
        kept.update(kept_by(script, step.variables))
        identity = step.mapping.scalar("id")
        if identity is not None:
            told = _told(script, step.variables, "GITHUB_OUTPUT")
            outputs.update({f"steps.{identity.value}.outputs.{name}": value for name, value in told.items()})


def kept_by(script: Spanned, variables: Mapping[str, Spanned]) -> dict[str, Spanned]:
    """The variables that a script sets for the steps behind it; `UNKNOWN` where only a run tells the value."""
    found = _told(script, variables, "GITHUB_ENV") if _KEEPS.search(script.text) else {}
    for each in _SET_VARIABLE.finditer(script.text):
        name = re.sub(r"\W", "_", each["name"]).upper()
        found[name] = Spanned.from_elsewhere(_written(each["value"]) if name not in found else UNKNOWN)
    return found


def _told(script: Spanned, variables: Mapping[str, Spanned], to: str) -> dict[str, Spanned]:
    """What a script writes as `NAME=value` to the file that `to` names; what goes to none of the files that are
    known by name, as in a block, counts as well."""
    text = script.text
    if to not in text and not (to == "GITHUB_ENV" and ".env" in text):
        return {}
    others = {"GITHUB_ENV", "GITHUB_OUTPUT"} - {to}
    found: dict[str, list[str]] = {}
    for command in commands(script, variables):
        if command.name in ("echo", "printf") and not any(other in _line(text, command.start) for other in others):
            for word in command.words[1:]:
                if (each := _ASSIGNED.fullmatch(word.text)) is not None:
                    found.setdefault(each["name"], []).append(each["value"].removesuffix("\\n"))
    for each in _KEPT_LINE.finditer(text):
        if each["name"] not in found and (to in _line(text, each.start("name")) or "<<" in text):
            found[each["name"]] = [_written(each["value"])]
    return {
        name: Spanned.from_elsewhere(values[0] if len(set(values)) == 1 else UNKNOWN)
        for name, values in found.items()
    }


def _line(text: str, at: int) -> str:
    """The rest of the line that begins there."""
    end = text.find("\n", at)
    return text[at : end if end >= 0 else len(text)]


def _written(value: str) -> str:
    return UNKNOWN if _OPEN.search(value) else value.strip()
