"""What a step sets for those behind it: in `$GITHUB_ENV`, `$GITHUB_OUTPUT` or an `.env` file, or by a command of
Azure Pipelines, or by an action of Red Hat; and what a job tells those that need it.

Sources: GitHub's workflow commands and https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Values
from dataclasses import dataclass, field, replace
from itertools import groupby, islice

from bot.files.formats.produced import redhat
from bot.files.formats.shell.commands import UNKNOWN, commands
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.workflows.needs import jobs_in_order, needs_of
from bot.files.formats.workflows.steps import WorkflowStep, steps_of

MOST_OUTPUTS = 1_000
"""Of the jobs of one workflow."""
LONGEST_OUTPUT = 500
"""Characters of an output of a job: names and tags of images are shorter."""

_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_][\w-]*)=(?P<value>.*)", re.DOTALL)
_KEEPS = re.compile(r"GITHUB_ENV|GITHUB_OUTPUT|\.env\b")
_KEPT_LINE = re.compile(r"^[ \t]*[\"']?(?P<name>[A-Za-z_][\w-]*)=(?P<value>[^\"'\r\n]*)", re.MULTILINE)
_SET_VARIABLE = re.compile(
    r"task\.setvariable variable=(?P<name>[\w.]{1,200})[^\]\n]{0,200}\](?P<value>[^\"'\r\n]*)"
)
_OPEN = re.compile(r"[$`]")


def steps_in_order(document: Node, *, has_inputs: bool = True) -> Iterator[WorkflowStep]:
    """The steps of a workflow or an action, each with what those before it in its job, and the jobs that it needs,
    have set. Inputs have their defaults, or none is known."""
    outputs_by_job: dict[int, dict[str, Spanned]] = {}
    jobs = jobs_in_order(document) if isinstance(document, Mapping) else {}
    for job, steps in groupby(steps_of(document), key=lambda step: step.around[0]):
        needed = {
            f"needs.{name}.outputs.{output}": value
            for name in dict.fromkeys(needs_of(job))
            for output, value in outputs_by_job.get(id(jobs.get(name)), {}).items()
        }
        variants: dict[int, _JobVariant] = {}
        for bare in steps:
            variant = variants.setdefault(id(bare.variant), _JobVariant(bare))
            variant_values = bare.variant if has_inputs else without_inputs(bare.variant)
            variant.last = replace(
                bare, variant={**variant_values, **needed, **variant.outputs}, kept=dict(variant.kept)
            )
            yield variant.last
            variant.follow()
        room = MOST_OUTPUTS - sum(map(len, outputs_by_job.values()))
        outputs_by_job[id(job)] = _outputs_of(job, list(variants.values()), room)


@dataclass(slots=True)
class _JobVariant:
    """The steps of one variant of a job: the last one, and what all up to it have set."""

    last: WorkflowStep
    kept: dict[str, Spanned] = field(default_factory=dict)
    outputs: dict[str, Spanned] = field(default_factory=dict)

    def follow(self) -> None:
        """Takes in the variables and outputs that the last step sets."""
        script, identity = self.last.script, self.last.mapping.scalar("id")
        outputs = {name: Spanned.from_elsewhere(value) for name, value in redhat.outputs(self.last).items()}
        if script is not None and _KEEPS.search(script.text):
            variables = self.last.variables
            self.kept |= kept_by(script, variables)
            outputs = _lines_written(script, variables, "GITHUB_OUTPUT") if identity is not None else {}
        if identity is not None:
            self.outputs |= {f"steps.{identity.value}.outputs.{name}": value for name, value in outputs.items()}

    def evaluated(self, output: Scalar) -> Spanned:
        """Evaluates an output of the job as it is after the last step."""
        around = replace(self.last, mapping=Mapping(output.start), kept={})
        return replace(around, variant={**self.last.variant, **self.outputs}).evaluated(output.spanned)


def _outputs_of(job: Mapping, variants: Sequence[_JobVariant], most: int) -> dict[str, Spanned]:
    """What a job tells those that need it, `UNKNOWN` where its variants differ."""
    outputs_by_name: dict[str, Spanned] = {}
    for name, output in islice(job.mapping("outputs").entries(), max(0, most)):
        if isinstance(output, Scalar):
            texts = {variant.evaluated(output).text for variant in variants}
            text = texts.pop() if len(texts) == 1 else UNKNOWN
            outputs_by_name[name.value] = Spanned.from_elsewhere(text if len(text) <= LONGEST_OUTPUT else UNKNOWN)
    return outputs_by_name


def without_inputs(variant: Values[str, Spanned]) -> dict[str, Spanned]:
    """The variant of a job without what inputs are where nobody gives them."""
    return {name: value for name, value in variant.items() if not name.startswith("inputs.")}


def kept_by(script: Spanned, variables: Values[str, Spanned]) -> dict[str, Spanned]:
    """The variables that a script sets for the steps behind it; `UNKNOWN` where only a run tells the value."""
    values = _lines_written(script, variables, "GITHUB_ENV") if _KEEPS.search(script.text) else {}
    for assignment in _SET_VARIABLE.finditer(script.text):
        name = re.sub(r"\W", "_", assignment["name"]).upper()
        values[name] = Spanned.from_elsewhere(_plain_value(assignment["value"]) if name not in values else UNKNOWN)
    return values


def _lines_written(script: Spanned, variables: Values[str, Spanned], to: str) -> dict[str, Spanned]:
    """What a script writes as `NAME=value` to the file that `to` names; what goes to none of the files that are
    known by name, as in a block, counts as well."""
    text = script.text
    if to not in text and not (to == "GITHUB_ENV" and ".env" in text):
        return {}
    others = {"GITHUB_ENV", "GITHUB_OUTPUT"} - {to}
    values_by_name: dict[str, list[str]] = {}
    for command in commands(script, variables):
        if command.name in ("echo", "printf") and not any(other in _line(text, command.start) for other in others):
            for word in command.words[1:]:
                if (assignment := _ASSIGNED.fullmatch(word.text)) is not None:
                    values_by_name.setdefault(assignment["name"], []).append(
                        assignment["value"].removesuffix("\\n")
                    )
    for line in _KEPT_LINE.finditer(text):
        if line["name"] not in values_by_name and (to in _line(text, line.start("name")) or "<<" in text):
            values_by_name[line["name"]] = [_plain_value(line["value"])]
    return {
        name: Spanned.from_elsewhere(values[0] if len(set(values)) == 1 else UNKNOWN)
        for name, values in values_by_name.items()
    }


def _line(text: str, start: int) -> str:
    """The rest of the line that begins there."""
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]


def _plain_value(value: str) -> str:
    return UNKNOWN if _OPEN.search(value) else value.strip()
