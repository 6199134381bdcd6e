"""`.github/freshness.yaml`: what a repository asks of the bot. Whoever can push can write it, so none is trusted.

```yaml
enabled: true                  # false: leave this repository alone
action: pull_request           # auto | pull_request | dispatch | notify
workflow: rebuild.yml          # the workflow to dispatch, a file of .github/workflows
workflows:                     # instead, in a repository with several: each with the files that it builds
  - paths: [services/shop/*]
    workflow: shop.yml
    images: ["*/shop"]         # a glob for the images that come of it
owners: [octocat, contoso/platform]        # people and teams asked to review
labels: [dependencies]
produces: ["ghcr.io/octocat/shop:latest"]  # the images that its builds push, where that does not show
ignore:
  - path: "legacy/*"           # a glob for files; base: one for image names with their tags
    until: 2027-01-31          # the last day; leave it out to ignore for good
    reason: replaced by the new shop
  - check: read-only-root        # waives what this check finds, and keeps no rebuild back
    path: deploy/reports.yaml
    until: 2027-01-31
    reason: writes its reports beside itself
```
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from difflib import get_close_matches
from typing import TypeVar

from bot.domain.builder.definitions import AZURE_PIPELINES, definition_of
from bot.domain.repositories.repository_config import GITHUB_PATH, Ignore, RepositoryConfig
from bot.domain.repositories.usage import SourceProblem
from bot.domain.rollouts.journal import says_something
from bot.domain.rollouts.policy import ActionPreference
from bot.domain.rollouts.terms import PathWorkflow
from bot.files.formats.source.collector import Unreadable, quoted
from bot.files.formats.source.nodes import Mapping, Node, Scalar, Sequence
from bot.files.formats.source.text import Lines
from bot.files.formats.source.yaml import read

T = TypeVar("T")

PATH = GITHUB_PATH
LARGEST_CONFIG = 64 * 1024
"""Characters."""
MOST_ENTRIES = 100
"""Of one list."""
MOST_PROBLEMS = 20
LONGEST_GLOB = 256
LONGEST_REASON = 500
LONGEST_LABEL = 50
"""GitHub takes no longer label."""

_KEYS = ("enabled", "action", "workflow", "workflows", "owners", "labels", "produces", "ignore")
_IGNORE_KEYS = ("path", "base", "until", "reason", "check")
_PART_KEYS = ("paths", "workflow", "images")
_YES_OR_NO = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_WORKFLOW = re.compile(r"(?:\.github/workflows/)?(?P<file>[A-Za-z0-9_][\w.-]{0,99}\.ya?ml)", re.A)
_REBUILD_WORKFLOW = f'the name of a file in .github/workflows, or "{AZURE_PIPELINES}: organisation/project/number"'
_OWNER = re.compile(
    r"@?(?:(?P<login>[A-Za-z0-9][A-Za-z0-9-]{0,38}|[A-Za-z0-9][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,188})"
    r"|[A-Za-z0-9][A-Za-z0-9-]{0,38}/(?P<team>[A-Za-z0-9_](?:[A-Za-z0-9 _-]{0,98}[A-Za-z0-9_-])?))"
)
_UNTIL_CORRECTED = "nothing new is written to this repository until it is corrected"
_CHECK = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse(text: str, now: datetime) -> tuple[RepositoryConfig, tuple[SourceProblem, ...]]:
    """The configuration, and a problem for each thing in it that does not count.

    Never raises. What is wrong falls back to its default, so that a slip of the pen hides no image from the bot. A
    file that cannot be read, and an `enabled` that cannot be understood, may be a no, and count as one until they
    are corrected. `now` tells which ignores have ended.
    """
    reader = _Reader(text, now.date())
    try:
        config = reader.config(reader.root())
    except Unreadable as error:
        # YAML also ends lines at characters that an editor does not count.
        line = min(error.line, len(Lines(text)))
        unread = RepositoryConfig.not_read(f"{PATH}:{line}: {error}")
        return unread, (SourceProblem(PATH, line, f"{error}; {_UNTIL_CORRECTED}"),)
    return config, tuple(reader.problems[:MOST_PROBLEMS])


class _Reader:
    def __init__(self, text: str, today: date) -> None:
        self._text = text
        self._today = today
        self._lines = Lines(text)
        self.problems: list[SourceProblem] = []
        self.unread = ""

    def root(self) -> Mapping:
        if len(self._text) > LARGEST_CONFIG:
            raise Unreadable(1, f"the file has more than {LARGEST_CONFIG:,} characters and is not read")
        roots = read(self._text)
        if len(roots) > 1:
            self._problem(roots[1].start, "only the first document of the file counts; remove the others")
        if not roots or (isinstance(roots[0], Scalar) and roots[0].is_null):
            return Mapping(0)
        if not isinstance(roots[0], Mapping):
            raise Unreadable(self._lines.at(roots[0].start), f"the file must have keys, such as {_KEYS[0]}")
        return roots[0]

    def config(self, root: Mapping) -> RepositoryConfig:
        self._check_keys(root, _KEYS)
        enabled = self._read_enabled(root)
        parts = tuple(self._parts(root))
        owners = list(self._several(root, "owners", _owner, "a GitHub login or organization/team"))
        return RepositoryConfig(
            enabled=enabled and not self.unread,
            unread=self.unread,
            action=self._one(root, "action", _action_preference, f"one of {', '.join(ActionPreference)}"),
            workflow=self._workflow(root, has_parts=bool(parts)),
            workflows=parts,
            labels=tuple(
                dict.fromkeys(
                    self._several(
                        root,
                        "labels",
                        _label,
                        f"a label of at most {LONGEST_LABEL} characters, none of the bot's own",
                    )
                )
            ),
            reviewers=tuple(dict.fromkeys(login for login, _ in owners if login)),
            team_reviewers=tuple(dict.fromkeys(team for _, team in owners if team)),
            ignored=tuple(self._read_ignores(root)),
            produces=tuple(
                dict.fromkeys(
                    self._several(root, "produces", _image, "an image such as ghcr.io/octocat/shop:latest")
                )
            ),
        )

    def _read_enabled(self, root: Mapping) -> bool:
        """Whether the repository lets the bot in; what is not understood there is `unread`."""
        node = root.get("enabled")
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return True
        understood = _yes_or_no(node.value.strip()) if isinstance(node, Scalar) else None
        if understood is None:
            value = quoted(node.value) if isinstance(node, Scalar) else "what stands here"
            self._doubt(node.start, f"enabled: {value} does not count; write true or false")
        return understood is not False

    def _workflow(self, root: Mapping, *, has_parts: bool) -> str | None:
        """A pipeline builds the whole repository, so none counts beside parts."""
        workflow = self._one(root, "workflow", _rebuild_workflow, _REBUILD_WORKFLOW)
        node = root.get("workflow")
        if node is None or not has_parts or definition_of(workflow) is None:
            return workflow
        self._problem(node.start, "a pipeline does not count beside workflows; keep one of the two")
        return None

    def _doubt(self, place: int, message: str) -> None:
        """A problem for which nothing is written."""
        self.unread = self.unread or f"{PATH}:{self._lines.at(place)}: {message}"
        self._problem(place, f"{message}; {_UNTIL_CORRECTED}")

    def _parts(self, root: Mapping) -> Iterator[PathWorkflow]:
        for node in self._list(root, "workflows"):
            if not isinstance(node, Mapping):
                self._problem(node.start, "an entry of workflows needs paths and workflow; it is skipped")
                continue
            self._check_keys(node, _PART_KEYS)
            glob = f"a glob of at most {LONGEST_GLOB} characters"
            paths = tuple(self._several(node, "paths", _glob, glob))
            workflow = self._one(node, "workflow", _workflow, "the name of a file in .github/workflows")
            images = tuple(self._several(node, "images", _glob, glob))
            if paths and workflow is not None:
                yield PathWorkflow(paths, workflow, images)
            else:
                self._problem(node.start, "an entry of workflows needs paths and workflow; it is skipped")

    def _read_ignores(self, root: Mapping) -> Iterator[Ignore]:
        for node in self._list(root, "ignore"):
            if not isinstance(node, Mapping):
                self._problem(node.start, "an entry of ignore needs path, base or check; it is skipped")
                continue
            self._check_keys(node, _IGNORE_KEYS)
            before = len(self.problems)
            path = self._one(node, "path", _glob, f"a glob of at most {LONGEST_GLOB} characters")
            base = self._one(node, "base", _glob, f"a glob of at most {LONGEST_GLOB} characters")
            check = self._one(node, "check", _check, "the name of a check, such as read-only-root")
            until = self._one(node, "until", _day, "a day such as 2027-01-31")
            is_wrong = len(self.problems) > before
            reason = self._one(node, "reason", _reason, f"a text of at most {LONGEST_REASON} characters")
            if path is None and base is None and check is None and not is_wrong:
                self._problem(
                    node.start, "an entry of ignore needs path, base or check; to ignore all, set enabled: false"
                )
            elif until is not None and until < self._today:
                self._problem(node.start, f"this ignore ended on {until}; remove it or give it a new day")
            elif not is_wrong:
                if reason is None:
                    self._problem(node.start, "this ignore has no reason; say why, for whoever reads it next")
                yield Ignore(path or "", base or "", until, reason or "", check or "")

    def _one(self, mapping: Mapping, key: str, understand: Callable[[str], T | None], expectation: str) -> T | None:
        """What stands under a key, None where it is absent or makes no sense."""
        node = mapping.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return None
        return self._understood(node, key, understand, expectation)

    def _several(
        self, mapping: Mapping, key: str, understand: Callable[[str], T | None], expectation: str
    ) -> Iterator[T]:
        for node in self._list(mapping, key):
            understood = self._understood(node, key, understand, expectation)
            if understood is not None:
                yield understood

    def _understood(
        self, node: Node, key: str, understand: Callable[[str], T | None], expectation: str
    ) -> T | None:
        understood = understand(node.value.strip()) if isinstance(node, Scalar) else None
        if understood is None:
            value = quoted(node.value) if isinstance(node, Scalar) else "what stands here"
            self._problem(node.start, f"{key}: {value} does not count; write {expectation}")
        return understood

    def _list(self, mapping: Mapping, key: str) -> list[Node]:
        """The items under a key; a single value counts as a list of one."""
        node = mapping.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return []
        items: list[Node] = node.items if isinstance(node, Sequence) else [node]
        if len(items) > MOST_ENTRIES:
            self._problem(node.start, f"{key} has more than {MOST_ENTRIES} entries; the rest does not count")
        return items[:MOST_ENTRIES]

    def _check_keys(self, mapping: Mapping, known_keys: tuple[str, ...]) -> None:
        for key, _ in mapping.own.values():
            if key.value not in known_keys:
                near = get_close_matches(key.value[:LONGEST_LABEL].lower(), known_keys, n=1, cutoff=0.5)
                advice = f"did you mean {near[0]}?" if near else f"known are {', '.join(known_keys)}"
                key_text = "what stands here" if key.start == key.end else quoted(key.value)
                tell = self._doubt if near == ["enabled"] else self._problem
                tell(key.start, f"{key_text} is no key here and does not count; {advice}")

    def _problem(self, place: int, message: str) -> None:
        self.problems.append(SourceProblem(PATH, self._lines.at(place), message))


def _yes_or_no(text: str) -> bool | None:
    return _YES_OR_NO.get(text.lower())


def _action_preference(text: str) -> ActionPreference | None:
    return ActionPreference(text) if text in set(ActionPreference) else None


def _workflow(text: str) -> str | None:
    match = _WORKFLOW.fullmatch(text)
    return match["file"] if match else None


def _rebuild_workflow(text: str) -> str | None:
    return text if definition_of(text) is not None else _workflow(text)


def _owner(text: str) -> tuple[str | None, str | None] | None:
    match = _OWNER.fullmatch(text)
    return (match["login"], match["team"]) if match else None


def _label(text: str) -> str | None:
    is_one = 0 < len(text) <= LONGEST_LABEL and text.isprintable() and "," not in text
    return text if is_one and not says_something(text) else None


def _image(text: str) -> str | None:
    return text if 0 < len(text) <= LONGEST_GLOB and text.isprintable() and "/" in text else None


def _glob(text: str) -> str | None:
    return text if 0 < len(text) <= LONGEST_GLOB and text.isprintable() else None


def _check(text: str) -> str | None:
    return text if _CHECK.fullmatch(text) else None


def _reason(text: str) -> str | None:
    return " ".join(text.split()) if 0 < len(text) <= LONGEST_REASON else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
