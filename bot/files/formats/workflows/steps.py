"""The steps of workflows and composite actions, with the settings around them that count for their commands.

Source: GitHub's workflow syntax (`jobs.<id>.steps`, `env`, `defaults.run`, `strategy.matrix`, `parallel` blocks of
steps) and metadata syntax (`runs.steps`).
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as Values
from dataclasses import dataclass, field

from bot.files.formats.shell.commands import UNKNOWN
from bot.files.formats.shell.syntax import LONGEST_SCRIPT
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.spanned import Spanned, joined
from bot.files.formats.workflows.matrix import Variants
from bot.files.formats.workflows.needs import jobs_in_order

MOST_STEPS = 2_000
DEEPEST_BLOCK = 10
_NAMED = re.compile(
    r"\s*(?:github\.event\.)?(?P<of>env|matrix|inputs|steps|needs)\.(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*"
)
_OR_TEXT = re.compile(r"\s*(?P<first>[\w.-]+)\s*\|\|\s*'(?P<text>[^']+)'\s*")
"""What an expression is where nobody gives the first."""
_LINE = re.compile(r"[^\n]+")
_POSIX_OR_POWERSHELL = ("bash", "sh", "pwsh", "powershell")


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One step in one variant of its job.

    `around` are the mappings that it stands in, the innermost first; `variant` is what `Variants` says of it, with
    the outputs of steps and jobs before it, and `kept` the variables that these have set for it.
    """

    mapping: Mapping
    around: tuple[Mapping, ...]
    variant: Values[str, Spanned] = field(default_factory=dict)
    kept: Values[str, Spanned] = field(default_factory=dict)

    @property
    def environment(self) -> Values[str, Spanned]:
        """The variables that are written out."""
        return {name: value for name, value in self.variables.items() if UNKNOWN not in value.text}

    @property
    def variables(self) -> Values[str, Spanned]:
        """All variables that are set for it, with `UNKNOWN` for the expressions that only a run tells."""
        values: dict[str, Spanned] = {}
        for mapping in reversed((self.mapping, *self.around)):
            if mapping is self.mapping:
                values |= self.kept
            for key, value in mapping.mapping("env").entries():
                if isinstance(value, Scalar):
                    values[key.value] = evaluated(value.spanned, values, self.variant)
        return values

    @property
    def folder(self) -> str | None:
        """Where its commands run, from the repository's root on; None where that is an expression."""
        directory = self.mapping.scalar("working-directory") or self._default("working-directory")
        folder = self.evaluated(directory.spanned).text if directory is not None else ""
        return None if UNKNOWN in folder or folder.startswith("/") else folder

    @property
    def script(self) -> Spanned | None:
        """The commands, with expressions of what is written out put in; None for other shells' texts."""
        run = self.mapping.scalar("run")
        shell = self.mapping.scalar("shell") or self._default("shell")
        if run is None or (shell is not None and not shell.value.strip().startswith(_POSIX_OR_POWERSHELL)):
            return None
        return self.evaluated(run.spanned)

    def evaluated(self, text: Spanned) -> Spanned:
        """With what the environment and the variant write out put in, and `UNKNOWN` for other expressions."""
        return evaluated(text, self.environment, self.variant) if "${{" in text.text else text

    def given(self, name: str) -> str:
        """An input of the action that it uses, evaluated; empty where it has none of that name."""
        scalar = self.mapping.mapping("with").scalar(name)
        return self.evaluated(scalar.spanned).text if scalar is not None else ""

    def _default(self, key: str) -> Scalar | None:
        scalars = (mapping.mapping("defaults").mapping("run").scalar(key) for mapping in self.around)
        return next((scalar for scalar in scalars if scalar is not None), None)


def steps_of(document: Node) -> Iterator[WorkflowStep]:
    """Reads all steps of a workflow or an action in each variant of their job, behind those of jobs that it needs.

    Those that anchors share come once for each place.
    """
    if not isinstance(document, Mapping):
        return
    count = 0
    jobs = jobs_in_order(document).values()
    variants = Variants(document)
    runners = [(runner, variant) for runner in (*jobs, document.mapping("runs")) for variant in variants.of(runner)]
    for runner, variant in runners:
        waiting = [(node, 0) for node in reversed(runner.sequence("steps"))]
        while waiting and count < MOST_STEPS:
            node, depth = waiting.pop()
            if not isinstance(node, Mapping):
                continue
            count += 1
            yield WorkflowStep(node, (runner, document), variant)
            inner = node.sequence("parallel") or node.mapping("parallel").sequence("steps")
            if depth < DEEPEST_BLOCK:
                waiting += ((each, depth + 1) for each in reversed(inner))


def settings_of(step: WorkflowStep, *names: str) -> list[Spanned]:
    """The lines of inputs that hold one setting in each."""
    inputs = (step.mapping.mapping("with").scalar(name) for name in names)
    texts = [step.evaluated(scalar.spanned) for scalar in inputs if scalar is not None]
    return [text.part(*line.span()).strip() for text in texts for line in _LINE.finditer(text.text)]


def evaluated(
    text: Spanned, environment: Values[str, Spanned], variant: Values[str, Spanned] | None = None
) -> Spanned:
    """With `${{ env.NAME }}`, `${{ matrix.NAME }}` and `${{ inputs.NAME }}` put in where they are known, the text
    of `${{ … || 'text' }}` where they are not, and `UNKNOWN` for every other expression."""
    if "${{" not in text.text:
        return text
    parts: list[Spanned] = []
    done, room = 0, LONGEST_SCRIPT
    for match in EXPRESSION.finditer(text.text):
        parts.append(text.part(done, match.start()))
        either = _OR_TEXT.fullmatch(text.text, *match.span("inside"))
        access = _NAMED.fullmatch(match["inside"] if either is None else either["first"])
        value = _value(access, environment, variant or {}) if access else None
        if either is not None and (value is None or not value.text):
            value = text.part(*either.span("text"))
        room -= len(value) if value is not None else 0
        if room < 0:
            return Spanned(UNKNOWN, (~text.place(0),))
        parts.append(value if value is not None else Spanned(UNKNOWN, (~text.place(match.start()),)))
        done = match.end()
    return joined([*parts, text.part(done, len(text))])


def _value(
    access: re.Match[str], environment: Values[str, Spanned], variant: Values[str, Spanned]
) -> Spanned | None:
    if access["of"] == "env":
        value = environment.get(access["name"])
        return None if value is None or UNKNOWN in value.text else value
    return variant.get(f"{access['of']}.{access['name']}")
