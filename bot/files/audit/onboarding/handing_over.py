"""The lines by which Renovate or Dependabot leave .NET's base images to this bot, put into their settings.

Each other byte stays as it is, and each result is read again as proof. Where that cannot be, a person is told what
to write where.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.items import with_items
from bot.files.audit.splicing.keys import GENERATED, NotSpliceable, is_generated, with_edits
from bot.files.formats.source.nodes import Mapping as Entries
from bot.files.formats.source.nodes import Sequence
from bot.files.formats.source.text import decode
from bot.files.formats.update_bots import (
    DEPENDABOT,
    IGNORED,
    PACKAGE,
    RENOVATE,
    RULE,
    ecosystems_of_images,
    renovates_own,
    update_bots,
)

_IGNORED = f'- dependency-name: "{IGNORED}"'
_FILES = {"Renovate": RENOVATE, "Dependabot": DEPENDABOT}
LINES = {"Renovate": json.dumps({"packageRules": [RULE]}, indent=2), "Dependabot": f"ignore:\n  {_IGNORED}"}
PLACES = {
    "Renovate": "its settings, the rule as the last of packageRules",
    "Dependabot": ".github/dependabot.yml, in each entry of updates for docker, docker-compose and helm",
}
"""What is written and where, by the name of the other bot."""
_TOKEN = re.compile(
    r"""(?P<passed>[\s\ufeff]+|//[^\n]*|/\*.*?\*/)|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\[\]{},:]|[^\s"'\[\]{},:/]+""",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Another bot's settings: as they are to be, or None with why a person has to write them."""

    path: str
    content: bytes | None
    left_alone: str = ""


def handed_over(files: Mapping[str, bytes], other: str) -> list[HandedOver]:
    """Those of `files`, by their paths, in which `other` (a key of `LINES`) is not told yet to leave the bases."""
    paths = dict.fromkeys(
        each.path for each in update_bots({path: files[path] for path in _FILES[other] if path in files})
    )
    return [_handed_over(files, path, other) for path in paths]


def is_set_up(files: Mapping[str, bytes], other: str) -> bool:
    """Whether there are settings of `other` among `files`; a package.json may be without."""
    return any(
        other == "Dependabot" or path != PACKAGE or renovates_own(path, decode(files[path])) is not None
        for path in _FILES[other]
        if path in files
    )


def _handed_over(files: Mapping[str, bytes], path: str, other: str) -> HandedOver:
    try:
        edits = _of_dependabot(files, path) if other == "Dependabot" else _of_renovate(path, decode(files[path]))
        content = with_edits(files, edits)[path]
        if update_bots({path: content}):
            raise NotSpliceable("it says something else besides")
    except NotSpliceable as error:
        return HandedOver(path, None, str(error))
    return HandedOver(path, content)


def _of_dependabot(files: Mapping[str, bytes], path: str) -> tuple[Edit, ...]:
    repository = RepositoryTexts({path: files[path]})
    return tuple(
        edit
        for entry in ecosystems_of_images(repository.documents(path))
        for edit in with_items(repository, entry, "ignore", [_IGNORED])
    )


def _of_renovate(path: str, text: str) -> tuple[Edit, ...]:
    """The rule behind the last one, since of all that fit the last one counts."""
    root = renovates_own(path, text)
    if not isinstance(root, Entries):
        raise NotSpliceable("it cannot be read")
    if is_generated(text):
        raise NotSpliceable(GENERATED)
    rules = root.get("packageRules")
    if rules is not None and not isinstance(rules, Sequence):
        raise NotSpliceable("its packageRules are no list")
    margin = _indent_at(text, root.start)
    first = next(iter(root.own.values()))[0].start if root.own else None
    inner = _indent_at(text, first) if first is not None else margin
    if len(inner) <= len(margin):
        inner = f"{margin}  "
    step = inner[len(margin) :]
    if rules is not None:
        added = json.dumps(RULE, indent=step)
        return (_appended(path, text, rules.start, added, (inner, inner + step)),)
    added = f'"packageRules": {json.dumps([RULE], indent=step)}'
    return (_appended(path, text, root.start, added, (margin, inner)),)


def _appended(path: str, text: str, start: int, added: str, indents: tuple[str, str]) -> Edit:
    """Puts something last into the braces or brackets that open at `start`; `indents` are those of what closes them
    and of what stands in them."""
    outer, inner = indents
    place, is_empty, has_comma = _last_place(text, start)
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = f"{ending}{inner}".join(added.split("\n"))
    before = "" if is_empty or has_comma else ","
    after = f"{ending}{outer}" if is_empty else "," if has_comma else ""
    return Edit(path, Span(place, place), f"{before}{ending}{inner}{lines}{after}")


def _last_place(text: str, start: int) -> tuple[int, bool, bool]:
    """Where the last thing ends in the braces or brackets that open at `start`, a comma behind it included; whether
    there is none, and whether there is such a comma."""
    depth, position, last = 0, start, start
    while token := _TOKEN.match(text, position):
        position = token.end()
        if token["passed"] is not None:
            continue
        depth += (token.group() in "{[") - (token.group() in "}]")
        if depth == 0:
            return last, last == start + 1, text[last - 1] == ","
        last = position
    raise NotSpliceable("it cannot be read to its end")


def _indent_at(text: str, place: int) -> str:
    """The white space that begins the line of that place."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip())].lstrip("\ufeff")
