"""Dockerfiles written inside other files: `dockerfile_inline` of Compose, `dockerfile-inline` of Bake."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from bot.discover import dockerfile
from bot.discover.collector import Collector
from bot.discover.traced import Traced, joined
from bot.domain.reference import InvalidReference, Reference
from bot.domain.usage import Span, Usage

_ARG_INSTRUCTION = re.compile(r"^[ \t]*ARG[ \t]+(?P<declarations>[^\n]*)$", re.IGNORECASE | re.MULTILINE)
_DECLARATION = re.compile(r"(?P<name>[A-Za-z_]\w*)(?P<default>=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"']*))?(?=\s|$)")
_PLAIN_VALUE = re.compile(r"[\w.:/@+-]+")


def find(written: Traced, file: Collector, *, args: Mapping[str, Traced], contexts: Collection[str]) -> None:
    """Adds what the Dockerfile uses, with places in the file that it is written in.

    `args` are the build's own, which take the place of the defaults that ARG declares; `contexts` are the names
    of its named contexts: BuildKit takes `FROM name` and `COPY --from=name` from there, so they are no images.
    """
    text = _with_args(written, args)
    inner = dockerfile.find(file.path, text.text)
    named = {_familiar(name) for name in contexts}
    for usage in inner.usages:
        if not _is_named(usage, named):
            file.add(_moved(usage, text, file))
    for problem in inner.problems:
        file.problem(_place_of_line(text, problem.line), problem.message)


def _with_args(written: Traced, args: Mapping[str, Traced]) -> Traced:
    """ARG defaults replaced by the values that the build passes, which keep their own places."""
    parts: list[Traced] = []
    done = 0
    for instruction in _ARG_INSTRUCTION.finditer(written.text):
        for declaration in _DECLARATION.finditer(written.text, *instruction.span("declarations")):
            value = args.get(declaration["name"])
            if value is None or not _PLAIN_VALUE.fullmatch(value.text):
                continue
            parts.append(written.part(done, declaration.end("name")).joined("="))
            parts.append(value)
            done = declaration.end()
    return joined([*parts, written.part(done, len(written))])


def _moved(usage: Usage, text: Traced, file: Collector) -> Usage:
    tag, digest, name = (_outer(span, text) for span in (usage.tag_span, usage.digest_span, usage.name_span))
    whole = _outer(usage.span, text)
    span = whole or tag or digest or name
    inner = usage.tag_span or usage.digest_span or usage.name_span or usage.span
    place = text.place(inner.start) if inner else _place_of_line(text, usage.line)
    lost = usage.span is not None and span is None
    return replace(
        usage,
        kind=file.kind,
        line=file.lines.at(place),
        span=span,
        tag_span=tag,
        digest_span=digest,
        name_span=name,
        assembled=usage.assembled or whole is None,
        fixed_because="the inline Dockerfile writes it with escapes" if lost else usage.fixed_because,
    )


def _outer(span: Span | None, text: Traced) -> Span | None:
    return text.span(span.start, span.end) if span else None


def _place_of_line(text: Traced, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.text.find("\n", start) + 1 or start
    return text.place(min(start, len(text) - 1)) if text.text else 0


def _is_named(usage: Usage, named: Collection[str]) -> bool:
    return bool(named) and _familiar(str(usage.reference)) in named


def _familiar(name: str) -> str:
    """The name by which BuildKit looks a context up: Docker Hub's prefixes and `:latest` make no difference."""
    try:
        reference = Reference.parse(name)
    except InvalidReference:
        return name
    tag = None if reference.tag == "latest" and reference.digest is None else reference.tag
    return str(Reference(f"{reference.registry}/{reference.repository}", tag, reference.digest))
