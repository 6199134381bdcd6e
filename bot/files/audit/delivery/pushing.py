"""Which commands build images, and which images a step pushes, for which events, under which names."""

import re
from collections.abc import Iterator

from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.contexts import narrowed_events
from bot.files.audit.workflows.expressions import input_condition
from bot.files.audit.workflows.model import PipelineStep
from bot.files.formats.source.expressions import EXPRESSION
from bot.files.formats.source.nodes import Mapping

_BUILDERS = frozenset({"docker", "docker-compose", "podman", "nerdctl", "buildah", "az", "ko", "pack"})
_LOCAL = re.compile(
    r"^(?:(?:[\w.-]+\.)?localhost|127\.0\.0\.1|kind|ttl\.sh|registry\.local|registry(?=:)"
    r"|[\w-]*(?:kind|k3d|k3s|minikube|microk8s)[\w-]*(?=:))(?::\d+)?(?:/|$)"
)

_PUSHED = re.compile(r"(?:^|,)\"?push=(?P<flag>\$\{\{.*?\}\}|\w+)", re.MULTILINE)
_TRUE = re.compile(r"^(?:1|t|true)$", re.IGNORECASE)
_SET = re.compile(r"[\"']?[^\s=.]+\.(?P<attribute>\w+)\+?=(?P<value>.*)")


def pushes_on(step: PipelineStep, flag: str, started: Mapping) -> frozenset[str]:
    """The events for which a flag such as `push` may be true. `started` is the workflow they start."""
    values = {f"env.{key.lower()}": value for key, value in step.environment.items()}
    return narrowed_events(step.events, input_condition(flag), values, started)


def pushes_by_output(step: PipelineStep, started: Mapping) -> frozenset[str]:
    """The events for which an exporter of BuildKit may push, be it an input or in `set` of Bake."""
    return frozenset(event for flag in _flags(step) for event in pushes_on(step, flag, started))


def undecided_flag(step: PipelineStep) -> str:
    """The expression on which it hangs whether an action pushes, in its input or its exporters; empty for none."""
    flags = [step.input("push"), *_flags(step)]
    return "" if "true" in flags else next(filter(is_unknown, flags), "")


def _flags(step: PipelineStep) -> Iterator[str]:
    """What the exporters of an action are told of pushing: `true`, another word, or an expression."""
    for output in (step.input("outputs") or step.input("output"), *set_by_bake(step, "output")):
        yield from ["true"] if "type=registry" in output else []
        yield from (_TRUE.sub("true", match["flag"]) for match in _PUSHED.finditer(output))


def set_by_bake(step: PipelineStep, attribute: str) -> tuple[str, ...]:
    """What the input `set` of docker/bake-action gives an attribute of any target, by the lines of the input."""
    settings = (_SET.match(line.strip()) for line in step.input("set").splitlines())
    return tuple(match["value"] for match in settings if match is not None and match["attribute"] == attribute)


def listed_names(text: str) -> tuple[str, ...]:
    """Entries of an input that takes a list, by lines or commas; an expression is one entry."""
    return tuple(
        entry.strip()
        for entry in re.split(r"[\n,](?![^{]*\}\})", text)
        if entry.strip() and entry.strip()[0] != "#"
    )


def only_local(names: tuple[str, ...]) -> bool:
    """Whether all names are of registries that nobody else reaches."""
    return bool(names) and all(_LOCAL.match(name) for name in names)


_VALUED = re.compile(
    r"^--?(?:key|annotations|registry-\S+|certificate\S*|fulcio-url|rekor-url|oidc-\S+|identity-token|type|predicate|signing-config|new-bundle-format|signature-format|output|policy|trusted-root"
    r"|signature|payload|sct|ca-roots|ca-intermediates|slot|sk-slot|max-workers|attachment|attachment-tag-prefix"
    r"|timestamp-\S+|k8s-keychain)$|^-[ao]$"
)


def operands_of(words: tuple[str, ...]) -> tuple[str, ...]:
    operands: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = "=" not in word and _VALUED.match(word) is not None
        else:
            operands.append(word)
    return tuple(operands)


def pushed_names(command: ShellCommand) -> tuple[str, ...] | None:
    """What a command pushes; None where it pushes nothing."""
    words, name = command.words, command.name
    arguments = words[1:]
    match name:
        case "docker" | "podman" | "nerdctl" | "buildah":
            while arguments and arguments[0].startswith("-"):
                arguments = arguments[1 + (arguments[0] in _GLOBAL_VALUED) :]
            return _pushed_by_engine(command, arguments)
        case "docker-compose" if _compose_command(arguments) == "push":
            return ()
        case "az" if arguments[:2] == ("acr", "build") and not command.has("--no-push"):
            return option_values(words, "-t", "--image")
        case "skopeo" if arguments[:1] == ("copy",):
            targets = [word for word in arguments[1:] if word.startswith("docker://")]
            if targets and not words[-2:-1][0].startswith("docker://") and words[-1].startswith("docker://"):
                return (words[-1].removeprefix("docker://"),)
        case "crane" if arguments[:1] == ("push",):
            return operands_of(arguments[1:])[-1:]
        case "dotnet" if arguments[:1] in {("publish",), ("build",), ("msbuild",)}:
            line = " ".join(arguments)
            if re.search(r"PublishContainer|DefaultContainer", line) and re.search(r"ContainerRegistry=", line):
                return ()
    return None


def _pushed_by_engine(command: ShellCommand, arguments: tuple[str, ...]) -> tuple[str, ...] | None:
    """The same for Docker and what takes its commands; `arguments` are all that stands behind its name."""
    if arguments[:1] == ("push",) or arguments[:2] in {("image", "push"), ("manifest", "push")}:
        return operands_of(arguments[1:] if arguments[0] == "push" else arguments[2:])[-1:]
    if arguments[:1] == ("compose",) and _compose_command(arguments[1:]) == "push":
        return ()
    is_build = "build" in arguments[:3] or arguments[:2] == ("buildx", "bake")
    outputs = " ".join(option_values(command.words, "--output", "-o", "--set"))
    is_pushed = command.has("--push") and command.option("--push") != "false"
    if is_build and (is_pushed or "type=registry" in outputs or "push=true" in outputs):
        return option_values(command.words, "-t", "--tag")
    return None


_GLOBAL_VALUED = frozenset(
    {"--config", "--context", "-c", "--host", "-H", "--log-level", "-l", "--storage-opt", "--root"}
)
"""Options of an engine itself that take the next word."""


def _compose_command(arguments: tuple[str, ...]) -> str:
    """What Compose is asked to do, behind its options; empty for nothing."""
    waits = False
    for word in arguments:
        if waits or word.startswith("-"):
            waits = not waits and word in _COMPOSE_VALUED
        else:
            return word
    return ""


_COMPOSE_VALUED = frozenset(
    {"-f", "--file", "-p", "--project-name", "--project-directory", "--profile", "--env-file", "--ansi"}
    | {"--progress", "--parallel", "-H", "--host", "-c", "--context", "--workdir", "--log-level"}
)


def option_values(words: tuple[str, ...], *names: str) -> tuple[str, ...]:
    """All values of options with these names, in order."""
    values: list[str] = []
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in names:
            values.append(value if equals else "".join(words[number + 1 : number + 2]))
    return tuple(values)


def is_build(command: ShellCommand) -> bool:
    """Whether a command builds an image, as far as its name and first words tell."""
    return (command.name in _BUILDERS and "build" in command.words[1:4]) or command.name == "dotnet"


def copies_image(command: ShellCommand) -> bool:
    """Whether a command brings an image from one registry to another, or gives it other tags there."""
    words = (command.name, *command.words[1:])
    match words:
        case ("docker" | "docker-buildx", *rest):
            return "imagetools" in rest[:2] and "create" in rest[:3] and not command.has("--dry-run")
        case ("skopeo", "copy", *rest):
            return sum(word.startswith("docker://") for word in rest) > 1
        case ("crane", "copy" | "cp", *_) | ("oras", "copy" | "cp", *_) | ("regctl", "image", "copy", *_):
            return True
        case ("az", "acr", "import", *_):
            return True
    return False


def repository_of(name: str) -> str:
    """The name without its tag and digest."""
    head = name.partition("@")[0]
    masked = EXPRESSION.sub(lambda match: "x" * len(match.group()), head)
    colon = masked.rfind(":")
    return head[:colon] if colon > masked.rfind("/") else head
