"""Secrets among the arguments of a program: options such as `--password hunter2`, `--api-key=hunter2`."""

import re
import shlex
from collections.abc import Iterator
from collections.abc import Sequence as Items

from bot.files.audit.secrets.options import is_written_out, takes_secret
from bot.files.audit.workloads.compose import Service
from bot.files.audit.workloads.kubernetes import Container
from bot.files.formats.source.nodes import Node, Scalar, Sequence

_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w.-]{2,99})(?:=(?P<value>.*))?", re.DOTALL)

Argument = tuple[str, str, Scalar]
"""An option without its dashes, its value, and where that stands."""


def container_arguments(container: Container) -> Iterator[Argument]:
    return secret_arguments([container.own.get(key) for key in ("command", "args")])


def service_arguments(service: Service) -> Iterator[Argument]:
    return secret_arguments([service.get(key) for key in ("entrypoint", "command")])


def secret_arguments(nodes: Items[Node | None]) -> Iterator[Argument]:
    """The options of a command and its arguments that are given a secret, be it by a variable or written out."""
    words = [word for node in nodes for word in _words(node)]
    for number, (text, node) in enumerate(words):
        match = _OPTION.fullmatch(text)
        if match is None:
            continue
        value, place = match["value"], node
        if value is None and number + 1 < len(words):
            value, place = words[number + 1]
        if not value or value.startswith("-") or not takes_secret(match["name"], value):
            continue
        if value.startswith("$") or is_written_out(match["name"], value):
            yield match["name"], value, place


def _words(node: Node | None) -> Iterator[tuple[str, Scalar]]:
    """The words of a list or of a line; an item of several words is what a shell is given."""
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Scalar) and not item.is_null:
            is_line = not isinstance(node, Sequence) or " " in item.value
            yield from ((word, item) for word in (_split(item.value) if is_line else (item.value,)))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()
