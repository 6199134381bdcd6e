"""What a repository waives: entries of `.github/freshness.yaml` with a `check`, and comments beside what fails.

A waiver is for the check that it names, in the places that it names, until its day. Who can push can write one, so
the operator can forbid it for a check.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from fnmatch import fnmatchcase

from bot.domain.repositories.finding import Finding, Outcome
from bot.files.audit.repository import RepositoryTexts
from bot.files.formats import repository_config

_COMMENT = re.compile(
    r"(?:#|//|<!--)\s*freshness:\s*ignore\[(?P<checks>[\w, -]{1,400})\]"
    r"(?:\s+until=(?P<until>\S+))?(?P<reason>[^\n]{0,500})"
)
MOST_COMMENTS = 500


@dataclass(frozen=True, slots=True)
class Waiver:
    """`line` is None where it counts for the whole of each file that `path`, a glob, names; empty names all."""

    check: str
    path: str
    line: int | None
    until: date | None
    reason: str

    def covers(self, finding: Finding, comments: Collection[int]) -> bool:
        """Whether it counts for a finding: one in a comment does on its line, and for what follows it."""
        if finding.check != self.check:
            return False
        if self.line is None:
            return not self.path or fnmatchcase(finding.place.path, self.path)
        if self.path != finding.place.path or self.line > finding.place.end:
            return False
        above = finding.place.start
        while above - 1 in comments and above > self.line:
            above -= 1
        return self.line >= above

    @property
    def told(self) -> str:
        until = f" until {self.until}" if self.until is not None else ""
        return f"waived{until}: {self.reason or 'no reason is given'}"


def waived(
    repository: RepositoryTexts, findings: Iterator[Finding], now: datetime, unwaivable: Collection[str]
) -> Iterator[Finding]:
    """The findings, with those that fail and are waived marked so; a waiver that has ended says so."""
    today = now.date()
    general = list(_of_config(repository, now))
    by_path: dict[str, tuple[list[Waiver], set[int]]] = {}
    for finding in findings:
        if finding.outcome is not Outcome.FAILS:
            yield finding
            continue
        path = finding.place.path
        if path not in by_path:
            by_path[path] = (list(_of_comments(repository, path)), _comment_lines(repository, path))
        comments, lines = by_path[path]
        waivers = [waiver for waiver in [*comments, *general] if waiver.covers(finding, lines)]
        alive = next((waiver for waiver in waivers if waiver.until is None or today <= waiver.until), None)
        if alive is not None and finding.check in unwaivable:
            yield replace(finding, message=f"{finding.message} (it is waived here, which the operator forbids)")
        elif alive is not None:
            yield replace(finding, outcome=Outcome.WAIVED, message=f"{finding.message} ({alive.told})")
        elif waivers:
            yield replace(finding, message=f"{finding.message} (a waiver ended on {waivers[0].until})")
        else:
            yield finding


def next_end(repository: RepositoryTexts, now: datetime) -> date | None:
    """The first day from today on with which a waiver ends, whatever it is for; None where none does."""
    today = now.date()
    waivers = [*_of_config(repository, now)]
    for path in repository.paths:
        waivers += _of_comments(repository, path)
    return min((each.until for each in waivers if each.until is not None and each.until >= today), default=None)


def _of_config(repository: RepositoryTexts, now: datetime) -> Iterator[Waiver]:
    if repository_config.PATH in repository:
        config, _ = repository_config.parse(repository.text(repository_config.PATH), now)
        for entry in config.waived:
            yield Waiver(entry.check, entry.path, None, entry.until, entry.reason)


def _of_comments(repository: RepositoryTexts, path: str) -> Iterator[Waiver]:
    text = repository.text(path)
    if "freshness:" not in text:
        return
    lines = repository.lines(path)
    for number, comment in enumerate(_COMMENT.finditer(text)):
        if number >= MOST_COMMENTS:
            return
        until = _day(comment["until"]) if comment["until"] else None
        if comment["until"] and until is None:
            continue
        reason = " ".join(comment["reason"].removesuffix("-->").split()).lstrip("-– ")
        for check in comment["checks"].split(","):
            yield Waiver(
                check.strip(), path, lines.at(comment.start()), until, reason.removeprefix("reason=").strip()
            )


def _comment_lines(repository: RepositoryTexts, path: str) -> set[int]:
    text = repository.text(path)
    if "freshness:" not in text:
        return set()
    return {
        number
        for number, line in enumerate(text.split("\n"), start=1)
        if line.lstrip().startswith(("#", "//", "<!--"))
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
