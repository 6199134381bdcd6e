"""Secrets among the arguments of a program: options such as `--password hunter2`, `--api-key=hunter2`."""

import re
import shlex
from collections.abc import Iterator
from collections.abc import Sequence as Items

from bot.files.audit.secrets.options import (
    is_written_out,
    password_in,
    secret_in,
    takes_secret,
    takes_secret_of,
)
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.kubernetes import Container
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence

_OPTION = re.compile(r"(?P<name>--?[A-Za-z][\w.-]{2,99})(?:=(?P<value>.*))?", re.DOTALL)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOOKS = ("postStart", "preStop")

Argument = tuple[str, str, Scalar]
"""An option as it is written, the secret that it is given, and where that stands."""


def container_arguments(container: Container) -> Iterator[Argument]:
    yield from secret_arguments([container.own.get("command"), container.own.get("args")])


def container_checks(container: Container) -> Iterator[Argument]:
    """The same of the commands of probes and hooks."""
    own, lifecycle = container.own, container.own.mapping("lifecycle")
    for holder in (*map(own.mapping, _PROBES), *map(lifecycle.mapping, _HOOKS)):
        yield from secret_arguments([holder.mapping("exec").get("command")])


def service_arguments(service: Service) -> Iterator[Argument]:
    yield from secret_arguments([service.get(key) for key in ("entrypoint", "command")])


def service_checks(service: Service) -> Iterator[Argument]:
    """The same of the command of its health check."""
    check = service.get("healthcheck")
    if isinstance(check, Mapping):
        yield from secret_arguments([check.get("test")])


def secret_arguments(nodes: Items[Node | None]) -> Iterator[Argument]:
    """The options of a command and its arguments that are given a secret, be it by a variable or written out."""
    words = [word for node in nodes for word in _words(node)]
    before = list[str]()
    for number, (text, node) in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else ("", node)
        name, value, place = _given(text, node, following, before)
        before.append(text)
        value = secret_in(value)
        if value and (value.startswith("$") or is_written_out(name, value)):
            yield name, value, place


def _given(text: str, node: Scalar, following: tuple[str, Scalar], before: Items[str]) -> Argument:
    """The secret that a word is, or that its option takes; empty where it is none."""
    if password := password_in(text, before):
        return "-p", password, node
    match = _OPTION.fullmatch(text)
    name, value, place = text, None, node
    if match is not None:
        name, value = match["name"], match["value"]
    if value is None:
        value, place = following
    is_secret = takes_secret(name, value) if match is not None else takes_secret_of(name, before)
    return (name, value, place) if is_secret and not value.startswith("-") else (name, "", place)


def _words(node: Node | None) -> Iterator[tuple[str, Scalar]]:
    """The words of a list or of a line; a word of several is what a shell is given, be it an item or quoted."""
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Scalar) and not item.is_null:
            is_line = not isinstance(node, Sequence) or " " in item.value
            words = _split(item.value) if is_line else [item.value]
            yield from ((each, item) for word in words for each in (_split(word) if " " in word else (word,)))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()
