"""Command lines that run or fetch an image: `docker run`, `pull` and `create`, of Podman and nerdctl too.

Options: https://docs.docker.com/reference/cli/docker/container/run/. The image is the first word that is neither an
option nor the value of one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bot.files.formats.shell.commands import UNKNOWN, Command, is_literal
from bot.files.formats.source.collector import is_plainly_an_image
from bot.files.formats.source.spanned import Spanned

_PROGRAMS = frozenset({"docker", "podman", "nerdctl"})
_VERBS = frozenset({"run", "pull", "create"})
_GROUPS = frozenset({"container", "image", "service"})
_TRANSPORT = "docker://"
_SWITCHES = frozenset(
    {"--detach", "--interactive", "--tty", "--rm", "--init", "--privileged", "--read-only", "--publish-all"}
    | {"--quiet", "--sig-proxy", "--disable-content-trust", "--oom-kill-disable", "--no-healthcheck", "--rmi"}
    | {"--use-api-socket", "--all-tags", "--replace", "--tls-verify", "--no-hosts", "--no-hostname", "--env-host"}
    | {"--http-proxy", "--read-only-tmpfs", "--rootfs", "--debug", "--tls", "--tlsverify", "--remote"}
    | {"--insecure-registry", "--all-platforms"}
)
"""Long options that take the next word for no value."""
_SHORT_SWITCHES = frozenset("ditPqDa")
_ALSO_VALUED = frozenset("a")
"""`-a` is `--attach STREAM` of run and create, and `--all-tags` of pull."""
_TAG_OPTIONS = ("-t", "--tag")
_MOST_WORDS = 500
_MAY_RUN = re.compile(r"\b(?:docker|podman|nerdctl)\b[^\n]{0,200}?\b(?:run|pull|create)\b")
_DOTNET = re.compile(r"(?:[\w.-]+(?::\d+)?/(?:[\w.-]+/)*)?dotnet/[\w./-]+[:@]|mcr\.microsoft\.com/dotnet/")
_TAGGED = re.compile(
    r"(?:\s|^)(?:-t|--tag)[ \t=]+[\"']?(?P<name>[^\s\"'\\`]+)|\b(?:tag|commit)[ \t]+\S+[ \t]+(?P<to>\S+)"
)


@dataclass(frozen=True, slots=True)
class RunImage:
    """An image that a command runs or fetches; `is_known` is False where only a run tells what it is."""

    image: Spanned
    is_known: bool


def may_run(text: str) -> bool:
    """Whether a text may hold such a command, told faster than by reading its commands."""
    return _MAY_RUN.search(text) is not None


@lru_cache(maxsize=16)
def names_built(text: str) -> frozenset[str]:
    """The names that commands of a text give to what they build, which are no images of elsewhere."""
    return frozenset(match["name"] or match["to"] for match in _TAGGED.finditer(text))


def names_given(command: Command) -> Iterator[str]:
    """The names that a build gives to what it makes, with variables put in."""
    words = [word.text for word in command.words[:_MOST_WORDS]] if command.name in _PROGRAMS else []
    if "build" in words[1:4]:
        for word, following in pairwise(words):
            if word in _TAG_OPTIONS:
                yield following
            elif word.partition("=")[0] in _TAG_OPTIONS:
                yield word.partition("=")[2]


def images_run(command: Command) -> Iterator[RunImage]:
    """The image of a command that runs, creates or fetches one; none of other commands."""
    words = _behind_verb(command)
    if words is None:
        return
    is_pull = words[0].text == "pull"
    position, is_sure = 1, True
    while position < len(words):
        word = words[position]
        if word.text.startswith("-") and word.text != "-":
            position += _words_taken(word.text, is_pull=is_pull)
            continue
        if is_literal(word):
            if is_sure or is_plainly_an_image(word.text):
                yield RunImage(word.without_prefix(_TRANSPORT) or word, is_known=True)
                return
        elif _has_name(word.text):
            yield RunImage(word, is_known=False)
            return
        # What only a run knows may as well be options.
        is_sure = False
        position += 1


def _behind_verb(command: Command) -> list[Spanned] | None:
    """The words from `run`, `pull` or `create` on; None where the command is another one."""
    words = list(command.words[:_MOST_WORDS])
    if command.name not in _PROGRAMS:
        return None
    position = 1
    while position < len(words):
        text = words[position].text
        if text in _VERBS:
            return words[position:]
        if text in _GROUPS:
            position += 1
        elif text.startswith("-"):
            position += _words_taken(text)
        else:
            return None
    return None


def _words_taken(option: str, *, is_pull: bool = False) -> int:
    """How many words an option takes with its value."""
    if option.startswith("--"):
        return 1 if "=" in option or option in _SWITCHES else 2
    for number, letter in enumerate(option[1:], start=2):
        is_valued = letter not in _SHORT_SWITCHES or (letter in _ALSO_VALUED and not is_pull)
        if is_valued:
            return 2 if number == len(option) else 1
    return 1


def _has_name(text: str) -> bool:
    """Whether a word of which a part is unknown is a .NET image by what is written out of it."""
    return _DOTNET.match(text.partition(UNKNOWN)[0]) is not None
