"""What the name of an image tells: whether it is .NET's or for Windows, and as whom it runs.

Sources: Microsoft's .NET images (chiseled and distroless ones run as `app`, UID 1654 from .NET 8 on; the others as
root, with `$APP_UID` at hand) and its page on the support of .NET, Google's distroless images, and the
configurations of Docker's own images.
"""

import re
from functools import lru_cache

from bot.domain.bases.dotnet import MICROSOFT
from bot.domain.reference import InvalidReference, Reference
from bot.domain.tags.tag import Tag
from bot.files.audit.images.stock import MOST_NAMES, StockImage, stock_image
from bot.files.audit.images.user import User, UserKind, unknown_user
from bot.files.formats.dockerfile.lines import Instruction, read
from bot.files.formats.dockerfile.stages import BuildStage

APP_UID = "1654"
_FIRST_WITH_USER = 8
EARLY_UID = "64198"
"""What .NET's images were first meant to run as, and older articles still name."""
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
        "perl",
        "buildpack-deps",
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


def what_settles(written: str) -> str:
    """What would tell the name of a base that is known only in a build: what is no argument, a program fills in."""
    return "defaults for its ARGs" if "$" in written or not written else "a name that is written out"


def user_of_base(image: str, instruction: Instruction) -> User:
    """Whom an image runs as that is built on `image` and names no USER, as far as the name of the base tells."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        written = next((word for word in instruction.arguments.text.split() if not word.startswith("--")), "")
        base = f"the base {written[:80]!r}" if written else "the base"
        return unknown_user(instruction, f"{base} is known only in a build", what_settles(written))
    tag = reference.tag or ""
    if is_dotnet(image):
        return _user_of_dotnet(image, reference, instruction)
    if reference.registry == "gcr.io" and reference.repository.startswith("distroless/"):
        if "nonroot" in tag:
            return User(UserKind.NUMBER, instruction, f"{image} runs as UID 65532")
        if reference.tag is not None or reference.digest is None:
            return User(UserKind.ROOT, instruction, f"{image} runs as root; its `nonroot` tags do not")
    stock = stock_image(image)
    if stock is not None:
        return _user_of_stock(image, stock, instruction)
    name = _ARCHITECTURE.sub("", reference.repository).removeprefix("library/")
    if image.startswith(_BARE_SYSTEMS):
        return User(UserKind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    if reference.registry == "docker.io" and name in _RUN_AS_ROOT and "unprivileged" not in tag:
        return User(UserKind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    if reference.registry == "docker.io" and name == "nginxinc/nginx-unprivileged":
        return User(UserKind.NUMBER, instruction, f"{image} runs as UID 101")
    return unknown_user(
        instruction, f"no USER is written, and who {image} runs as is not known here", "a USER in this file"
    )


def _user_of_stock(image: str, stock: StockImage, instruction: Instruction) -> User:
    if not stock.starts_as_root:
        return User(UserKind.NUMBER, instruction, f"{image} runs as UID {stock.uid}", uid=stock.uid)
    if not stock.uid:
        return User(UserKind.ROOT, instruction, f"{image} runs as root, and no USER is written")
    why = f"{image} starts as root, and becomes UID {stock.uid}"
    return unknown_user(instruction, why, "that UID, written down", at_hand=stock.uid)


def _user_of_dotnet(image: str, reference: Reference, instruction: Instruction) -> User:
    if re.search(r"chiseled|distroless", reference.tag or ""):
        who = "the user app" if major_of(image) in {6, 7} else f"UID {APP_UID}"
        uid = "" if major_of(image) in {6, 7} else APP_UID
        return User(UserKind.NUMBER, instruction, f"{image} runs as {who}", uid=uid)
    if reference.repository.rpartition("/")[2] in _DOTNET_TOOLS:
        return User(UserKind.NUMBER, instruction, f"{image} runs as UID {APP_UID}", uid=APP_UID)
    has_user = "/dotnet/core/" not in image and (major_of(image) or _FIRST_WITH_USER) >= _FIRST_WITH_USER
    why = f"{image} runs as root, and no USER is written"
    return User(UserKind.ROOT, instruction, why, at_hand=APP_UID if has_user else "")


@lru_cache(maxsize=MOST_NAMES)
def user_of_image(image: str) -> User:
    """Who an image that others built runs as, as far as its name tells."""
    script = read(f"FROM {image}\n")
    if not script.instructions or len(script.instructions) != 1:
        script = read("FROM scratch\n")
        return unknown_user(script.instructions[0], "the image is not known", "the image's configuration")
    user = user_of_base(image, script.instructions[0])
    if user.kind is UserKind.UNKNOWN and not user.at_hand:
        return unknown_user(user.where, f"who {image} runs as is not known here", "the image's configuration")
    return user


def is_dotnet(image: str) -> bool:
    return image.startswith(f"{MICROSOFT}/dotnet/") and not image.startswith(f"{MICROSOFT}/dotnet/framework/")


def major_of(image: str) -> int | None:
    match = re.search(r":(\d{1,3})\.\d", image)
    return int(match[1]) if match else None


def ended_on(image: str) -> str:
    """The day on which Microsoft ends the fixes of a .NET image's version; empty where none is known."""
    version = re.search(r"/(?:aspnet|runtime|runtime-deps|sdk):(\d{1,3}\.\d)(?!\d)", image)
    return _ENDED.get(version[1], "") if version is not None and is_dotnet(image) else ""


_ENDED = {
    "1.0": "2019-06-27",
    "1.1": "2019-06-27",
    "2.0": "2018-10-01",
    "2.1": "2021-08-21",
    "2.2": "2019-12-23",
    "3.0": "2020-03-03",
    "3.1": "2022-12-13",
    "5.0": "2022-05-10",
    "6.0": "2024-11-12",
    "7.0": "2024-05-14",
    "8.0": "2026-11-10",
    "9.0": "2026-11-10",
}


def is_for_windows(root: BuildStage) -> bool:
    if any(platform.startswith("windows") for platform in root.platforms):
        return True
    image = root.image.text if root.image is not None else ""
    return (
        image.startswith((f"{MICROSOFT}/windows/", f"{MICROSOFT}/dotnet/framework/"))
        or re.search(r"nanoserver|windowsservercore|-ltsc20\d\d", image) is not None
    )


def tag_of(image: str) -> Tag | None:
    """The tag of an image as .NET's versions are read; None where it has none."""
    try:
        reference = Reference.parse(image)
    except InvalidReference:
        return None
    return Tag.parse(reference.tag) if reference.tag is not None else None
