"""Dockerfiles → the user that their images run as, followed through the stages.

Sources: Docker's reference of USER, and the .NET SDK's container targets (from .NET 8 on they set the user `app`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.files.audit.images.by_name import APP_UID, is_dotnet, is_for_windows, major_of, user_of_base
from bot.files.audit.images.dockerfile import STARTING, Dockerfile
from bot.files.audit.images.user import ROOTS, User, UserKind, numbered_user, unknown_user
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.arguments import ASSUMED_PLATFORM
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dockerfile.words import BadWord, expand, split_quoted
from bot.files.formats.practices import SUPERVISED
from bot.files.formats.source.spanned import Spanned

_DROPS_RIGHTS = re.compile(
    r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|setuidgid)\b|(?<![\w.-])su[ \t]+[\w-]"
    r"|(?:^|[\s\"'\[])/init\b"
)
_STARTS_ITSELF = re.compile(
    r"exec[ \t]+(?!(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|setuidgid|su)\b)[\w./-]+"
)
_HANDS_ON = re.compile(r"\bexec\b|\$(?:[@*0]|\{[@*0])").search
_SUPERVISES = re.compile(r"\bsupervisord\b")
_USER_OF_PROGRAM = re.compile(r"^user[ \t]*=[ \t]*(?!root\b|0\b)\w", re.MULTILINE)
_BEGINS = r"(?<![\w./-])(?:/(?:usr/)?s?bin/)?"
_CHANGES_OWNERS = re.compile(
    rf"{_BEGINS}(?:chown|chgrp|setfacl|chmod(?![\s\"',]+(?:[augo]*\+[rx]+|\d+[\s\"',]+[^\s\"',]+\.sh)(?![\w.])))"
    r"(?=[\s\"'])"
)
"""What root alone may do to files of others; what makes a script of the image's own one to run is not that."""
_CHANGES_USERS = re.compile(rf"{_CHANGES_OWNERS.pattern}|{_BEGINS}(?:usermod|groupmod|su)(?=[\s\"'])")
_BRINGS_TOOL = re.compile(r"\b(?:gosu|su-exec|s6-overlay)\b")


Environment = Mapping[str, Spanned]
"""What ENV sets in a base, by name."""
_NOTHING_SET: Environment = {}


def user_of(
    file: Dockerfile,
    stage: BuildStage,
    repository: RepositoryTexts,
    of_base: Environment = _NOTHING_SET,
    command: str = "",
) -> User:
    """Who the image of a stage runs as, with the user that its base has at hand; `of_base` is what that sets, and
    `command` what its workload starts in place of the image's own."""
    chain = file.chain(stage)
    user, root = _user_of_chain(file, chain, repository, of_base, command), chain[-1]
    if root.image is None or user.kind is not UserKind.ROOT or user.at_hand:
        return user
    return replace(user, at_hand=user_of_base(root.image.text, root.instruction).at_hand)


def environment_of(file: Dockerfile, stage: BuildStage, of_base: Environment) -> Environment:
    """What ENV sets in the image of a stage, the base's own included."""
    is_set = {
        word.text.partition("=")[0]
        for each in file.chain(stage)
        for instruction in file.of(each)
        if instruction.keyword == "env"
        for word in split_quoted(instruction.arguments, file.script.escape)
    }
    values = _variables(file, stage, None, of_base)
    is_set |= _set_below(file, stage, of_base).keys()
    return {name: value for name, value in values.items() if name in is_set}


def _set_below(file: Dockerfile, stage: BuildStage, of_base: Environment) -> Environment:
    """What the base of a stage sets, by its name where that is one of .NET's."""
    root = file.chain(stage)[-1]
    if root.image is not None and is_dotnet(root.image.text) and major_of(root.image.text) not in range(1, 8):
        return {**of_base, _APP_UID: Spanned(APP_UID, (-1,) * len(APP_UID))}
    return of_base


def _user_of_chain(
    file: Dockerfile,
    chain: list[BuildStage],
    repository: RepositoryTexts,
    of_base: Environment = _NOTHING_SET,
    command: str = "",
) -> User:
    stage, root = chain[0], chain[-1]
    if is_for_windows(root):
        return User(UserKind.NOT_ASKED, root.instruction, "it is a Windows image")
    for ancestor in chain:
        user_instructions = [instruction for instruction in file.of(ancestor) if instruction.keyword == "user"]
        if user_instructions:
            return _unless_dropped(
                _user_of_instruction(file, ancestor, user_instructions[-1], of_base), file, chain, repository
            )
    if root.image is None:
        if only_carries_files(file, stage, command):
            return User(UserKind.NOT_ASKED, stage.instruction, "it only carries files: nothing is started in it")
        if root.word.text == "scratch":
            return User(UserKind.ROOT, stage.instruction, "scratch has no user, and no USER is written")
        return unknown_user(
            root.instruction, f"the base {root.word.text[:80]!r} is no image name", "a base that is one"
        )
    return _unless_dropped(user_of_base(root.image.text, root.instruction), file, chain, repository)


def changes_owners(command: str) -> bool:
    """Whether a command changes owners or modes of files, as root alone may with those of others."""
    return _CHANGES_OWNERS.search(command) is not None


def changes_users(file: Dockerfile, stage: BuildStage, repository: RepositoryTexts) -> bool:
    """Whether what the image of a stage starts changes owners or users, for which it must be root."""
    chain = file.chain(stage)
    user = _user_of_chain(file, chain, repository)
    if user.kind in {UserKind.NUMBER, UserKind.NAME, UserKind.NOT_ASKED}:
        return False
    starts = [(each, file.of(one)) for one in chain for each in file.of(one) if each.keyword in STARTING]
    return user.where.keyword in STARTING or any(
        any(map(_CHANGES_USERS.search, (each.arguments.text, *_scripts_started(each, siblings, repository))))
        for each, siblings in starts
    )


def stands_on_dotnet(file: Dockerfile, stage: BuildStage) -> bool:
    """Whether the first base of a stage is one of .NET's images."""
    image = file.chain(stage)[-1].image
    return image is not None and is_dotnet(image.text)


def starts(file: Dockerfile, stage: BuildStage) -> list[str]:
    """What the image of a stage starts: the ENTRYPOINT and CMD of the nearest stage below that has some."""
    for ancestor in file.chain(stage):
        if texts := [each.arguments.text for each in file.of(ancestor) if each.keyword in STARTING]:
            return texts
    return []


def only_carries_files(file: Dockerfile, stage: BuildStage, command: str) -> bool:
    """Whether the image of a stage stands on nothing, and neither it nor its workload's command starts anything."""
    return not command and file.chain(stage)[-1].word.text == "scratch" and not starts(file, stage)


_APP_UID = "APP_UID"
"""What .NET's images set to the number of their user."""


def _user_of_instruction(
    file: Dockerfile, stage: BuildStage, instruction: Instruction, of_base: Environment
) -> User:
    variables = _variables(file, stage, instruction, of_base)
    try:
        word = expand(instruction.arguments, variables, file.script.escape).text.strip()
    except BadWord:
        word = ""
    name = word.strip("\"'").partition(":")[0]
    if not name:
        written = instruction.arguments.text[:60]
        is_argument = any(each.keyword == "arg" for each in file.script.instructions)
        settled_by = "a default for its ARG" if is_argument else "what its base sets that to, or a number"
        return unknown_user(instruction, f"USER {written} is known only in a build", settled_by)
    if name.isdecimal():
        return numbered_user(name, instruction, f"USER is UID {name}")
    if name.lower() in ROOTS:
        return User(UserKind.ROOT, instruction, "USER is root")
    return User(UserKind.NAME, instruction, f"USER is {name[:60]!r}")


def _variables(
    file: Dockerfile, stage: BuildStage, before: Instruction | None, of_base: Environment
) -> dict[str, Spanned]:
    """ARG and ENV as they are where `before` stands, or at the end, with those of the base and the stages below."""
    values = {**_set_below(file, stage, of_base)}
    chain = file.chain(stage)
    globals_ = file.arguments.values(ASSUMED_PLATFORM)
    for ancestor in reversed(chain):
        for instruction in file.of(ancestor):
            if before is not None and ancestor is stage and instruction.line >= before.line:
                break
            if instruction.keyword not in {"arg", "env"}:
                continue
            for word in split_quoted(instruction.arguments, file.script.escape):
                name, equals, _ = word.text.partition("=")
                if not equals:
                    if instruction.keyword == "arg" and name in globals_:
                        values[name] = globals_[name]
                    continue
                try:
                    values[name] = expand(word.part(len(name) + 1, len(word)), values, file.script.escape)
                except BadWord:
                    values.pop(name, None)
    return values


def _unless_dropped(user: User, file: Dockerfile, chain: list[BuildStage], repository: RepositoryTexts) -> User:
    """Root at first may be another user later, where the entrypoint drops its rights."""
    if user.kind is not UserKind.ROOT:
        return user
    for stage in chain:
        starts = [each for each in file.of(stage) if each.keyword in STARTING]
        brings = any(_BRINGS_TOOL.search(each.text) for each in file.of(stage) if each.keyword in {"run", "copy"})
        if starts and brings:
            return unknown_user(
                starts[-1],
                "it starts as root, and holds a tool with which an entrypoint drops rights",
                "the user of the process in a running container; a USER would make it plain",
            )
        for instruction in starts:
            text = instruction.arguments.text
            if (
                _DROPS_RIGHTS.search(text)
                or any(map(_drops_rights, _scripts_started(instruction, file.of(stage), repository)))
                or _is_supervised(instruction, file.of(stage), repository)
            ):
                return unknown_user(
                    instruction,
                    "it starts as root, and its entrypoint seems to drop the rights",
                    "the user of the process in a running container; a USER would make it plain",
                )
    return user


def _is_supervised(instruction: Instruction, stage: Iterable[Instruction], repository: RepositoryTexts) -> bool:
    """Whether it starts supervisord, whose settings here have a program run as another user."""
    text = instruction.arguments.text
    scripts = _scripts_started(instruction, stage, repository)
    if not (_SUPERVISES.search(text) or any(map(_SUPERVISES.search, scripts))):
        return False
    settings = (repository.text(path) for path in repository.paths if path.lower().endswith(SUPERVISED))
    return any(_USER_OF_PROGRAM.search(each) for each in settings)


def _drops_rights(script: str) -> bool:
    """Whether a script starts its program as another user; one that ends in `exec` of the program itself, and hands
    nothing on before, only has other work done so."""
    lines = [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    is_own = bool(lines) and _STARTS_ITSELF.match(lines[-1]) is not None
    used = [line for line in lines if _DROPS_RIGHTS.search(line)]
    return bool(used) and not (is_own and not any(map(_HANDS_ON, used)))


def _scripts_started(
    instruction: Instruction, stage: Iterable[Instruction], repository: RepositoryTexts
) -> list[str]:
    """The texts of the repository's scripts that the entrypoint starts, also under another name."""
    names = set(re.findall(r"([\w.-]+\.(?:sh|bash)|docker-entrypoint|entrypoint)\b", instruction.arguments.text))
    for sibling in stage:
        *sources, target = sibling.arguments.text.split() or [""]
        if sibling.keyword == "copy" and target.rpartition("/")[2] in names:
            names |= {source.rpartition("/")[2] for source in sources}
    return [repository.text(path) for path in repository.paths if path.rpartition("/")[2] in names]
