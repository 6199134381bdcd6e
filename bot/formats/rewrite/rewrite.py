"""Rewrite references in a file, byte for byte as small as possible, and never on faith.

After every rewrite the file is read again: each usage must then be what was asked for, and all others what they
were. What fails that test is refused and named.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.reference import InvalidReference, Reference
from bot.domain.usage import Kind, Problem, Replacement, Rewritten, Span, Usage
from bot.formats.finding import find_usages
from bot.formats.rewrite import marker
from bot.formats.rewrite.edits import CannotEdit, Edit, applied, edits_for
from bot.formats.source.text import Lines, decode, encode

MOST_READINGS = 40
"""How often a file is read again to find the changes that cannot be made among those that can."""
MOST_REASONS = 10
"""Refusals that are looked into one by one; each costs a reading of the file."""


def rewrite(path: str, data: bytes, replacements: Sequence[Replacement], kind: Kind | None = None) -> Rewritten:
    """Every usage whose resolved reference is `old` becomes `new`; all other bytes stay.

    The first replacement that fits a usage counts. With `marker`, the line above the usage's instruction records
    `new.digest` instead; a usage that becomes pinned to a digest loses its marker. Never raises: what cannot be
    done is in `refused`, one line each.
    """
    file = _File.read(path, data, kind)
    wanted = {replacement.old: replacement for replacement in reversed(replacements)}
    changes: list[_Change] = []
    refused: list[Problem] = []
    for number, usage in enumerate(file.usages):
        replacement = wanted.get(usage.reference)
        if replacement is None:
            continue
        try:
            change = file.change(number, replacement)
        except CannotEdit as error:
            refused.append(_refusal(usage, replacement, str(error)))
            continue
        if change.edits:
            changes.append(change)
    groups = _grouped(changes)
    accepted, text = file.accepted(groups)
    kept = {group[0].number for group in accepted}
    rejected = [group for group in groups if group[0].number not in kept]
    for at, group in enumerate(rejected):
        reason = file.reason(group) if at < MOST_REASONS else "the file would not read as asked for"
        refused += [_refusal(file.usages[change.number], change.wanted, reason) for change in group]
    places = {change.edits for group in accepted for change in group}
    in_order = sorted(refused, key=lambda problem: problem.line)
    return Rewritten(encode(text), len(places), tuple(in_order))


def _refusal(usage: Usage, wanted: Replacement, reason: str) -> Problem:
    goal = f"the marker of {wanted.old}" if wanted.marker else f"{wanted.old} to {wanted.new}"
    return Problem(usage.path, usage.line, f"cannot change {goal}: {reason}")


@dataclass(frozen=True, slots=True)
class _Change:
    """What one usage is to become, its reference and its marker, and the edits that make it so."""

    number: int
    wanted: Replacement
    reference: Reference
    marker: str | None
    edits: tuple[Edit, ...]


_Group = Sequence[_Change]
"""Changes that touch the same places, so all of them are made or none."""


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    kind: Kind | None
    text: str
    lines: Lines
    usages: Sequence[Usage]
    named: Mapping[int, set[Reference]]
    """What each statement names, by its line."""

    @classmethod
    def read(cls, path: str, data: bytes, kind: Kind | None) -> "_File":
        usages = find_usages(path, data, kind).usages
        named: defaultdict[int, set[Reference]] = defaultdict(set)
        for usage in usages:
            named[marker.statement_of(usage)].add(usage.reference)
        text = decode(data)
        return cls(path, kind, text, Lines(text), usages, named)

    def change(self, number: int, wanted: Replacement) -> _Change:
        """Raises `CannotEdit`."""
        usage = self.usages[number]
        try:
            Reference.parse(str(wanted.new))
        except InvalidReference as error:
            raise CannotEdit(str(error)) from error
        if wanted.marker:
            edits = self._marker_edits(usage, wanted.new.digest)
            return _Change(number, wanted, usage.reference, wanted.new.digest, edits)
        edits = edits_for(usage, wanted.new, self.text)
        recorded = usage.marker
        alone = len(self.named[marker.statement_of(usage)]) == 1
        if edits and wanted.new.digest is not None and alone and (old := marker.find(usage, self.lines)):
            edits, recorded = (*edits, Edit(old.line, "")), None
        return _Change(number, wanted, wanted.new, recorded, edits)

    def _marker_edits(self, usage: Usage, digest: str | None) -> tuple[Edit, ...]:
        if digest is None:
            raise CannotEdit("a marker needs a digest")
        if len(self.named[marker.statement_of(usage)]) > 1:
            raise CannotEdit(
                "the instruction names several images, and a marker would not tell for which it stands"
            )
        if old := marker.find(usage, self.lines):
            return () if old.digest == digest else (Edit(old.span, digest),)
        new = marker.new_line(usage, digest, self.lines)
        if new is None:
            raise CannotEdit("no comment can stand here; write the digest into the reference itself")
        at, line = new
        return (Edit(Span(at, at), line),)

    def accepted(self, groups: Sequence[_Group]) -> tuple[Sequence[_Group], str]:
        """The groups that prove right together, and the text with them.

        Those that do not are halved again and again: one bad group costs few readings.
        """
        done: list[_Group] = []
        text = self.text
        parts = [groups] if groups else []
        for _ in range(MOST_READINGS):
            if not parts:
                break
            part = parts.pop()
            result = self.result([*done, *part])
            if result is not None:
                done, text = [*done, *part], result
            elif len(part) > 1:
                half = len(part) // 2
                parts += (part[half:], part[:half])
        return done, text

    def result(self, groups: Iterable[_Group]) -> str | None:
        """The text after these changes, None where it does not read as asked for."""
        changes = {change.number: change for group in groups for change in group}
        text = applied((edit for change in changes.values() for edit in change.edits), self.text)
        if text is None:
            return None
        usages = self._read_again(text)
        right = len(usages) == len(self.usages) and self._first_wrong(usages, changes) is None
        return text if right else None

    def reason(self, group: _Group) -> str:
        """Why the group was not accepted, for a maintainer."""
        changes = {change.number: change for change in group}
        text = applied((edit for change in group for edit in change.edits), self.text)
        if text is None:
            return "other replacements want to change the same place differently"
        usages = self._read_again(text)
        if len(usages) != len(self.usages):
            return "the file would no longer name the same images"
        wrong = self._first_wrong(usages, changes)
        if wrong is None:
            return "it does not go together with the other replacements"
        other = self.usages[wrong]
        if wrong not in changes:
            return (
                f"this would change {other.reference} in line {marker.statement_of(other)} too; change both alike"
            )
        return f"it would read {usages[wrong].reference} then; change the text by hand"

    def _read_again(self, text: str) -> Sequence[Usage]:
        return find_usages(self.path, encode(text), self.kind).usages

    def _first_wrong(self, usages: Sequence[Usage], changes: Mapping[int, _Change]) -> int | None:
        for number, (old, now) in enumerate(zip(self.usages, usages, strict=True)):
            change = changes.get(number)
            goal = (old.reference, old.marker) if change is None else (change.reference, change.marker)
            if (now.reference, now.marker) != goal:
                return number
        return None


def _grouped(changes: Sequence[_Change]) -> list[_Group]:
    """Changes whose edits overlap or are the same go together, in the order of the file."""
    spans = sorted((edit.span, at) for at, change in enumerate(changes) for edit in change.edits)
    leader = list(range(len(changes)))

    def lead(at: int) -> int:
        while leader[at] != at:
            leader[at] = at = leader[leader[at]]
        return at

    reach, last = Span(-1, -1), 0
    for span, at in spans:
        if span.start < reach.end or span == reach:
            leader[lead(at)] = lead(last)
        if span.end >= reach.end:
            reach, last = span, at
    groups: defaultdict[int, list[_Change]] = defaultdict(list)
    for at, change in enumerate(changes):
        groups[lead(at)].append(change)
    return list(groups.values())
