"""Secrets among the words of shell commands: options, logins, headers, addresses and variables that are given one.

Sources: the manuals of NuGet's and .NET's command lines, curl, Docker and sqlcmd.
"""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from bot.files.audit.secrets.names import is_connection, is_secret_name
from bot.files.audit.secrets.options import is_written_out, password_in, secret_in, takes_secret, takes_secret_of


@dataclass(frozen=True, slots=True)
class GivenSecret:
    """The option, header or variable of a command that takes a secret, and the value as it is written."""

    by: str
    value: str

    @property
    def is_written_out(self) -> bool:
        return not _OPEN.search(self.value) and is_written_out(self.by, self.value)

    @property
    def variable(self) -> str:
        """The variable that is all of the value; empty for everything else."""
        match = _VARIABLE.fullmatch(self.value)
        return match["name"] if match is not None else ""


_OPEN = re.compile(r"[$`%]|^<\(")
_VARIABLE = re.compile(r"\$\{?(?P<name>[A-Za-z_]\w*)\}?")
_SEPARATORS = frozenset("|&;\n")
_OPTION = re.compile(r"(?P<name>--?[A-Za-z][\w.-]{2,99})(?:=(?P<value>.+))?", re.DOTALL)
_ASSIGNED = re.compile(r"(?:[-/]p(?:roperty)?:|//\S*:)?(?P<name>[A-Za-z_][\w.:/-]*?)=(?P<value>[^*\\<>]+)")
_HEADER = re.compile(
    r"(?P<name>Authorization:\s*(?:Bearer|Basic|token)|[\w-]*(?:token|api-?key):)\s+(?P<value>\S+)", re.IGNORECASE
)
_ADDRESS = re.compile(r"\w://[^/\s:@]*:(?P<value>[^/\s@]+)@")
_RUNS_LINE = frozenset({"-c", "-ec", "-lc", "-command", "/c"})


def told_in(line: str) -> Iterator[GivenSecret]:
    """What the commands of a line are told where a secret belongs, written out or by a variable.

    Never raises.
    """
    for command in _commands(line):
        for number, (word, following) in enumerate(pairwise((*command, ""))):
            if word.lower() in _RUNS_LINE and " " in following:
                yield from told_in(following)
            yield from _of_word(word, following)
            if (user := _of_user(command, word, following)) is not None:
                yield user
            elif takes_secret_of(word, islice(command, number)) and not following.startswith("-"):
                yield GivenSecret(word, following)
            elif password := password_in(word, islice(command, number)):
                yield GivenSecret("-p", password)


def _of_word(word: str, following: str) -> Iterator[GivenSecret]:
    option = _OPTION.fullmatch(word)
    value = (option["value"] or following) if option is not None else ""
    if option is not None and takes_secret(option["name"], value):
        if value and not value.startswith("-"):
            yield GivenSecret(option["name"], secret_in(value))
        return
    assigned = _ASSIGNED.fullmatch(word)
    if assigned is not None and is_secret_name(assigned["name"]) and not is_connection(assigned["name"]):
        yield GivenSecret(assigned["name"], assigned["value"])
    for match in (*_HEADER.finditer(word), *_ADDRESS.finditer(word)):
        yield GivenSecret(match.groupdict().get("name") or "an address", match["value"])


def _of_user(command: list[str], word: str, following: str) -> GivenSecret | None:
    """The password of `curl -u NAME:PASSWORD`."""
    if not command[0].endswith("curl") or not word.startswith(("-u", "--user")) or word.startswith("--user-"):
        return None
    given = word.partition("=")[2] if "=" in word else following if word in {"-u", "--user"} else word[2:]
    password = given.partition(":")[2]
    return GivenSecret("-u", password) if password else None


def _commands(line: str) -> Iterator[list[str]]:
    """The words of each command, from its program on and with the variables that are set for it."""
    words: list[str] = []
    for word in _words(re.sub(r"[\\`][ \t]*\r?\n", " ", line)):
        if set(word) <= _SEPARATORS:
            yield from [words] if words else []
            words = []
        else:
            words.append(word)
    yield from [words] if words else []


def _words(line: str) -> list[str]:
    if line.lstrip().startswith("["):
        try:
            listed = json.loads(line)
        except ValueError:
            listed = None
        if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
            return listed
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        return list(lexer)
    except ValueError:
        return line.split()
