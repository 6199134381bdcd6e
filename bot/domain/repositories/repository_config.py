"""What a repository itself asks for in `.github/freshness.yaml`, once read and checked."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase

from bot.domain.rollouts.policy import ActionPreference, Terms
from bot.domain.rollouts.terms import PathWorkflow, part_of

GITHUB_PATH = ".github/freshness.yaml"
"""Where a repository on GitHub keeps it."""


MANY_UNREAD = 10
"""More repositories than these whose own word cannot be understood are one trouble, and not each its own."""
NO_TEXT = f"{GITHUB_PATH} is no text in UTF-8"
"""Said of a file that the forge shows without a text of it."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """A path or base to leave alone, until a date or for good; globs. An empty glob matches anything.

    One with a `check` waives findings of that check and keeps no rebuild back.
    """

    path: str = ""
    base: str = ""
    until: date | None = None
    reason: str = ""
    check: str = ""

    def __str__(self) -> str:
        until = f" until {self.until}" if self.until else ""
        return f"ignored{until}" + (f": {self.reason}" if self.reason else "")

    def holds(self, path: str, base: str, today: date) -> bool:
        return (
            (self.until is None or today <= self.until)
            and (not self.path or fnmatchcase(path, self.path))
            and (not self.base or fnmatchcase(base, self.base))
        )


@dataclass(frozen=True, slots=True)
class OwnedPaths:
    """Whom the forge's own list of code owners names for some of the files: logins, and teams as `owner/team`."""

    owners: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """The defaults hold for a repository without the file, and for each key of it that is wrong, but for `enabled`:
    where the file cannot be read, or that key not be understood, it may say no, so nothing new is written there.
    `unread` says why that is, and `enabled` is False then.

    `owned` is not in that file: it comes from CODEOWNERS, for the files that name a base.
    """

    enabled: bool = True
    unread: str = ""
    action: ActionPreference | None = None
    workflow: str | None = None
    workflows: tuple[PathWorkflow, ...] = ()
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    team_reviewers: tuple[str, ...] = ()
    ignored: tuple[Ignore, ...] = ()
    owned: tuple[OwnedPaths, ...] = ()
    produces: tuple[str, ...] = ()
    """Images that it says to produce, `registry/name` with or without a tag; what counts, the operator decides."""

    @classmethod
    def not_read(cls, reason: str) -> "RepositoryConfig":
        """Of a repository whose file is there and cannot be read."""
        return cls(enabled=False, unread=reason)

    def owners_of(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Returns whom CODEOWNERS names for any of these files, each once."""
        path_set = set(paths)
        return tuple(
            dict.fromkeys(owner for part in self.owned if path_set & set(part.paths) for owner in part.owners)
        )

    @property
    def owners(self) -> tuple[str, ...]:
        """Whom it names itself, else its code owners."""
        reviewers = (*self.reviewers, *self.team_reviewers)
        return reviewers or tuple(dict.fromkeys(owner for part in self.owned for owner in part.owners))

    def part_of(self, path: str, terms: Terms) -> PathWorkflow | None:
        """The part of a monorepo that holds a file, which may be the rest; None where it has no parts.

        What the repository itself says of its workflows counts.
        """
        parts = self.workflows or (() if self.workflow else terms.workflows)
        if not parts:
            return None
        part = part_of(parts, path) or PathWorkflow((), self.workflow or terms.workflow)
        if part.images:
            return part
        return replace(part, others=tuple(other for other in parts if other.workflow != part.workflow))

    def workflow_of(self, path: str, terms: Terms) -> str:
        """The file name of the workflow that builds what a file is for."""
        part = self.part_of(path, terms)
        return part.workflow if part is not None else self.workflow or terms.workflow

    @property
    def refusal(self) -> str | None:
        """Why nothing new may be written to the repository, None where something may."""
        if self.enabled:
            return None
        if self.unread:
            return f"what the repository asks for cannot be understood: {self.unread}"
        return f"the repository opted out in {GITHUB_PATH}"

    @property
    def asks_for_no_pull_request(self) -> bool:
        return self.action in (ActionPreference.DISPATCH, ActionPreference.NOTIFY)

    def ignored_by(self, path: str, base: str, today: date) -> Ignore | None:
        """Returns the first entry by which this usage is left alone; None where none holds."""
        rebuilds = (entry for entry in self.ignored if not entry.check)
        return next((entry for entry in rebuilds if entry.holds(path, base, today)), None)

    @property
    def waived(self) -> tuple[Ignore, ...]:
        """The entries that waive findings."""
        return tuple(entry for entry in self.ignored if entry.check)
