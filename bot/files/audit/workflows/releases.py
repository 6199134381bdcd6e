"""Workflows that build releases alone: a scheduled run of theirs would publish a branch as if it were one.

Source: GitHub's workflow syntax of `on.push`: with filters of tags and none of branches, branches start nothing.
"""

import re
from collections.abc import Iterator

from bot.files.audit.workflows.contexts import is_true
from bot.files.audit.workflows.model import CLOSED, TESTS_ONLY, Pipeline
from bot.files.audit.workflows.refs import named_refs, patterns_of
from bot.files.formats.source.nodes import Mapping

RELEASES_ALONE = "it builds releases alone, and no branch"
OF_MOVED_TAG = "it builds what a tag stands at, and no branch"
TO_ROLL_BACK = "people alone start it, to go back to what was released before"
READS_MERGE = "its steps read what only the event of a pull request hands over"
WITH_VERSION = "it is started with a version, which a schedule does not have"
_STARTED = frozenset({"workflow_dispatch", "workflow_call", "repository_dispatch"})
"""Events of a person or a program that may hand something over."""
_VERSION = re.compile(
    r"(?:^|[_-])(?:version|tags?|ref|release|semver)(?:$|[_-])|(?:Version|Tag|Ref)$", re.IGNORECASE
)
_BEFORE_VERSION = re.compile(r"(?:(?:.*[._-])?(?:v|ver|version|rel|release)[._-]?)?", re.IGNORECASE)
_OF_MERGE = re.compile(r"github\.(?:event\.(?:pull_request|number)|head_ref|base_ref)\b", re.IGNORECASE)
_BACK = re.compile(r"roll[-_ ]?back", re.IGNORECASE)
_PLAIN = re.compile(r"[\w./-]*")
_OF_FIGURES = re.compile(r"(?:[\d.*+?]|\\\.|\[[\d-]+\])+")
"""What is left of a pattern of tags after their beginning, where figures with dots may be all of it."""


def why_no_schedule(pipeline: Pipeline) -> str:
    """Why a run on the default branch would build what is no release; empty where it builds other things too."""
    accepted = pipeline.events - TESTS_ONLY - _STARTED
    if accepted and accepted <= {"release", *(["push"] if is_for_tags(pipeline) else [])}:
        return RELEASES_ALONE if "release" in accepted or _names_version(pipeline) else OF_MOVED_TAG
    return WITH_VERSION if not accepted and takes_version(pipeline) else ""


def reads_merge(pipeline: Pipeline) -> bool:
    """Whether a merge starts it, and its steps are given what no other start knows, such as the number."""
    is_merged = any(event.endswith(CLOSED) for event in pipeline.events)
    return is_merged and any(map(_OF_MERGE.search, _values(pipeline)))


def is_for_tags(pipeline: Pipeline) -> bool:
    """Whether a push starts it for tags alone."""
    pushed = pipeline.root.mapping("on").get("push")
    if not isinstance(pushed, Mapping):
        return False
    has_tags = "tags" in pushed.own or "tags-ignore" in pushed.own
    return has_tags and "branches" not in pushed.own and "branches-ignore" not in pushed.own


def tags_of(pipeline: Pipeline) -> list[str]:
    """The patterns of tags that start it, as they are written."""
    return patterns_of(pipeline.root.mapping("on").mapping("push"), "tags")


def _names_version(pipeline: Pipeline) -> bool:
    """Whether a tag that starts it may be of a version: not `devtest` or `deploy-*`, which are moved or counted.

    What is kept out tells nothing of what is left.
    """
    patterns = [each for each in tags_of(pipeline) if not each.startswith("!")]
    return not patterns or any(map(_may_be_version, patterns))


def _may_be_version(pattern: str) -> bool:
    begin, *rest = re.split(r"[*?+\[!]", pattern, maxsplit=1)
    is_open = bool(rest) and _BEFORE_VERSION.fullmatch(begin.replace("/", "-")) is not None
    return is_open or re.search(r"\d", pattern) is not None or ("." in pattern and bool(rest))


def takes_version(pipeline: Pipeline) -> bool:
    """Whether whoever starts it by hand or by a program may hand a version over."""
    trigger = pipeline.root.mapping("on")
    names = [
        key.value
        for event in ("workflow_dispatch", "workflow_call")
        for key, _ in trigger.mapping(event).mapping("inputs").entries()
    ]
    versions = (name for name in names if _VERSION.search(name))
    return "repository_dispatch" in pipeline.events or any(_is_whole(pipeline, name) for name in versions)


def _is_whole(pipeline: Pipeline, name: str) -> bool:
    """Whether an input is all of what it is put into, at least once, or is put into nothing that is seen."""
    use = re.compile(rf"([\w.-]*)\$\{{\{{\s*(?:github\.event\.)?inputs\.{re.escape(name)}\s*\}}\}}", re.IGNORECASE)
    heads = [head for text in _values(pipeline) for head in use.findall(text)]
    return not heads or any(_BEFORE_VERSION.fullmatch(head) for head in heads)


def _values(pipeline: Pipeline) -> Iterator[str]:
    """What steps and the workflows that jobs call are given, and what is run."""
    for step in pipeline.steps:
        run = step.mapping.scalar("run")
        yield from (*step.inputs.values(), *step.environment.values(), run.value if run is not None else "")
    for job in pipeline.jobs:
        yield from job.inputs.values()


def rolls_back(pipeline: Pipeline) -> bool:
    """Whether people alone start it, to go back to what was released before, by its file's name or its own."""
    title = pipeline.root.scalar("name")
    names = (pipeline.path.rpartition("/")[2], title.value if title is not None else "")
    return is_started_by_hand_alone(pipeline) and any(map(_BACK.search, names))


def is_started_by_hand_alone(pipeline: Pipeline) -> bool:
    """Whether nothing but a person, or a program in their place, starts it."""
    return pipeline.events - TESTS_ONLY <= _STARTED


def takes_inputs(pipeline: Pipeline) -> bool:
    """Whether whoever starts it by hand may hand something over besides a name for the run."""
    inputs = pipeline.root.mapping("on").mapping("workflow_dispatch").mapping("inputs")
    return any(key.value != "correlation" for key, _ in inputs.entries())


def requires_input(pipeline: Pipeline) -> bool:
    """Whether nobody can start it by hand without a value that has no default."""
    inputs = pipeline.root.mapping("on").mapping("workflow_dispatch").mapping("inputs")
    declarations = [each for _, each in inputs.entries() if isinstance(each, Mapping)]
    return any(each.scalar("default") is None and is_true(each.scalar("required")) for each in declarations)


def tag_prefix(pipeline: Pipeline) -> str | None:
    """What the tags of all releases begin with that a push starts; None where that are several, or is not plain.

    None as well where a version in figures alone is no such tag: those are of something else then.
    """
    trigger = pipeline.root.mapping("on").mapping("push")
    if "tags-ignore" in trigger.own:
        return None
    parts = [re.split(r"[*?+\[!]", each, maxsplit=1) for each in patterns_of(trigger, "tags")]
    prefixes = {prefix for prefix, *_ in parts}
    if len(prefixes) != 1 or any(len(each) == 1 for each in parts):
        return None
    prefix = prefixes.pop()
    rests = [each[len(prefix) :] for each in patterns_of(trigger, "tags")]
    if not any(map(_OF_FIGURES.fullmatch, rests)):
        return None
    is_told = prefix or all(each.startswith("[") for each in patterns_of(trigger, "tags"))
    return prefix if is_told and _PLAIN.fullmatch(prefix) else None


def example_tags(pipeline: Pipeline) -> tuple[str, ...]:
    """Tags that releases may have, to judge conditions by."""
    prefix = tag_prefix(pipeline)
    names = tuple(named_refs(pipeline.root.mapping("on"), "tags"))
    return names or ((f"{prefix}1.0.0",) if prefix is not None else ("v1.0.0", "1.0.0"))
