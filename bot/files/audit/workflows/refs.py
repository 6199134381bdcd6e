"""Which branches and tags a push to a workflow can be of, as far as conditions on them tell apart.

Source: GitHub's workflow syntax, `on.<push>.<branches|tags|branches-ignore|tags-ignore>`.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict

from bot.files.formats.source.nodes import Mapping, Scalar, Sequence

_REF = re.compile(r"github\.ref(?:_name|_type)?\b", re.IGNORECASE)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_GLOB = re.compile(r"[*?+\[!]")
ANY_OTHER = "x-other"
_HEADS, _TAGS = "refs/heads/", "refs/tags/"
MOST_REFS = 200
"""Refs that are told apart: each is tried in every condition of the workflow."""
_LONGEST = 50_000


def refs_of_push(root: Mapping, condition: str, values: Dict[str, str]) -> list[dict[str, str]]:
    """What GitHub's context may hold of the ref in a run for a push.

    One entry for each ref that the condition could tell apart and that the workflow's filters let through; none of
    them where a condition does not speak of refs, or of more than people write. A pattern lets through whatever
    begins as it does, so that no run is left out that may happen.
    """
    texts = [condition, *(value for value in values.values() if "${{" in value)]
    if sum(map(len, texts)) > _LONGEST or not any(map(_REF.search, texts)):
        return [{}]
    spoken = {each for text in texts for each in _LITERAL.findall(text)}
    trigger = root.mapping("on").mapping("push")
    has_branches = "branches" in trigger.own or "branches-ignore" in trigger.own
    has_tags = "tags" in trigger.own or "tags-ignore" in trigger.own
    branches = _candidates(trigger, "branches", spoken, _HEADS) if has_branches or not has_tags else ()
    tags = _candidates(trigger, "tags", spoken, _TAGS) if has_tags or not has_branches else ()
    refs = [*_refs("branch", _HEADS, branches), *_refs("tag", _TAGS, tags)]
    return refs if len(refs) <= MOST_REFS else [{}]


def refs_of_schedule(condition: str, values: Dict[str, str]) -> list[dict[str, str]]:
    """The same for a run by schedule, which is of a branch."""
    texts = [condition, *(value for value in values.values() if "${{" in value)]
    if sum(map(len, texts)) > _LONGEST or not any(map(_REF.search, texts)):
        return [{}]
    branches = {*_names({each for text in texts for each in _LITERAL.findall(text)}, _HEADS)}
    return [*_refs("branch", _HEADS, branches)] if len(branches) <= MOST_REFS else [{}]


def _refs(kind: str, prefix: str, names: Iterable[str]) -> Iterator[dict[str, str]]:
    for name in sorted(names):
        yield {"github.ref": f"{prefix}{name}", "github.ref_name": name, "github.ref_type": kind}


def _candidates(trigger: Mapping, key: str, spoken: set[str], prefix: str) -> set[str]:
    """The branches or tags that are told apart, with those that begin with one of what is spoken of or let through,
    and hold another one; without these where they are too many."""
    alone = {name for each in spoken if (name := each.removeprefix(prefix)) and not name.startswith("refs/")}
    begun = {_GLOB.split(each, maxsplit=1)[0] for each in patterns_of(trigger, key) if not each.startswith("!")}
    names = {*_names(spoken, prefix)}
    joined = {f"{head}{ANY_OTHER}{name}" for head in (*begun, *alone) if head for name in alone if name != head}
    return _let_through(trigger, key, names | joined if len(names | joined) < MOST_REFS // 2 else names)


def _names(spoken: Iterable[str], prefix: str) -> Iterator[str]:
    """Names that a comparison with what is spoken of may hold for, and one that it holds for by no chance."""
    for text in spoken:
        name = text.removeprefix(prefix)
        if name and not name.startswith("refs/"):
            yield from (name, f"{name}{ANY_OTHER}", f"{ANY_OTHER}{name}", f"{ANY_OTHER}{name}{ANY_OTHER}")
    yield ANY_OTHER


def _let_through(trigger: Mapping, key: str, names: Iterable[str]) -> set[str]:
    patterns, ignored = patterns_of(trigger, key), patterns_of(trigger, f"{key}-ignore")
    wanted = [each for each in patterns if not each.startswith("!")]
    plain = {each for each in wanted if not _GLOB.search(each)}
    begun = {_GLOB.split(each, maxsplit=1)[0] for each in wanted if _GLOB.search(each)}
    candidates = {*names, *plain, *(f"{each}{ANY_OTHER}" for each in begun)}
    if patterns:
        candidates = {each for each in candidates if _is_let_through(patterns, each)}
    return candidates - set(ignored)


def _is_let_through(patterns: Iterable[str], name: str) -> bool:
    """Whether the last pattern that a name may be of lets it through; `!` before one keeps out what surely is."""
    is_through = False
    for pattern in patterns:
        if pattern.startswith("!"):
            is_through = is_through and not _is_surely_of(pattern[1:], name)
        elif _GLOB.search(pattern):
            is_through = is_through or name.startswith(_GLOB.split(pattern, maxsplit=1)[0])
        else:
            is_through = is_through or name == pattern
    return is_through


def _is_surely_of(pattern: str, name: str) -> bool:
    head, star, rest = pattern.partition("*")
    if not star:
        return name == pattern
    if _GLOB.search(head) or rest not in {"", "*"}:
        return False
    return name.startswith(head) and (rest == "*" or "/" not in name[len(head) :])


def named_refs(events: Mapping, key: str) -> Iterator[str]:
    """The branches (`branches`) or tags that the events of a workflow name, without patterns."""
    yield from (each for each in _written(events, key) if not _GLOB.search(each))


def spoken_refs(events: Mapping, key: str) -> Iterator[str]:
    """The same with those that they keep out by `!`."""
    plain = (each.removeprefix("!") for each in _written(events, key))
    yield from (each for each in plain if not _GLOB.search(each))


def _written(events: Mapping, key: str) -> Iterator[str]:
    for event in ("push", "pull_request", "pull_request_target"):
        for suffix in ("", "-ignore"):
            yield from patterns_of(events.mapping(event), key + suffix)


def may_start(events: Mapping, branch: str, event: str = "push") -> bool:
    """Whether a push or merge to a branch may start the workflow of these events, by the filters of branches."""
    trigger = events.mapping(event)
    has_branches = "branches" in trigger.own or "branches-ignore" in trigger.own
    if not has_branches and ("tags" in trigger.own or "tags-ignore" in trigger.own):
        return False
    return branch in _let_through(trigger, "branches", [branch])


def patterns_of(trigger: Mapping, key: str) -> list[str]:
    """The patterns of one filter of an event, as they are written."""
    node = trigger.get(key)
    if isinstance(node, Scalar):
        return [node.value]
    items = node.items if isinstance(node, Sequence) else ()
    return [item.value for item in items if isinstance(item, Scalar)]
