"""What a workflow, a pipeline or a script builds of Bake and Compose files, with the variables that it sets.

A variable may come from `env`, from a command's own environment, from `export`, and from what an earlier step has
written to `$GITHUB_ENV` or an `.env` file. Scripts and actions of the repository get those of whoever calls them.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.files.formats.azure_pipelines import finder as azure_pipelines
from bot.files.formats.azure_pipelines.variables import Values
from bot.files.formats.builds import MOST_BUILDS, FileBuild, below, places
from bot.files.formats.finding import is_text, kind_in
from bot.files.formats.produced.handed_on import kept_by, steps_in_order
from bot.files.formats.produced.placeholders import hidden
from bot.files.formats.shell import KIND as SHELL
from bot.files.formats.shell.commands import UNKNOWN, Command, commands, exported
from bot.files.formats.shell.docker import BAKE_FILES
from bot.files.formats.shell.file_builds import COMPOSE_FILES, file_build_of, given_in, tags_in, texts_of
from bot.files.formats.shell.folders import Folders
from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping as YamlMapping
from bot.files.formats.source.nodes import Scalar, mappings_under
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.text import Lines, decode
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows import KIND as WORKFLOW
from bot.files.formats.workflows.conditions import StepReach, reach_of
from bot.files.formats.workflows.steps import WorkflowStep, settings_of

Variables = tuple[tuple[str, str], ...]

_BAKE_ACTION = re.compile(r"docker/bake-action@.*")
_SCRIPT = re.compile(r"(?:.*[/\\])?(?P<name>[\w.-]+\.(?:sh|bash|ps1))")
_SHELLS = frozenset({"bash", "sh", "dash", "zsh", "pwsh", "powershell", "source", "."})
_HINTS = re.compile(r"\b(?:bake|compose|uses)\b|\.(?:sh|bash|ps1)\b|DockerCompose@")
_GENERATED = re.compile(r"outputs\.bake-file")
_METADATA_TARGET = "docker-metadata-action"


@dataclass(frozen=True, slots=True)
class CalledFile:
    """A script by its name, or an action by its path, that a step runs with these variables."""

    callee: str
    variables: Variables


@dataclass(frozen=True, slots=True)
class FileBuilds:
    """What one file builds of others, and what it runs that may."""

    builds: tuple[FileBuild, ...] = ()
    calls: tuple[CalledFile, ...] = ()


def file_builds(path: str, data: bytes, variables: Variables = ()) -> FileBuilds:
    """Reads a workflow, an action, a pipeline or a script where `variables` are set. Never raises."""
    kind = kind_in(path, data)
    if kind not in (WORKFLOW, SHELL, azure_pipelines.KIND) or not is_text(data):
        return FileBuilds()
    text = decode(data)
    if not _HINTS.search(text):
        return FileBuilds()
    text = hidden(text)
    reader = _Reader(path, text)
    values_by_name = {name: Spanned.from_elsewhere(value) for name, value in variables}
    try:
        if kind == WORKFLOW:
            reader.workflow(values_by_name)
        elif kind == SHELL:
            own = posixpath.dirname(path)
            reader.commands(Spanned(text, range(len(text))), values_by_name, Folders("", own, may_be_own=True))
        else:
            reader.pipeline(values_by_name)
    except Unreadable:
        return FileBuilds()
    return FileBuilds(tuple(reader.builds), tuple(reader.calls))


class _Reader:
    """Gathers the builds and calls of one file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = Lines(text)
        self.builds: dict[FileBuild, None] = {}
        self.calls: dict[CalledFile, None] = {}

    def _add(self, build: FileBuild | CalledFile) -> None:
        """Keeps the first ones, each once: with thousands of variables in each they would fill memory."""
        if isinstance(build, CalledFile):
            if len(self.calls) < MOST_BUILDS:
                self.calls[build] = None
        elif len(self.builds) < MOST_BUILDS:
            self.builds[build] = None

    def workflow(self, environment: Mapping[str, Spanned]) -> None:
        for document in read(self.text):
            for step in steps_in_order(document):
                if reach_of(document, step) is StepReach.REBUILDS:
                    self._step(step, {**environment, **step.variables})

    def _step(self, step: WorkflowStep, variables: Mapping[str, Spanned]) -> None:
        script = step.script
        if script is not None:
            self.commands(script, variables, Folders(step.folder))
        uses = step.mapping.scalar("uses")
        action = uses.value.strip() if uses is not None else ""
        if _BAKE_ACTION.fullmatch(action):
            self._add(self._of_action(step, variables))
        elif action.startswith("./"):
            folder = below("", action) or ""
            for name in ("action.yml", "action.yaml"):
                self._add(CalledFile(posixpath.join(folder, name), texts_of(variables)))

    def _of_action(self, step: WorkflowStep, variables: Mapping[str, Spanned]) -> FileBuild:
        """docker/bake-action: `files` are found from `workdir` or `source` on."""
        inputs = step.mapping.mapping("with")
        source = step.given("source")
        folder = step.given("workdir") or (source if source.startswith(".") else "")
        file_names = [name.strip() for line in settings_of(step, "files") for name in line.text.split(",")]
        here = [name.removeprefix("cwd://") for name in file_names if name and UNKNOWN not in name]
        looked_for = (*COMPOSE_FILES[:4], *BAKE_FILES)
        settings = [line.text for line in settings_of(step, "set")]
        raw = inputs.scalar("files")
        targets = [name for line in settings_of(step, "targets") for name in re.split(r"[,\s]+", line.text) if name]
        push = step.given("push").strip().lower()
        return FileBuild(
            self.path,
            self.lines.at(step.mapping.start),
            places(*(below(folder, name) for name in here or looked_for)),
            texts_of(variables, given_in(line.text for line in settings_of(step, "vars"))),
            tuple(tags_in(settings)),
            None if not targets or any(UNKNOWN in name for name in targets) else tuple(targets),
            generated=(_METADATA_TARGET,) if raw is not None and _GENERATED.search(raw.value) else (),
            pushes=push not in ("", "false") or any("type=registry" in each for each in settings),
        )

    def pipeline(self, environment: Mapping[str, Spanned]) -> None:
        documents = read(self.text)
        values = Values(documents)
        script_variables: dict[str, Spanned] = {}
        for document in documents:
            for key, step in mappings_under(document):
                own = {
                    name.value: values.evaluated(value.spanned)
                    for name, value in step.mapping("env").entries()
                    if isinstance(value, Scalar)
                }
                variables = {**environment, **values.every, **script_variables, **own}
                for script, folder in azure_pipelines.commands_of(key, step, values):
                    self.commands(script, variables, Folders(folder))
                    script_variables.update(kept_by(script, variables))
                self._compose_task(step, values, variables)

    def _compose_task(self, step: YamlMapping, values: Values, variables: Mapping[str, Spanned]) -> None:
        """DockerCompose@0 and @1 of Azure Pipelines."""
        task, inputs = step.scalar("task"), step.mapping("inputs")
        if task is None or not task.value.lower().startswith("dockercompose@"):
            return

        def input_text(name: str) -> str:
            scalar = inputs.scalar(name)
            return values.evaluated(scalar.spanned).text if scalar is not None else ""

        action = input_text("action").lower() or "run"
        if not any(verb in action for verb in ("build", "push")):
            return
        names = [
            input_text("dockerComposeFile").removeprefix("**/"),
            *input_text("additionalDockerComposeFiles").split(),
        ]
        if any(UNKNOWN in name for name in names):
            return
        self._add(
            FileBuild(
                self.path,
                self.lines.at(step.start),
                places(*(below("", name) for name in names if name)) or COMPOSE_FILES,
                texts_of(variables, given_in(input_text("dockerComposeFileArgs").splitlines())),
                pushes="push" in action,
            )
        )

    def commands(self, script: Spanned, variables: Mapping[str, Spanned], folders: Folders) -> None:
        """Reads the command lines of one script."""
        if not _HINTS.search(script.text):
            return
        handed = {**variables, **exported(script, variables)}
        for command in commands(script, variables):
            folders = folders.after(command) or folders
            mine = {**handed, **dict(command.assigned)}
            line = self.lines.at(script.place(command.start))
            build = file_build_of(command, self.path, line, folders, mine)
            if build is not None:
                self._add(build)
            for name in _scripts_run_by(command):
                self._add(CalledFile(name, texts_of(mine)))


def _scripts_run_by(command: Command) -> Iterator[str]:
    """The names of the script files that a command runs."""
    words = command.words[1:] if command.name in _SHELLS else command.words[:1]
    for word in words:
        if (match := _SCRIPT.fullmatch(word.text)) is not None:
            yield match["name"]
