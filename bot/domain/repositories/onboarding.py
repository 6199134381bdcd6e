"""Bringing a repository to the practices by pull requests: what one changes and leaves, how far it has come."""

import difflib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bot.domain.repositories.finding import Place

SAFE_CHECKS = (
    "base-pinned",
    "dispatchable",
    "weekly-rebuild",
    "fresh-layers",
    "scan-blocks",
    "scan-severities",
    "scan-ignores-unfixed",
    "scan-report-uploaded",
    "sbom",
    "actions-pinned",
    "no-privilege-escalation",
    "seccomp-profile",
)
"""The checks that a splice can make hold without a person's judgement, in the order of their commits."""


class OnboardingState(StrEnum):
    """How far a repository's onboarding has come."""

    WAITING = "waiting"
    OPEN = "open"
    SET_ASIDE = "set aside"
    """The repository takes no pull request at present, or the forge refuses one; it is asked again every day."""
    DONE = "done"
    """Nothing is left that can be done without a person's judgement."""
    DECLINED = "declined"
    """A maintainer has closed a pull request unmerged: nothing is asked for any more."""

    @property
    def is_under_way(self) -> bool:
        return self in (OnboardingState.WAITING, OnboardingState.OPEN)


def counts_in_words(counts: Mapping["OnboardingState", int]) -> str:
    """`2 open, 1 declined`, in the order of the states; empty where there is none."""
    return ", ".join(f"{counts[state]:,} {state}" for state in OnboardingState if counts.get(state))


@dataclass(frozen=True, slots=True)
class Mended:
    """One place that comes to hold: what its check said before, and what it says after."""

    place: Place
    subject: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ProposedCommit:
    """What makes one check hold: the whole new texts of `files`, on top of the commits before it."""

    check: str
    title: str
    reason: str
    mended: tuple[Mended, ...]
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class LeftToPeople:
    """A finding that no commit mends: what to do about it, and why that is left to people.

    `patch` is the change as a unified diff where it is known.
    """

    check: str
    place: Place
    subject: str
    message: str
    advice: str
    reason: str
    patch: str = ""
    is_denied: bool = False
    """Only for want of a right."""


@dataclass(frozen=True, slots=True)
class MendedPlace:
    """A place that a pull request mends, as it is found again later.

    Besides it `failing` places of the same check, file, subject and message go on to fail, and in that file its
    check holds at `holding` places, this one among them.
    """

    check: str
    path: str
    subject: str
    message: str
    failing: int
    holding: int


@dataclass(frozen=True, slots=True)
class Counted:
    """How many findings fail, by check, path, subject and message, and how many hold, by check and path."""

    failing: Mapping[tuple[str, str, str, str], int]
    holding: Mapping[tuple[str, str], int]

    def lacks(self, place: MendedPlace) -> bool:
        """Whether a place that was mended is not any more: it fails again, and what made it hold is gone.

        A new place that fails like it takes nothing away from what holds.
        """
        fails = self.failing.get((place.check, place.path, place.subject, place.message), 0)
        return fails > place.failing and self.holding.get((place.check, place.path), 0) < place.holding


@dataclass(frozen=True, slots=True)
class Proposal:
    """One small pull request: `commits` in their order, and all that it leaves.

    `source_texts` are those that it was made from, by path; `more` counts places that a later pull request mends.
    `counted` are the findings of the texts as they were read, `mends` what is to be once it was merged.
    """

    commits: tuple[ProposedCommit, ...]
    left_to_people: tuple[LeftToPeople, ...]
    source_texts: Mapping[str, bytes]
    more: int = 0
    counted: "Counted" = field(default_factory=lambda: Counted({}, {}))
    mends: tuple["MendedPlace", ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """All new texts, as they are after the last commit."""
        return {path: text for commit in self.commits for path, text in commit.files.items()}

    @property
    def mark(self) -> str:
        """Tells proposals apart by what they add and take away, wherever in the files that stands."""
        moved_lines = [
            (path, _moved_lines(self.source_texts.get(path, b""), text))
            for path, text in sorted(self.files.items())
        ]
        return hashlib.sha256(repr(moved_lines).encode()).hexdigest()[:16]


def unified_diff(path: str, before: bytes | None, after: bytes) -> str:
    """The change of one file, for people; `before` is None for a new one. Bytes that are no UTF-8 are replaced."""
    old, new = ((text or b"").decode("utf-8", "replace").splitlines(keepends=True) for text in (before, after))
    source = "/dev/null" if before is None else f"a/{path}"
    hunks = "".join(hunks_of(old, new))
    return f"--- {source}\n+++ b/{path}\n{hunks}" if hunks else ""


def hunks_of(old: Sequence[str], new: Sequence[str], above: int = 0, moved: int = 0) -> Iterator[str]:
    """The hunks of a part of a file that `above` lines stand before, of which edits have made `moved` more."""
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(above, first[1], last[2])} +{_range(above + moved, first[3], last[4])} @@\n"
        for tag, old_begin, old_end, new_begin, new_end in group:
            if tag == "equal":
                yield from (_line(" ", line) for line in old[old_begin:old_end])
                continue
            yield from (_line("-", line) for line in old[old_begin:old_end])
            yield from (_line("+", line) for line in new[new_begin:new_end])


CONTEXT = 3
"""Lines around a change that a unified diff shows."""


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(above: int, begin: int, end: int) -> str:
    """Lines as the head of a hunk names them: from 1, and by the line before where there are none."""
    length = end - begin
    first = above + begin + (1 if length else 0)
    return str(first) if length == 1 else f"{first},{length}"


def _moved_lines(before: bytes, after: bytes) -> list[bytes]:
    old, new = before.splitlines(), after.splitlines()
    moved: list[bytes] = []
    opcodes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for tag, old_begin, old_end, new_begin, new_end in opcodes:
        if tag != "equal":
            moved += (b"-" + line for line in old[old_begin:old_end])
            moved += (b"+" + line for line in new[new_begin:new_end])
    return moved


@dataclass(frozen=True, slots=True)
class Onboarding:
    """How one repository's onboarding stands. `asked_by` is who asked for it, None where the settings do.

    `merged` counts the pull requests that were merged, `left` the findings that are left to people; `reason` says
    why it stands where it does. `made_from` stands for what the open pull request was made from, `proposed` for
    what that mends, `brought` for what those have mended that were merged. `declined` are the checks of which that
    was taken back after a merge: they are left alone for good.
    """

    state: OnboardingState
    reason: str
    asked_by: str | None = None
    number: int | None = None
    url: str | None = None
    merged: int = 0
    left: int = 0
    made_from: str | None = None
    proposed: tuple[MendedPlace, ...] = ()
    brought: tuple[MendedPlace, ...] = ()
    declined: tuple[str, ...] = ()

    @property
    def once_merged(self) -> "Onboarding":
        """What was proposed was merged; of a place that is mended again, only the last time counts."""
        again = {(each.check, each.path, each.subject, each.message) for each in self.proposed}
        remaining = (
            each for each in self.brought if (each.check, each.path, each.subject, each.message) not in again
        )
        return replace(self, merged=self.merged + 1, proposed=(), brought=(*remaining, *self.proposed))

    def without_what_was_taken_back(self, now: Counted) -> "Onboarding":
        """With the checks declined of which a place is mended no more, by what the repository shows now."""
        declined_checks = {each.check for each in self.brought if now.lacks(each)}
        if not declined_checks:
            return self
        remaining = tuple(each for each in self.brought if each.check not in declined_checks)
        return replace(self, brought=remaining, declined=tuple(sorted({*self.declined, *declined_checks})))
