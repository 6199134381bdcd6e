"""Tells of a command line that asks a server for something whether it sends something too, or may.

Sources: the manuals of curl and wget, of PowerShell's `Invoke-WebRequest`, and of `gh api`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bot.files.formats.shell.commands import SEVERAL, UNKNOWN

_READS = frozenset({"GET", "HEAD", "OPTIONS", "DEFAULT"})
_CMDLETS = frozenset({"invoke-webrequest", "invoke-restmethod", "iwr", "irm"})
_PROGRAMS = frozenset({"curl", "wget"})
_PARAMETER = re.compile(r"-(?:uri|method|body|infile|outfile)(?::.*)?", re.IGNORECASE)
"""By which `curl` and `wget` are seen to be PowerShell's names for its own command."""
_SPLATTED = re.compile(r"@\w+")


@dataclass(frozen=True, slots=True)
class _Manual:
    """The options of a program: those of one letter that take a value, and what the others mean by full name."""

    with_value: str
    meanings: dict[str, str]


_METHOD, _DATA, _UPLOAD, _IN_QUERY, _TEXT = "method", "data", "upload", "in query", "text"
_SETTING, _ADDRESS, _UNREAD = "setting", "address", "unread"


def _meanings(**names: str) -> dict[str, str]:
    return {name: meaning.replace("_", " ") for meaning, listed in names.items() for name in listed.split()}


_CURL = _Manual(
    "AbcCdDeEFHKmoPQrtTuUwxXyYz",
    _meanings(
        method="-X --request",
        data="-d --data --data-ascii --data-binary --data-raw --data-urlencode --json",
        upload="-F -T -Q -K --form --form-string --upload-file --quote --config --mail-from --mail-rcpt",
        in_query="-G -I --get --head",
        text="--header --user-agent --referer --cookie --cookie-jar --user --write-out --output --output-dir --url"
        " --url-query --max-time --connect-timeout --retry --retry-delay --retry-max-time --cacert --capath --cert"
        " --key --pass --proxy --proxy-user --noproxy --resolve --connect-to --range --limit-rate --dump-header"
        " --interface --oauth2-bearer --aws-sigv4 --unix-socket"
        " --max-filesize --max-redirs --time-cond --tls-max --ciphers",
    ),
)
_WGET = _Manual(
    "aABDeiIlOoPQRtTUwX",
    _meanings(
        method="--method",
        data="--post-data --post-file --body-data --body-file",
        upload="--config",
        setting="-e --execute",
        text="--header --user-agent --referer --user --password --output-document --output-file --directory-prefix"
        " --tries --timeout --waitretry --ca-certificate --certificate --private-key --input-file --limit-rate",
    ),
)
_GH = _Manual(
    "fFHpqtX",
    _meanings(method="-X --method", data="-f -F --field --raw-field --input", text="--header --jq --template"),
)
_SENDING_SETTING = re.compile(r"(?:post|body)[-_]?(?:data|file)|method", re.IGNORECASE)
"""What a line of wget's configuration sets that sends something."""
_PARAMETERS = {
    "-method": (_METHOD, 3),
    "-custommethod": (_METHOD, 3),
    "-body": (_DATA, 2),
    "-infile": (_UPLOAD, 3),
    "-form": (_UPLOAD, 3),
}
"""PowerShell's parameters, each with the length from which on a beginning of it stands for it alone."""


def is_fetching(words: tuple[str, ...]) -> bool:
    """Whether a command asks a server for something, by a program that may send something as well."""
    return _name(words) in _PROGRAMS | _CMDLETS or words[:2] == ("gh", "api")


def sends(words: tuple[str, ...]) -> bool:
    """Whether a command line of curl, wget, PowerShell or `gh api` does more than read, or may for what is seen.

    A method that is written decides; without one a body does, unless it goes into the query. Of the words that only
    a run knows one is the address, where it is one word and no other is; each other may be an option.
    """
    return any(_is_sent(list(request)) for request in _requests(words))


def carries_body(words: tuple[str, ...]) -> bool:
    """Whether a command line of these programs hands over a message, a form or a file."""
    return any(meaning in {_DATA, _UPLOAD} for request in _requests(words) for meaning, _ in request)


def _is_sent(request: list[tuple[str, str]]) -> bool:
    methods = [value for meaning, value in request if meaning == _METHOD]
    if methods:
        return methods[-1].upper() not in _READS
    meanings = Counter(meaning for meaning, _ in request)
    is_open = any(value == SEVERAL for meaning, value in request if meaning == _UNREAD)
    if is_open or meanings[_UNREAD] > (not meanings[_ADDRESS]):
        return True
    is_set = any(_SENDING_SETTING.match(value.strip()) for meaning, value in request if meaning == _SETTING)
    return is_set or bool(meanings[_UPLOAD] or (meanings[_DATA] and not meanings[_IN_QUERY]))


def _requests(words: tuple[str, ...]) -> Iterator[Iterator[tuple[str, str]]]:
    """What the options of each request mean, with their values: curl makes several, parted by `--next`."""
    name = _name(words)
    if name in _CMDLETS or (name in _PROGRAMS and any(map(_PARAMETER.fullmatch, words))):
        yield _of_cmdlet(words[1:])
    elif name == "curl":
        start = 1
        for end in (*(at for at, word in enumerate(words) if word in {"--next", "-:"}), len(words)):
            yield _of_program(words[start:end], _CURL)
            start = end + 1
    elif name == "wget":
        yield _of_program(words[1:], _WGET)
    else:
        yield _of_program(words[2:], _GH)


def _name(words: tuple[str, ...]) -> str:
    return re.split(r"[/\\]", words[0])[-1].lower().removesuffix(".exe") if words else ""


def _of_program(words: tuple[str, ...], manual: _Manual) -> Iterator[tuple[str, str]]:
    following = iter(words)
    for word in following:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if meaning := manual.meanings.get(name):
                takes_next = not equals and meaning != _IN_QUERY
                yield meaning, next(following, "") if takes_next else value
        elif word.startswith("-"):
            for at, letter in enumerate(word[1:], start=2):
                takes_value = letter in manual.with_value
                value = (word[at:] or next(following, "")) if takes_value else ""
                if meaning := manual.meanings.get(f"-{letter}"):
                    yield meaning, value.removeprefix("=")
                if takes_value:
                    break
        elif not word.isdecimal():
            yield _UNREAD if word in {UNKNOWN, SEVERAL} else _ADDRESS, word


def _of_cmdlet(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    following = iter(words)
    for word in following:
        name, colon, value = word.partition(":")
        for parameter, (meaning, least) in _PARAMETERS.items():
            if len(name) >= least and parameter.startswith(name.lower()):
                yield meaning, value if colon and value else next(following, "")
        if _SPLATTED.fullmatch(word):
            yield _METHOD, UNKNOWN
