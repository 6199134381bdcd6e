"""Dockerfiles → the user that their images run as, followed through the stages.

Sources: Docker's reference of USER, and the .NET SDK's container targets (from .NET 8 on they set the user `app`).
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.files.audit.images.by_name import APP_UID, is_dotnet, is_for_windows, major_of, user_of_base
from bot.files.audit.images.dockerfile import STARTING, Dockerfile
from bot.files.audit.images.user import ROOTS, User, UserKind, numbered_user, unknown_user
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats.dockerfile.arguments import ASSUMED_PLATFORM
from bot.files.formats.dockerfile.lines import Instruction
from bot.files.formats.dockerfile.stages import BuildStage
from bot.files.formats.dockerfile.words import BadWord, expand, split_quoted
from bot.files.formats.source.spanned import Spanned

_DROPS_RIGHTS = re.compile(
    r"\b(?:gosu|su-exec|setpriv|runuser|s6-setuidgid|chpst|setuidgid)\b|(?:^|[\s\"'\[])/init\b"
)
_CHANGES_OWNERS = re.compile(r"\b(?:chown|chgrp|usermod|groupmod|su)\s")
_BRINGS_TOOL = re.compile(r"\b(?:gosu|su-exec|s6-overlay)\b")


def user_of(file: Dockerfile, stage: BuildStage, repository: RepositoryTexts) -> User:
    """Who the image of a stage runs as, with the user that its base has at hand."""
    chain = file.chain(stage)
    user, root = _user_of_chain(file, chain, repository), chain[-1]
    if root.image is None or user.kind is not UserKind.ROOT or user.at_hand:
        return user
    return replace(user, at_hand=user_of_base(root.image.text, root.instruction).at_hand)


def _user_of_chain(file: Dockerfile, chain: list[BuildStage], repository: RepositoryTexts) -> User:
    stage, root = chain[0], chain[-1]
    if is_for_windows(root):
        return User(UserKind.NOT_ASKED, root.instruction, "it is a Windows image")
    for ancestor in chain:
        user_instructions = [instruction for instruction in file.of(ancestor) if instruction.keyword == "user"]
        if user_instructions:
            return _unless_dropped(
                _user_of_instruction(file, ancestor, user_instructions[-1]), file, chain, repository
            )
    if root.image is None:
        if root.word.text == "scratch" and not starts(file, stage):
            return User(UserKind.NOT_ASKED, stage.instruction, "it only carries files: nothing is started in it")
        if root.word.text == "scratch":
            return User(UserKind.ROOT, stage.instruction, "scratch has no user, and no USER is written")
        return unknown_user(
            root.instruction, f"the base {root.word.text[:80]!r} is no image name", "a base that is one"
        )
    return _unless_dropped(user_of_base(root.image.text, root.instruction), file, chain, repository)


def changes_users(file: Dockerfile, stage: BuildStage, repository: RepositoryTexts) -> bool:
    """Whether what the image of a stage starts changes owners or users, for which it must be root."""
    chain = file.chain(stage)
    user = _user_of_chain(file, chain, repository)
    if user.kind in {UserKind.NUMBER, UserKind.NAME, UserKind.NOT_ASKED}:
        return False
    starts = [(each, file.of(one)) for one in chain for each in file.of(one) if each.keyword in STARTING]
    return user.where.keyword in STARTING or any(
        _CHANGES_OWNERS.search(each.arguments.text) or _script_holds(_CHANGES_OWNERS, each, siblings, repository)
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


def _user_of_instruction(file: Dockerfile, stage: BuildStage, instruction: Instruction) -> User:
    try:
        word = expand(instruction.arguments, _variables(file, stage, instruction), file.script.escape).text.strip()
    except BadWord:
        word = ""
    name = word.strip("\"'").partition(":")[0]
    if not name:
        return unknown_user(
            instruction, f"USER {instruction.arguments.text[:60]} is known only in a build", "a default for its ARG"
        )
    if name.isdecimal():
        return numbered_user(name, instruction, f"USER is UID {name}")
    if name.lower() in ROOTS:
        return User(UserKind.ROOT, instruction, "USER is root")
    return User(UserKind.NAME, instruction, f"USER is {name[:60]!r}")


def _variables(file: Dockerfile, stage: BuildStage, before: Instruction) -> dict[str, Spanned]:
    """ARG and ENV as they are where `before` stands, those of the stages below included."""
    values: dict[str, Spanned] = {}
    chain = file.chain(stage)
    root = chain[-1]
    if root.image is not None and is_dotnet(root.image.text) and major_of(root.image.text) not in range(1, 8):
        values["APP_UID"] = Spanned(APP_UID, (-1,) * len(APP_UID))
    globals_ = file.arguments.values(ASSUMED_PLATFORM)
    for ancestor in reversed(chain):
        for instruction in file.of(ancestor):
            if instruction is before or (instruction.line >= before.line and ancestor is stage):
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
            if _DROPS_RIGHTS.search(text) or _script_holds(_DROPS_RIGHTS, instruction, file.of(stage), repository):
                return unknown_user(
                    instruction,
                    "it starts as root, and its entrypoint seems to drop the rights",
                    "the user of the process in a running container; a USER would make it plain",
                )
    return user


def _script_holds(
    pattern: re.Pattern[str], instruction: Instruction, stage: Iterable[Instruction], repository: RepositoryTexts
) -> bool:
    """Whether a script of the repository that the entrypoint starts holds a command, also under another name."""
    names = set(re.findall(r"([\w.-]+\.(?:sh|bash)|docker-entrypoint|entrypoint)\b", instruction.arguments.text))
    for sibling in stage:
        *sources, target = sibling.arguments.text.split() or [""]
        if sibling.keyword == "copy" and target.rpartition("/")[2] in names:
            names |= {source.rpartition("/")[2] for source in sources}
    return any(
        pattern.search(repository.text(path)) is not None
        for path in repository.paths
        if path.rpartition("/")[2] in names
    )
