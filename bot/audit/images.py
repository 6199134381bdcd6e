"""Dockerfiles → the user that their images run as, followed through the stages.

Sources: Docker's reference of USER; the Dockerfiles of Microsoft's .NET images (chiseled and distroless ones run as
`app`, UID 1654 from .NET 8 on; the others as root, with `$APP_UID` at hand), of Google's distroless images and of
the .NET SDK's container targets (from .NET 8 on they set the user `app`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.audit.repository import Repository
from bot.domain.images.seen_config import SeenConfig
from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.finding import Place
from bot.domain.tags.tag import Tag
from bot.formats.dockerfile.arguments import ASSUMED_PLATFORM, Arguments
from bot.formats.dockerfile.lines import Instruction, Script, read
from bot.formats.dockerfile.stages import Stage, resolve
from bot.formats.dockerfile.words import BadWord, expand, split_quoted
from bot.formats.source.spanned import Spanned

MOST_STAGES = 200
_ROOTS = frozenset({"root", "containeradministrator"})
MICROSOFT = "mcr.microsoft.com"
APP_UID = "1654"
_NAME_OF_DEVELOPMENT = re.compile(
    r"(?:^|[._-])(?:dev|devel|develop|development|tests?|testing|debug|ci|local|watch|builder|buildenv|playground|override|vs|e2e)"
    r"(?=[._-]|$)",
    re.IGNORECASE,
)
_DROPS_RIGHTS = re.compile(
    r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|setuidgid)\b|(?:^|[\s\"'\[])/init\b"
)
_BRINGS_TOOL = re.compile(r"\b(?:gosu|su-exec|s6-overlay)\b")
_RUN_AS_ROOT = frozenset(
    [
        "debian",
        "ubuntu",
        "alpine",
        "busybox",
        "fedora",
        "centos",
        "rockylinux",
        "almalinux",
        "amazonlinux",
        "archlinux",
        "opensuse",
        "node",
        "python",
        "golang",
        "openjdk",
        "eclipse-temurin",
        "amazoncorretto",
        "ruby",
        "php",
        "rust",
        "maven",
        "gradle",
        "nginx",
        "httpd",
        "perl",
        "buildpack-deps",
        "caddy",
        "haproxy",
        "swift",
        "erlang",
        "elixir",
        "julia",
        "r-base",
        "bash",
        "docker",
    ]
)
"""Docker's own images whose configuration has no user and whose entrypoint drops no rights."""
_DOTNET_TOOLS = frozenset({"aspire-dashboard", "monitor"})
"""Beside the runtimes; they come without a shell, for a user of their own."""
_ARCHITECTURE = re.compile(r"^(?:amd64|arm32v[567]|arm64v8|i386|ppc64le|riscv64|s390x)/")
"""Where Docker's own images stand once more, for one architecture each."""
_BARE_SYSTEMS = (
    f"{MICROSOFT}/azurelinux/base/",
    f"{MICROSOFT}/cbl-mariner/base/",
    f"{MICROSOFT}/mirror/docker/library/",
)


class Kind(StrEnum):
    ROOT = "root"
    NUMBER = "number"
    NAME = "name"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"
    """A Windows image, or one in which nothing runs."""


@dataclass(frozen=True, slots=True)
class User:
    """Who an image runs as. `where` is the instruction that says so, `why` says it in words."""

    kind: Kind
    where: Instruction
    why: str
    settled_by: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Dockerfile:
    """A Dockerfile read: its stages in order, and which of them the image is made of."""

    path: str
    script: Script
    stages: tuple[Stage, ...]
    instructions: Mapping[int, tuple[Instruction, ...]]
    """By the number of the stage; -1 holds what stands before the first FROM."""
    arguments: Arguments

    @property
    def final(self) -> Stage:
        return self.stages[-1]

    def stage(self, name: str) -> Stage | None:
        return next((each for each in reversed(self.stages) if each.name == name.lower()), None)

    def of(self, stage: Stage) -> tuple[Instruction, ...]:
        return self.instructions.get(stage.number, ())

    def place(self, instruction: Instruction) -> Place:
        return Place(self.path, instruction.line, instruction.last_line)

    def chain(self, stage: Stage) -> list[Stage]:
        """A stage and those that it stands on, itself first."""
        found = [stage]
        while found[-1].bases and len(found) <= MOST_STAGES:
            found.append(found[-1].bases[0])
        return found


def is_for_development(path: str) -> bool:
    """Whether a file's own name says that what it describes is run by developers or tests."""
    return _NAME_OF_DEVELOPMENT.search(path.rpartition("/")[2]) is not None


def dockerfiles(repository: Repository) -> list[Dockerfile]:
    """All that images for others are built from, in the order of their paths."""
    return repository.kept(_dockerfiles)


def _dockerfiles(repository: Repository) -> list[Dockerfile]:
    read_ones = (dockerfile(path, repository.text(path)) for path in repository.dockerfiles)
    return [each for each in read_ones if each is not None and not is_for_development(each.path)]


def dockerfile(path: str, text: str) -> Dockerfile | None:
    """None where there is no stage. Never raises."""
    script = read(text)
    arguments = Arguments(script.escape, {})
    froms: list[Instruction] = []
    own: dict[int, list[Instruction]] = {}
    for instruction in script.instructions:
        if instruction.keyword == "from":
            froms.append(instruction)
            if len(froms) > MOST_STAGES:
                return None
        elif instruction.keyword == "arg" and not froms:
            arguments.declare(instruction)
        else:
            own.setdefault(len(froms) - 1, []).append(instruction)
    if not froms:
        return None
    stages, _, _ = resolve(froms, arguments, script.escape)
    return Dockerfile(path, script, tuple(stages), {key: tuple(each) for key, each in own.items()}, arguments)


def user_of(file: Dockerfile, stage: Stage, repository: Repository) -> User:
    """Who the image of a stage runs as."""
    chain = file.chain(stage)
    root = chain[-1]
    if _is_windows(root):
        return User(Kind.NOT_ASKED, root.instruction, "it is a Windows image")
    for each in chain:
        written = [instruction for instruction in file.of(each) if instruction.keyword == "user"]
        if written:
            return _unless_dropped(_written(file, each, written[-1]), file, chain, repository)
    if root.image is None:
        if root.word.text == "scratch" and not _starts(file, chain):
            return User(Kind.NOT_ASKED, stage.instruction, "it only carries files: nothing is started in it")
        if root.word.text == "scratch":
            return User(Kind.ROOT, stage.instruction, "scratch has no user, and no USER is written")
        return _unknown(
            root.instruction, f"the base {root.word.text[:80]!r} is no image name", "a base that is one"
        )
    return _unless_dropped(_of_base(root.image.text, root.instruction), file, chain, repository)


def _starts(file: Dockerfile, chain: list[Stage]) -> bool:
    return any(each.keyword in {"entrypoint", "cmd"} for stage in chain for each in file.of(stage))


def _written(file: Dockerfile, stage: Stage, instruction: Instruction) -> User:
    try:
        word = expand(instruction.arguments, _variables(file, stage, instruction), file.script.escape).text.strip()
    except BadWord:
        word = ""
    name = word.strip("\"'").partition(":")[0]
    if not name:
        return _unknown(
            instruction, f"USER {instruction.arguments.text[:60]} is known only in a build", "a default for its ARG"
        )
    if name.isdecimal():
        kind = Kind.ROOT if int(name[:20]) == 0 else Kind.NUMBER
        return User(kind, instruction, f"USER is UID {name}")
    if name.lower() in _ROOTS:
        return User(Kind.ROOT, instruction, "USER is root")
    return User(Kind.NAME, instruction, f"USER is {name[:60]!r}")


def _variables(file: Dockerfile, stage: Stage, before: Instruction) -> dict[str, Spanned]:
    """ARG and ENV as they are where `before` stands, those of the stages below included."""
    known: dict[str, Spanned] = {}
    chain = file.chain(stage)
    root = chain[-1]
    if root.image is not None and is_dotnet(root.image.text) and _major(root.image.text) not in range(1, 8):
        known["APP_UID"] = Spanned(APP_UID, (-1,) * len(APP_UID))
    globals_ = file.arguments.values(ASSUMED_PLATFORM)
    for each in reversed(chain):
        for instruction in file.of(each):
            if instruction is before or (instruction.line >= before.line and each is stage):
                break
            if instruction.keyword not in {"arg", "env"}:
                continue
            for word in split_quoted(instruction.arguments, file.script.escape):
                name, equals, _ = word.text.partition("=")
                if not equals:
                    if instruction.keyword == "arg" and name in globals_:
                        known[name] = globals_[name]
                    continue
                try:
                    known[name] = expand(word.part(len(name) + 1, len(word)), known, file.script.escape)
                except BadWord:
                    known.pop(name, None)
    return known


def _unless_dropped(user: User, file: Dockerfile, chain: list[Stage], repository: Repository) -> User:
    """Root at first may be another user later, where the entrypoint drops its rights."""
    if user.kind is not Kind.ROOT:
        return user
    for stage in chain:
        starts = [each for each in file.of(stage) if each.keyword in {"entrypoint", "cmd"}]
        brings = any(_BRINGS_TOOL.search(each.text) for each in file.of(stage) if each.keyword in {"run", "copy"})
        if starts and brings:
            return _unknown(
                starts[-1],
                "it starts as root, and holds a tool with which an entrypoint drops rights",
                "the user of the process in a running container; a USER would make it plain",
            )
        for instruction in starts:
            text = instruction.arguments.text
            if _DROPS_RIGHTS.search(text) or _script_drops(instruction, file.of(stage), repository):
                return _unknown(
                    instruction,
                    "it starts as root, and its entrypoint seems to drop the rights",
                    "the user of the process in a running container; a USER would make it plain",
                )
    return user


def _script_drops(instruction: Instruction, stage: Iterable[Instruction], repository: Repository) -> bool:
    """Whether a script of the repository that the entrypoint starts drops rights, also under another name."""
    names = set(re.findall(r"([\w.-]+\.(?:sh|bash)|docker-entrypoint|entrypoint)\b", instruction.arguments.text))
    for each in stage:
        *sources, target = each.arguments.text.split() or [""]
        if each.keyword == "copy" and target.rpartition("/")[2] in names:
            names |= {source.rpartition("/")[2] for source in sources}
    return any(
        _DROPS_RIGHTS.search(repository.text(path)) is not None
        for path in repository.paths
        if path.rpartition("/")[2] in names
    )


def _of_base(image: str, instruction: Instruction) -> User:
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return _unknown(instruction, f"the base {image[:80]!r} is known only in a build", "defaults for its ARGs")
    tag = reference.tag or ""
    if is_dotnet(image):
        if re.search(r"chiseled|distroless", tag):
            return User(
                Kind.NUMBER,
                instruction,
                f"{image} runs as UID {APP_UID}"
                if _major(image) not in {6, 7}
                else f"{image} runs as the user app",
            )
        if reference.repository.rpartition("/")[2] in _DOTNET_TOOLS:
            return User(Kind.NUMBER, instruction, f"{image} runs as UID {APP_UID}")
        return User(Kind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    if reference.registry == "gcr.io" and reference.repository.startswith("distroless/"):
        if "nonroot" in tag:
            return User(Kind.NUMBER, instruction, f"{image} runs as UID 65532")
        if reference.tag is not None:
            return User(Kind.ROOT, instruction, f"{image} runs as root; its `nonroot` tags do not")
    name = _ARCHITECTURE.sub("", reference.repository).removeprefix("library/")
    if image.startswith(_BARE_SYSTEMS):
        return User(Kind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    if reference.registry == "docker.io" and name in _RUN_AS_ROOT and "unprivileged" not in tag:
        return User(Kind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    if reference.registry == "docker.io" and name == "nginxinc/nginx-unprivileged":
        return User(Kind.NUMBER, instruction, f"{image} runs as UID 101")
    return _unknown(
        instruction, f"no USER is written, and who {image} runs as is not known here", "a USER in this file"
    )


def user_of_image(image: str) -> User:
    """Who an image that others built runs as, as far as its name tells."""
    script = read(f"FROM {image}\n")
    if not script.instructions or len(script.instructions) != 1:
        script = read("FROM scratch\n")
        return _unknown(script.instructions[0], "the image is not known", "the image's configuration")
    user = _of_base(image, script.instructions[0])
    if user.kind is Kind.UNKNOWN:
        return _unknown(user.where, f"who {image} runs as is not known here", "the image's configuration")
    return user


def user_seen(seen: SeenConfig, where: Instruction) -> User:
    """Who a produced image runs as, by its own configuration."""
    name = seen.user.partition(":")[0].strip()
    if not name:
        return User(Kind.ROOT, where, f"{seen.shown} names no user, which means root")
    if name.isdecimal() and name.isascii():
        kind = Kind.ROOT if int(name[:20]) == 0 else Kind.NUMBER
        return User(kind, where, f"{seen.shown} runs as UID {name[:20]}")
    if name.lower() in _ROOTS:
        return User(Kind.ROOT, where, f"{seen.shown} runs as root")
    return User(Kind.NAME, where, f"{seen.shown} runs as {name[:60]!r}")


def settled(user: User, seen: SeenConfig | None) -> User:
    """An unknown user as the produced image tells; that an entrypoint drops rights is nothing it could deny."""
    if user.kind is not Kind.UNKNOWN or seen is None:
        return user
    found = user_seen(seen, user.where)
    drops_rights = user.where.keyword in {"entrypoint", "cmd"}
    return user if found.kind is Kind.ROOT and drops_rights else found


def is_dotnet(image: str) -> bool:
    return image.startswith(f"{MICROSOFT}/dotnet/") and not image.startswith(f"{MICROSOFT}/dotnet/framework/")


def _major(image: str) -> int | None:
    match = re.search(r":(\d{1,3})\.\d", image)
    return int(match[1]) if match else None


def _is_windows(root: Stage) -> bool:
    if any(platform.startswith("windows") for platform in root.platforms):
        return True
    image = root.image.text if root.image is not None else ""
    return (
        image.startswith((f"{MICROSOFT}/windows/", f"{MICROSOFT}/dotnet/framework/"))
        or re.search(r"nanoserver|windowsservercore|-ltsc20\d\d", image) is not None
    )


def _unknown(where: Instruction, why: str, settled_by: str) -> User:
    return User(Kind.UNKNOWN, where, why, settled_by)


def tag_of(image: str) -> Tag | None:
    """The tag of an image as .NET's versions are read; None where it has none."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return None
    return Tag.parse(reference.tag) if reference.tag is not None else None
