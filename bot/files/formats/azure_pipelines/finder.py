"""Azure Pipelines: the images that jobs and their services run in, and what steps ask to be built.

Source: https://learn.microsoft.com/azure/devops/pipelines/yaml-schema (`jobs.job.container`, `jobs.job.services`,
`resources.containers.container`), the templates of 1ES (`containers.NAME.image`), and the reference of the tasks
Docker@2 and DotNetCoreCLI@2. Templates may hold any part of a pipeline, so what a mapping is shows in its keys.
"""

from collections.abc import Iterator, Sequence

from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.azure_pipelines import KIND as KIND
from bot.files.formats.azure_pipelines.variables import Values
from bot.files.formats.builds import Asked, Builds, below
from bot.files.formats.shell import script
from bot.files.formats.shell.commands import UNKNOWN, is_literal
from bot.files.formats.shell.dotnet import BASE
from bot.files.formats.source.collector import IMAGE_CONTEXT, Collector, Unreadable, handed_over, quoted
from bot.files.formats.source.nodes import Mapping, Node, Scalar, mappings_under
from bot.files.formats.source.spanned import Spanned
from bot.files.formats.source.yaml import read

_WORDS = ("container", "services", "image", BASE, IMAGE_CONTEXT)
_SCRIPTS = ("script", "bash", "pwsh", "powershell")
_SCRIPT_TASKS = ("bash@", "powershell@", "cmdline@", "azurecli@", "azurepowershell@")
_ONLY_A_PART = "a variable supplies only a part of it; write the whole image in the variable to have it pinned"
_BUILDING = frozenset({"build", "buildandpush"})


def find(path: str, text: str) -> Findings:
    """Containers of jobs, of resources and of services, and images that command lines name."""
    if not any(word in text for word in _WORDS) and not script.names_images(text):
        return Findings()
    file = Collector(path, text, KIND)
    try:
        documents = read(text)
    except Unreadable as error:
        return file.unreadable(error)
    values = Values(documents)
    mappings = [(key, mapping) for document in documents for key, mapping in mappings_under(document)]
    aliases = {
        alias.value for key, mapping in mappings if key == "containers" and (alias := mapping.scalar("container"))
    }
    has_commands = script.names_images(text)
    for key, mapping in mappings:
        _add_images(key, mapping, aliases, values, file)
        for commands, _ in commands_of(key, mapping, values) if has_commands else ():
            script.name_images(commands, file, values.environment)
    return file.findings()


def _add_images(key: str, mapping: Mapping, aliases: set[str], values: Values, file: Collector) -> None:
    if key == "containers":
        if (image := mapping.scalar("image")) is not None:
            _add(image, Role.CONTAINER, [values], file)
        return
    for _, declaration in mapping.mapping("containers").entries():
        if isinstance(declaration, Mapping):
            _add(declaration.scalar("image"), Role.CONTAINER, [values], file)
    if mapping.scalar("template") is not None:
        for image in handed_over(mapping.mapping("parameters")):
            _add(image, Role.CONTAINER, [values], file)
    if mapping.get("container") is None and mapping.get("services") is None:
        return
    variants = values.variants(mapping)
    written_out = mapping.mapping("container").scalar("image")
    if written_out is not None and written_out.value.strip() not in aliases:
        _add(written_out, Role.CONTAINER, variants, file)
    container = mapping.scalar("container")
    _add(container, Role.CONTAINER, [each for each in variants if _is_image(container, aliases, each)], file)
    for _, service in mapping.mapping("services").entries():
        service_image = service.scalar("image") if isinstance(service, Mapping) else service
        _add(
            service_image,
            Role.SERVICE,
            [each for each in variants if _is_image(service_image, aliases, each)],
            file,
        )


def _is_image(node: Node | None, aliases: set[str], values: Values) -> bool:
    """Whether a name is an image, not a container that this file or one that includes it declares."""
    if not isinstance(node, Scalar) or node.is_null or node.value.strip() in aliases:
        return False
    image = values.evaluated(node.spanned.strip()).text
    return image not in aliases and (":" in image or "/" in image)


def _add(image: Node | None, role: Role, variants: Sequence[Values], file: Collector) -> None:
    """Adds the image in each variant that tells it; a problem where none does."""
    if not isinstance(image, Scalar) or not variants:
        return
    written_here = image.spanned.strip()
    every = dict.fromkeys(values.evaluated(written_here) for values in variants)
    literals = [text for text in every if is_literal(text)]
    for text in literals:
        file.image_or_part(text, role, why_fixed=_ONLY_A_PART)
    if not literals:
        message = f"the image {quoted(image.value)} is known only when the pipeline runs"
        file.problem(image.start, f"{message}; give it a default here, or write it out")


def builds(path: str, text: str) -> Builds:
    """Command lines in steps, and the tasks Docker@2 and DotNetCoreCLI@2. Never raises."""
    if "Docker@" not in text and not script.may_ask(text) and "DotNetCoreCLI@" not in text:
        return Builds()
    try:
        documents = read(text)
    except Unreadable:
        return Builds()
    file = Collector(path, text, KIND)
    values = Values(documents)
    return Builds.of(
        build
        for document in documents
        for key, mapping in mappings_under(document)
        for build in _builds_of_step(key, mapping, values, file)
    )


def _builds_of_step(key: str, step: Mapping, values: Values, file: Collector) -> Iterator[Asked]:
    for commands, folder in commands_of(key, step, values):
        yield from script.asked(commands, file, folder, values.environment)


def commands_of(key: str, step: Mapping, values: Values) -> Iterator[tuple[Spanned, str | None]]:
    """Texts of a shell in a step, or what comes to the same in the inputs of a task, each with its folder."""
    inputs = step.mapping("inputs")
    for name in _SCRIPTS if key != "inputs" else ():
        if (script := step.scalar(name)) is not None:
            yield values.evaluated(script.spanned, in_shell=True), _folder(step, values)
    task = step.scalar("task")
    kind = task.value.lower() if task is not None else ""
    if kind.startswith(_SCRIPT_TASKS):
        for name in ("script", "inlineScript"):
            if (script := inputs.scalar(name)) is not None:
                yield values.evaluated(script.spanned, in_shell=True), _folder(inputs, values)
    elif kind.startswith("docker@"):
        if (line := _docker(inputs, values, step)) is not None:
            yield line, ""
    elif kind.startswith("dotnetcorecli@"):
        yield _dotnet(inputs, values, step), _folder(inputs, values)


def _folder(settings: Mapping, values: Values) -> str | None:
    directory = settings.scalar("workingDirectory")
    folder = values.evaluated(directory.spanned).text if directory is not None else ""
    return None if UNKNOWN in folder else below("", folder)


def _docker(inputs: Mapping, values: Values, step: Mapping) -> Spanned | None:
    """The inputs of Docker@2 as the command line that it runs; None where it builds nothing that can be told."""
    command = inputs.scalar("command")
    if command is not None and command.value.strip().lower() not in _BUILDING:
        return None
    dockerfile = inputs.scalar("Dockerfile") or inputs.scalar("dockerFile")
    if dockerfile is None or "*" in dockerfile.value:
        return None
    arguments = inputs.scalar("arguments")
    line = _make_text("docker build -f ", step) + _quote_text(values.evaluated(dockerfile.spanned.strip()), step)
    if arguments is not None:
        line = line + _make_text(" ", step) + values.evaluated(arguments.spanned, in_shell=True)
    return line + _make_text(" .", step)


def _dotnet(inputs: Mapping, values: Values, step: Mapping) -> Spanned:
    command = inputs.scalar("command")
    verb = command.value.strip() if command is not None else "build"
    line = _make_text(f"dotnet {verb} ", step)
    projects = inputs.scalar("projects")
    if projects is not None and "*" not in projects.value and "\n" not in projects.value.strip():
        line = line + _quote_text(values.evaluated(projects.spanned.strip()), step) + _make_text(" ", step)
    arguments = inputs.scalar("arguments")
    return line + values.evaluated(arguments.spanned, in_shell=True) if arguments is not None else line


def _make_text(text: str, step: Mapping) -> Spanned:
    """Characters that the file does not have."""
    return Spanned(text, (~step.start,) * len(text))


def _quote_text(text: Spanned, step: Mapping) -> Spanned:
    return _make_text("'", step) + text + _make_text("'", step)
