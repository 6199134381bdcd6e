"""Whether a step of a workflow runs in a rebuild: in a run for the default branch that no pull request starts.

Source: GitHub's workflow syntax (`on`, `jobs.<id>.if`, `steps[*].if`) and its expressions. What an expression asks
beside the event and the kind of ref is not known, and may hold.
"""

import re
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from bot.files.formats.source.nodes import Mapping, Node, Scalar
from bot.files.formats.source.nodes import Sequence as Items
from bot.files.formats.workflows.steps import WorkflowStep
from bot.files.formats.workflows.triggers import triggers_of

DEEPEST = 20
LONGEST = 2_000
"""Characters of a condition; a longer one may hold."""
_OF_PULL_REQUESTS = ("pull_request", "pull_request_target", "pull_request_review", "merge_group")
_OF_TAGS = ("release",)
_OF_BRANCHES = ("workflow_dispatch", "push", "schedule", "workflow_run", "repository_dispatch")
_DIGITS = re.compile(r"[0-9]{1,9}")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>&&|\|\||==|!=|[!(),])|(?P<word>[^\s!&|=(),']+)|(?P<odd>.))"
)


class StepReach(IntEnum):
    """When a step runs: never but for pull requests, in releases alone, or in rebuilds too."""

    NEVER = 0
    RELEASES = 1
    REBUILDS = 2


class _Run(NamedTuple):
    event: str
    ref: str
    """`branch`, the default one, or `tag`."""


def reach_of(document: Node, step: WorkflowStep | None = None, *also: str) -> StepReach:
    """When a step of a workflow runs, or any at all; `also` are conditions that must hold beside its own `if`."""
    conditions = list(also)
    if step is not None:
        own_conditions = (step.around[0].scalar("if"), step.mapping.scalar("if"))
        conditions += [each.value for each in own_conditions if each is not None]
    runs = [run for run in _runs(document) if all(_may_hold(each, run) for each in conditions)]
    if any(run.ref == "branch" for run in runs):
        return StepReach.REBUILDS
    return StepReach.RELEASES if runs else StepReach.NEVER


def is_only_called(document: Node) -> bool:
    """Whether only other workflows start it, or it is an action: whoever does may set its inputs."""
    is_action = isinstance(document, Mapping) and document.get("runs") is not None
    return is_action or triggers_of(document).keys() == {"workflow_call"}


def is_only_scheduled(document: Node) -> bool:
    """Whether a schedule alone starts it, or nobody knows what does."""
    events = {run.event for run in _runs(document) if run.ref == "branch"}
    return events <= {"schedule"} or not triggers_of(document)


def branches_of(document: Node) -> tuple[str, ...]:
    """The patterns of branches of which pushes alone make a workflow run for a branch; none where others do too."""
    triggers = triggers_of(document)
    events = {run.event for run in _runs(document) if run.ref == "branch"} if triggers else set()
    about = triggers.get("push")
    if events != {"push"} or not isinstance(about, Mapping):
        return ()
    branches = about.get("branches")
    items = branches.items if isinstance(branches, Items) else [branches]
    patterns = tuple(each.value for each in items if isinstance(each, Scalar))
    return patterns if len(patterns) == len(items) and not any("${{" in each for each in patterns) else ()


def _runs(document: Node) -> list[_Run]:
    """The runs that the triggers allow; a workflow that others call, and what is none, may run in any."""
    triggers = triggers_of(document)
    if not triggers or "workflow_call" in triggers:
        return [
            *(_Run(event, "branch") for event in _OF_BRANCHES),
            *(_Run(event, "tag") for event in ("push", *_OF_TAGS)),
        ]
    runs: list[_Run] = []
    for event, about in triggers.items():
        if event in _OF_PULL_REQUESTS:
            runs += [_Run(event, "branch")] if _is_of_merges(about) else []
        elif event in _OF_TAGS or (event == "push" and _is_of_tags(about)):
            runs.append(_Run(event, "tag"))
        else:
            runs += [_Run(event, "branch"), _Run(event, "tag")] if event == "push" else [_Run(event, "branch")]
    return runs


def _is_of_merges(about: Node | None) -> bool:
    """Whether a pull request that is closed starts it, as it is when it is merged."""
    types = about.get("types") if isinstance(about, Mapping) else None
    activity_types: Sequence[Node | None] = types.items if isinstance(types, Items) else [types]
    return any(isinstance(each, Scalar) and each.value == "closed" for each in activity_types)


def _is_of_tags(about: Node | None) -> bool:
    """Whether only pushed tags start it."""
    if not isinstance(about, Mapping) or about.get("tags") is None:
        return False
    return about.get("branches") is None and about.get("branches-ignore") is None


def _may_hold(condition: str, run: _Run) -> bool:
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}") and text.count("${{") == 1:
        text = text[3:-2]
    return "${{" in text or len(text) > LONGEST or _value(text, run) is not False


@lru_cache(maxsize=1_000)
def _value(text: str, run: _Run) -> bool | None:
    """What a condition is in a run; None where it cannot be told."""
    tokens = [match.group().strip() for match in _TOKEN.finditer(text) if match.group().strip()]
    try:
        value, tokens_left = _read_either(tokens, run, 0)
    except (IndexError, RecursionError):
        return None
    return None if tokens_left else _truth(value)


_Told = bool | str | None
_SOME_TRUE = "*"
"""A value of which only that it counts as true is known."""


def _read_either(tokens: list[str], run: _Run, depth: int) -> tuple[_Told, list[str]]:
    value, tokens_left = _read_both(tokens, run, depth)
    while tokens_left[:1] == ["||"]:
        other, tokens_left = _read_both(tokens_left[1:], run, depth)
        value = (_SOME_TRUE if other else None) if value is None else value or other
    return value, tokens_left


def _read_both(tokens: list[str], run: _Run, depth: int) -> tuple[_Told, list[str]]:
    value, tokens_left = _read_comparison(tokens, run, depth)
    while tokens_left[:1] == ["&&"]:
        other, tokens_left = _read_comparison(tokens_left[1:], run, depth)
        value = (False if other in (False, "") else None) if value is None else value and other
    return value, tokens_left


def _read_comparison(tokens: list[str], run: _Run, depth: int) -> tuple[_Told, list[str]]:
    value, tokens_left = _read_operand(tokens, run, depth)
    if tokens_left[:1] in (["=="], ["!="]):
        sign = tokens_left[0]
        other, tokens_left = _read_operand(tokens_left[1:], run, depth)
        if value is None or other is None:
            return None, tokens_left
        same = _same(value, other)
        return None if same is None else same if sign == "==" else not same, tokens_left
    return value, tokens_left


def _read_operand(tokens: list[str], run: _Run, depth: int) -> tuple[_Told, list[str]]:
    word, tokens_left = tokens[0], tokens[1:]
    if depth > DEEPEST:
        raise RecursionError
    if word == "!":
        value, tokens_left = _read_operand(tokens_left, run, depth + 1)
        truth = _truth(value)
        return (None if truth is None else not truth), tokens_left
    if word == "(":
        value, tokens_left = _read_either(tokens_left, run, depth + 1)
        return value, _behind(tokens_left)
    if tokens_left[:1] == ["("]:
        arguments: list[_Told] = []
        tokens_left = tokens_left[1:]
        while tokens_left[0] != ")":
            value, tokens_left = _read_either(
                tokens_left[1:] if tokens_left[0] == "," else tokens_left, run, depth + 1
            )
            arguments.append(value)
        return _evaluate_call(word.lower(), arguments), tokens_left[1:]
    return _context_value(word, run), tokens_left


def _behind(tokens: list[str]) -> list[str]:
    if tokens[0] != ")":
        raise IndexError
    return tokens[1:]


def _context_value(word: str, run: _Run) -> _Told:
    name = word.lower()
    if word.startswith("'"):
        return word[1:-1].replace("''", "'")
    if name in ("true", "false"):
        return name == "true"
    is_pull = run.event in _OF_PULL_REQUESTS
    match name:
        case "github.event_name":
            return run.event
        case "github.ref_type":
            return run.ref
        case "github.ref":
            return None if is_pull else "refs/tags/*" if run.ref == "tag" else "refs/heads/*"
        case "github.head_ref" | "github.base_ref":
            return None if is_pull else ""
        case _ if name.startswith("github.event.pull_request"):
            return None if is_pull else ""
        case _ if name.startswith("github.event.release"):
            return None if run.event == "release" else ""
    return None


def _evaluate_call(function: str, arguments: list[_Told]) -> _Told:
    if (
        function == "startswith"
        and len(arguments) == 2
        and isinstance(arguments[0], str)
        and isinstance(arguments[1], str)
    ):
        beginning = arguments[0].partition("*")[0].lower()
        prefix = arguments[1].lower()
        if beginning.startswith(prefix):
            return True
        return None if arguments[0].endswith("*") and prefix.startswith(beginning) else False
    return None


def _same(one: bool | str, other: bool | str) -> bool | None:
    """Whether values are the same, of which a text may end in what is not known; case does not matter. Beside a
    boolean a text counts as a number, and an empty one as 0."""
    if isinstance(one, str) and isinstance(other, str):
        for open_, whole in ((one.lower(), other.lower()), (other.lower(), one.lower())):
            if open_.endswith("*"):
                return None if whole.startswith(open_[:-1]) else False
        return one.lower() == other.lower()
    if _SOME_TRUE in (one, other):
        return None
    return _number(one) == _number(other)


def _number(value: bool | str) -> float | None:
    if isinstance(value, bool) or not value:
        return float(bool(value))
    return float(value) if _DIGITS.fullmatch(value) else None


def _truth(value: _Told) -> bool | None:
    return bool(value) if value is not None else None
