"""Which options of commands are given a secret: `--password hunter2`, `--api-key=hunter2`, `sqlcmd -P hunter2`.

Sources: the manuals of OpenSSL (pass phrase options), sqlcmd, redis-cli, MySQL's programs, Docker, NuGet and .NET.
"""

import re
from collections.abc import Iterable

from bot.files.audit.secrets.names import holds_secret, is_secret_itself

_PLAIN_NAMES = frozenset({"requirepass", "masterauth", "passin", "passout"})
"""Of Redis and OpenSSL: options for passwords that no common word tells."""
_SHORT = {
    "-P": frozenset({"sqlcmd"}),
    "-a": frozenset({"redis-cli"}),
    "-p": frozenset({"login", "nuget", "dev-certs"}),
}
"""Options of one letter, and the programs or commands whose password they take."""
_OF_MYSQL = frozenset({"mysql", "mysqladmin", "mysqldump", "mysqlshow", "mariadb", "mariadb-admin", "mariadb-dump"})
"""Programs that take a password behind `-p` in the same word."""
_IN_ONE_WORD = re.compile(r"-p(?P<value>[^\s=].*)", re.DOTALL)
_DEFAULT = re.compile(r"\${1,2}\{\w+:?-(?P<default>.+)\}")
_ELSEWHERE = re.compile(r"(?:env|file|fd):\S+|stdin")
"""Where OpenSSL is told to look for a pass phrase."""
_ISSUED = re.compile(r"token|secret|key|pat$|bearer", re.IGNORECASE)


def takes_secret(option: str, value: str) -> bool:
    """Whether an option is given a secret where it has a value; `--secret id=nuget` of a build only names one."""
    plain = option.lstrip("-")
    if _ELSEWHERE.fullmatch(value):
        return False
    if plain in _PLAIN_NAMES:
        return True
    if plain.lower() == "secret" and "=" in value:
        return False
    return is_secret_itself(plain.replace("-", "_"))


def takes_secret_of(option: str, before: Iterable[str]) -> bool:
    """Whether an option of one letter takes the password of a program that is named before it."""
    return option in _SHORT and not _SHORT[option].isdisjoint(map(_program, before))


def password_in(word: str, before: Iterable[str]) -> str:
    """The password in a word such as `-phunter2` of a program that takes it so; empty where it is none."""
    match = _IN_ONE_WORD.fullmatch(word)
    return match["value"] if match is not None and not _OF_MYSQL.isdisjoint(map(_program, before)) else ""


def secret_in(value: str) -> str:
    """What of an option's value is the secret itself: of a variable with a default that one."""
    plain = value.removeprefix("pass:")
    default = _DEFAULT.fullmatch(plain)
    return default["default"] if default is not None and not default["default"].startswith("$") else plain


def is_written_out(option: str, value: str) -> bool:
    """Whether what an option is given is the secret itself: `changeme` may be a password, and is no token."""
    return holds_secret("token" if _ISSUED.search(option) else "password", value)


def _program(word: str) -> str:
    return re.split(r"[/\\]", word)[-1].removesuffix(".exe")
