"""The file that says who gets in: a line for each person or program, `NAME RIGHTS TOKEN`.

RIGHTS are `read`, `act` (which includes reading) and `metrics`, several of them joined by commas. An empty line and
one that begins with `#` say nothing.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_TOKEN = re.compile(r"[!-~]{24,512}")
_MOST = 1000


class Right(StrEnum):
    """What somebody may do. Who acts may read, and who reads may read the metrics."""

    METRICS = "metrics"
    READ = "read"
    ACT = "act"


_INCLUDED = {
    Right.ACT: frozenset(Right),
    Right.READ: frozenset({Right.READ, Right.METRICS}),
    Right.METRICS: frozenset({Right.METRICS}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, and what they may do; a program counts as one."""

    name: str
    rights: frozenset[Right]

    def may(self, right: Right) -> bool:
        return right in self.rights


@dataclass(frozen=True, slots=True)
class Token:
    """A person with the secret that proves it."""

    person: Person
    secret: str = field(repr=False)


def with_included(rights: Iterable[Right]) -> frozenset[Right]:
    """Adds what the rights include."""
    return frozenset().union(*(_INCLUDED[right] for right in rights))


def parse(text: str) -> tuple[Token, ...]:
    """Reads the file; raises `ValueError` with the line that is wrong, never with what stands in it."""
    tokens: list[Token] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        tokens.append(_token(words, number))
    if not tokens:
        raise ValueError("names nobody; write a line NAME RIGHTS TOKEN")
    if len(tokens) > _MOST:
        raise ValueError(f"has {len(tokens)} lines; {_MOST} are taken")
    names = [token.person.name for token in tokens]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"names {twice} twice; keep one line for each name")
    return tuple(tokens)


def _token(words: list[str], number: int) -> Token:
    if len(words) != 3:
        raise ValueError(f"line {number} is not NAME RIGHTS TOKEN")
    name, rights, secret = words
    if not _NAME.fullmatch(name):
        raise ValueError(f"line {number} has no name of letters, digits and . _ @ + - before its rights")
    known = {right.value for right in Right}
    if not set(rights.split(",")) <= known:
        raise ValueError(f"line {number} gives other rights than {', '.join(sorted(known))}")
    if not _TOKEN.fullmatch(secret):
        raise ValueError(f"line {number} has a token of less than 24 characters; make one: openssl rand -hex 24")
    return Token(Person(name, with_included(map(Right, rights.split(",")))), secret)


def whose(tokens: Iterable[Token], shown: str) -> Person | None:
    """The person whose token it is. Every token is compared in full, so that time tells nothing."""
    person: Person | None = None
    digest = hashlib.sha256(shown.encode("utf-8", "surrogateescape")).digest()
    for token in tokens:
        if hmac.compare_digest(hashlib.sha256(token.secret.encode()).digest(), digest):
            person = token.person
    return person
