"""Who is who at GitHub: repositories by number through renames, and what each node id stands for.

The emulator looks things up by name only. What it shows of itself is remembered here, so that a repository answers
to its number, to any spelling of its name, and to the names that it had.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Json = Any

OWN_ADDRESS = re.compile(r"/repos/([^/]+/[^/]+)/(pulls|issues|labels|issues/comments)/([^/{]+)$")
TEAM_PAGE = re.compile(r"/orgs/([^/]+)/teams/([^/]+)$")
KINDS = {"pulls": "PullRequest", "issues": "Issue", "labels": "Label", "issues/comments": "IssueComment"}


@dataclass(frozen=True, slots=True)
class Node:
    """What a node id stands for: `key` is its number, name or commit within the repository."""

    type: str
    repository_id: int | None
    key: str


@dataclass(slots=True)
class Identities:
    """Knows repositories by their numbers, whatever they are called now."""

    on_renamed: Callable[[str, str], None] = lambda old, new: None
    _names: dict[str, int] = field(default_factory=dict)
    """Every name that a repository has or had, folded."""
    _current: dict[int, str] = field(default_factory=dict)
    _nodes: dict[str, Node] = field(default_factory=dict)

    def number_of(self, name: str) -> int | None:
        """The repository that answers to this name, in any spelling, also to one that it had."""
        return self._names.get(name.lower())

    def name_of(self, number: int) -> str | None:
        return self._current.get(number)

    def numbers_of(self, owner: str) -> list[int]:
        """The repositories of an owner, oldest first."""
        prefix = f"{owner.lower()}/"
        return sorted(number for number, name in self._current.items() if name.lower().startswith(prefix))

    def is_former(self, name: str) -> bool:
        """Whether this name leads on to the one that the repository has now."""
        number = self.number_of(name)
        return number is not None and self._current[number].lower() != name.lower()

    def node(self, node_id: str) -> Node | None:
        return self._nodes.get(node_id)

    def add(self, node_id: str, node: Node) -> str:
        self._nodes[node_id] = node
        return node_id

    def learn(self, shown: Json) -> None:
        """Notes every repository, person, label, issue and pull request in an answer of the emulator."""
        waiting = [shown]
        while waiting:
            here = waiting.pop()
            if isinstance(here, list):
                waiting += here
            elif isinstance(here, dict):
                waiting += here.values()
                if isinstance(here.get("node_id"), str):
                    self._note(here)

    def _note(self, shown: dict[str, Json]) -> None:
        node_id, address = shown["node_id"], str(shown.get("url", ""))
        if isinstance(name := shown.get("full_name"), str) and "owner" in shown:
            self._note_repository(shown["id"], name)
            self._nodes[node_id] = Node("Repository", shown["id"], name)
        elif isinstance(login := shown.get("login"), str):
            self._nodes[node_id] = Node(str(shown.get("type", "Organization")), None, login)
        elif (found := OWN_ADDRESS.search(address)) and (number := self.number_of(unquote(found[1]))):
            self._nodes[node_id] = Node(KINDS[found[2]], number, unquote(found[3]))
        elif found := TEAM_PAGE.search(str(shown.get("html_url", ""))):
            self._nodes[node_id] = Node("Team", None, f"{found[1]}/{found[2]}")

    def _note_repository(self, number: int, name: str) -> None:
        before = self._current.get(number)
        if before == name:
            return
        self._current[number] = name
        self._names[name.lower()] = number
        if before is not None:
            self.on_renamed(before, name)
