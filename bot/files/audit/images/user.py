"""Who an image runs as, and what its own configuration says of that."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.images.seen_config import SeenConfig
from bot.files.formats.dockerfile.lines import Instruction

ROOTS = frozenset({"root", "containeradministrator"})


class UserKind(StrEnum):
    """What is known of the user that an image runs as: root, a UID, a name that no UID is known of, or nothing."""

    ROOT = "root"
    NUMBER = "number"
    NAME = "name"
    UNKNOWN = "unknown"
    NOT_ASKED = "not asked"
    """A Windows image, or one in which nothing runs."""


@dataclass(frozen=True, slots=True)
class User:
    """Who an image runs as. `where` is the instruction that says so, `why` says it in words."""

    kind: UserKind
    where: Instruction
    why: str
    settled_by: str = ""
    uid: str = ""
    """Its number, where that is known and one to run as: empty for root."""
    at_hand: str = ""
    """The number of another user that the image has, and that it can be told to run as."""


def user_seen(config: SeenConfig, instruction: Instruction) -> User:
    """Who a produced image runs as, by its own configuration."""
    name = config.user.partition(":")[0].strip()
    if not name:
        return User(UserKind.ROOT, instruction, f"{config.short_name} names no user, which means root")
    if name.isdecimal() and name.isascii():
        return numbered_user(name, instruction, f"{config.short_name} runs as UID {name[:20]}")
    if name.lower() in ROOTS:
        return User(UserKind.ROOT, instruction, f"{config.short_name} runs as root")
    return User(UserKind.NAME, instruction, f"{config.short_name} runs as {name[:60]!r}")


def settled(user: User, config: SeenConfig | None) -> User:
    """Returns an unknown user as the produced image tells it; root there does not deny that it drops rights."""
    if user.kind is not UserKind.UNKNOWN or config is None:
        return user
    seen_user = user_seen(config, user.where)
    drops_rights = user.where.keyword in {"entrypoint", "cmd"}
    return user if seen_user.kind is UserKind.ROOT and drops_rights else seen_user


def numbered_user(number: str, instruction: Instruction, why: str) -> User:
    """A user that is named by number, which is root's where it is 0."""
    is_root = int(number[:20]) == 0
    return User(UserKind.ROOT if is_root else UserKind.NUMBER, instruction, why, uid="" if is_root else number)


def unknown_user(instruction: Instruction, why: str, settled_by: str, at_hand: str = "") -> User:
    return User(UserKind.UNKNOWN, instruction, why, settled_by, at_hand=at_hand)
