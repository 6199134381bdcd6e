"""CODEOWNERS: whom a forge asks for a review of which files. The last line whose pattern takes a path counts.

Patterns are those of .gitignore without `!` and `[]`; `docs/*` takes the files of that folder alone. Source:
GitHub's "About code owners". Owners named by their e-mail address cannot be asked by name, and are left out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.domain.repositories.repository_config import OwnedPaths

PATHS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where it may stand; only the first that is there counts."""
MOST_LINES = 5_000
LONGEST_LINE = 1_000
_OWNER = re.compile(r"@(?P<name>[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9_][\w.-]{0,99})?)", re.A)
_WORDS = re.compile(r"(?<!\\)\s+")


@dataclass(frozen=True, slots=True)
class _Line:
    """A pattern cut at its slashes. `is_anchored` ones begin at the root, others below any folder."""

    parts: tuple[str, ...]
    is_anchored: bool
    is_folder: bool
    owners: tuple[str, ...]

    def takes(self, path: Sequence[str]) -> bool:
        """Whether the pattern takes a path: goes through it with all parts that may have been reached."""
        states = self._with_skips({0})
        for place, name in enumerate(path):
            if len(self.parts) in states and self._takes_below(place):
                return True
            ahead = {
                position + 1
                for position in states
                if position < len(self.parts) and _fits(name, self.parts[position])
            }
            ahead |= {
                position for position in states if position < len(self.parts) and self.parts[position] == "**"
            }
            states = self._with_skips(ahead | (set() if self.is_anchored else {0}))
        return len(self.parts) in states and not self.is_folder

    def _takes_below(self, place: int) -> bool:
        return place > 0 and not (self.is_anchored and not self.is_folder and self.parts[-1] == "*")

    def _with_skips(self, states: set[int]) -> set[int]:
        """`**` stands for no folder as well."""
        reachable = set(states)
        for position in sorted(states):
            while position < len(self.parts) and self.parts[position] == "**":
                position += 1
                reachable.add(position)
        return reachable


def owned_in(files: Mapping[str, str], paths: Iterable[str]) -> tuple[OwnedPaths, ...]:
    """Who owns which of `paths`, by the one of `files` (text by path) that counts; never raises."""
    text = next((files[path] for path in PATHS if path in files), None)
    lines = [] if text is None else [line for row in text.splitlines()[:MOST_LINES] if (line := _line_of(row))]
    paths_by_owners: dict[tuple[str, ...], list[str]] = {}
    for path in sorted(set(paths)) if lines else ():
        parts = path.split("/")
        owners = next((line.owners for line in reversed(lines) if line.takes(parts)), ())
        if owners:
            paths_by_owners.setdefault(owners, []).append(path)
    return tuple(OwnedPaths(owners, tuple(owned)) for owners, owned in paths_by_owners.items())


def _line_of(row: str) -> _Line | None:
    """None for what names no pattern."""
    if len(row) > LONGEST_LINE or not (words := _WORDS.split(row.strip())) or words[0][:1] in ("", "#"):
        return None
    pattern, *owner_words = words
    pattern = pattern.replace("\\", "")
    parts = tuple(part for part in pattern.split("/") if part)
    if not parts:
        return None
    owners = []
    for word in owner_words:
        if word.startswith("#"):
            break
        if (match := _OWNER.fullmatch(word)) is not None:
            owners.append(match["name"])
    is_anchored = "/" in pattern.rstrip("/")
    return _Line(parts, is_anchored, pattern.endswith("/"), tuple(dict.fromkeys(owners)))


def _fits(name: str, part: str) -> bool:
    return fnmatchcase(name, part.replace("[", "[[]"))
