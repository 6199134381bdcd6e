"""One more event for a workflow, put into its `on`; the short forms become the long one that has room for it."""

import re
from collections.abc import Sequence

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.splicing.keys import NotSpliceable, check_spliceable, with_key
from bot.files.audit.workflows.model import Pipeline
from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.nodes import Sequence as List

_SHORT = re.compile(
    r"(?P<key>on|\"on\"|'on'):(?P<value>[ ]+(?:\w+|\[[ ]*\w+(?:[ ]*,[ ]*\w+)*[ ]*\]))"
    r"(?P<rest>[ ]*(?:#[^\r\n]*)?)\r?\n?"
)
"""`on: push` and `on: [push, pull_request]` on a line of their own."""


def with_trigger(
    repository: RepositoryTexts, pipeline: Pipeline, event: str, value: Sequence[str], advice: str
) -> Fix:
    """The fix that gives a workflow the event, with the lines of `value` as in `with_key`; advice only where that
    cannot be done safely, with the reason."""
    entry = pipeline.root.own.get("on")
    if entry is None:
        return Fix(advice)
    name, trigger = entry
    if isinstance(trigger, Mapping) and trigger.own:
        return with_key(repository, trigger, event, value, advice)
    try:
        return Fix(advice, (_in_long_form(repository, name, trigger, event, value),))
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))


def _in_long_form(
    repository: RepositoryTexts, name: Scalar, trigger: Node, event: str, value: Sequence[str]
) -> Edit:
    path = repository.path_of(name)
    text, lines = repository.text(path), repository.lines(path)
    check_spliceable(text)
    line = lines.at(name.start)
    short = _SHORT.fullmatch(lines.of(line))
    if short is None or lines.start(line) != name.start:
        is_list = isinstance(trigger, List)
        why = "a list over several lines" if is_list else "written in a form that takes no other one"
        raise NotSpliceable(f"its events are {why}")
    ending = "\r\n" if "\r\n" in text else "\n"
    events = re.findall(r"\w+", short["value"])
    event_lines = [*(f"{each}:" for each in events), f"{event}: {value[0]}".rstrip(), *value[1:]]
    start = name.start + short.start("value")
    end = name.start + short.end("rest")
    return Edit(path, Span(start, end), short["rest"] + "".join(f"{ending}  {each}" for each in event_lines))
