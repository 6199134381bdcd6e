"""Makes changes in files that are read together, and accepts those after which the files read as asked for."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.reference import InvalidReference, Reference
from bot.domain.repositories.usage import Edit, Findings, Replacement, SourceProblem, Span, Usage
from bot.files.formats.dotnet.project import KIND as PROJECT
from bot.files.formats.rewrite import marker
from bot.files.formats.rewrite.edits import CannotEdit, applied, edits_for
from bot.files.formats.source.text import Lines, decode

MOST_READINGS = 40
"""How often files are read again to find the changes that cannot be made among those that can."""
MOST_OTHER_USES = 5
"""Other uses of a property that are told one by one."""

_PROPERTY = re.compile(r"<(?P<name>[A-Za-z_][\w-]*)(?:\s[^<>]*)?>[^<>]*\Z")

Read = Callable[[Mapping[str, str]], Findings]
"""What the files that are rewritten together tell, with new texts in some of them, always in the same order."""


@dataclass(frozen=True, slots=True)
class UsageChange:
    """What one usage is to become, its reference and its marker, and the edits that make it so."""

    number: int
    wanted: Replacement
    reference: Reference
    marker: str | None
    edits: tuple[Edit, ...]


_Group = Sequence[UsageChange]
"""Changes that touch the same places, so all of them are made or none."""
_Statement = tuple[str, int]


@dataclass(frozen=True, slots=True)
class FilesReadTogether:
    """Files that are read together, and what they name."""

    texts: Mapping[str, str]
    lines: Mapping[str, Lines]
    usages: Sequence[Usage]
    named: Mapping[_Statement, set[Reference]]
    """What each statement names, by its file and line."""
    again: Read

    @classmethod
    def of(cls, files: Mapping[str, bytes], usages: Sequence[Usage], read: Read) -> "FilesReadTogether":
        references: defaultdict[_Statement, set[Reference]] = defaultdict(set)
        for usage in usages:
            references[_statement(usage)].add(usage.reference)
        texts = {path: decode(data) for path, data in files.items()}
        concerned = {path for usage in usages for path in usage.paths}
        return cls(texts, {path: Lines(texts[path]) for path in concerned}, usages, references, read)

    def change(self, number: int, replacement: Replacement) -> UsageChange:
        """Returns a usage's change to what a replacement asks for, with its edits. Raises `CannotEdit`."""
        usage = self.usages[number]
        try:
            Reference.parse(str(replacement.new))
        except InvalidReference as error:
            raise CannotEdit(str(error)) from error
        if replacement.marker:
            edits = self._marker_edits(usage, replacement.new.digest)
            return UsageChange(number, replacement, usage.reference, replacement.new.digest, edits)
        edits = edits_for(usage, replacement.new, self.texts)
        recorded = usage.marker
        is_alone = len(self.named[_statement(usage)]) == 1
        old = (
            marker.find(usage, self.lines[usage.path]) if replacement.new.digest is not None and is_alone else None
        )
        if edits and old is not None:
            edits, recorded = (*edits, Edit(usage.path, old.line, "")), None
        return UsageChange(number, replacement, replacement.new, recorded, edits)

    def _marker_edits(self, usage: Usage, digest: str | None) -> tuple[Edit, ...]:
        if digest is None:
            raise CannotEdit("a marker needs a digest")
        if len(self.named[_statement(usage)]) > 1:
            raise CannotEdit(
                "the instruction names several images, and a marker would not tell for which it stands"
            )
        lines = self.lines[usage.path]
        if old := marker.find(usage, lines):
            return () if old.digest == digest else (Edit(usage.path, old.span, digest),)
        new = marker.new_line(usage, digest, lines)
        if new is None:
            raise CannotEdit("no comment can stand here; write the digest into the reference itself")
        offset, line = new
        return (Edit(usage.path, Span(offset, offset), line),)

    def accepted(self, groups: Sequence[_Group]) -> tuple[Sequence[_Group], Mapping[str, str]]:
        """Returns the groups after which the files read as asked for, and the texts with their edits.

        Those that do not are halved again and again: one bad group costs few readings.
        """
        done: list[_Group] = []
        texts = self.texts
        parts = [groups] if groups else []
        for _ in range(MOST_READINGS):
            if not parts:
                break
            part = parts.pop()
            result = self.result([*done, *part])
            if result is not None:
                done, texts = [*done, *part], {**self.texts, **result}
            elif len(part) > 1:
                half = len(part) // 2
                parts += (part[half:], part[:half])
        return done, texts

    def result(self, groups: Iterable[_Group]) -> Mapping[str, str] | None:
        """The texts that change, after these changes; None where they do not read as asked for."""
        changes = {change.number: change for group in groups for change in group}
        texts = applied((edit for change in changes.values() for edit in change.edits), self.texts)
        if texts is None:
            return None
        usages = self.again(texts).usages
        right = len(usages) == len(self.usages) and self._first_wrong(usages, changes) is None
        return texts if right else None

    def reason(self, group: _Group) -> str:
        """Why the group was not accepted, for a maintainer."""
        changes = {change.number: change for change in group}
        texts = applied((edit for change in group for edit in change.edits), self.texts)
        if texts is None:
            return "other replacements want to change the same place differently"
        usages = self.again(texts).usages
        if len(usages) != len(self.usages):
            return "the file would no longer name the same images"
        wrong = self._first_wrong(usages, changes)
        if wrong is None:
            return "it does not go together with the other replacements"
        other = self.usages[wrong]
        if wrong not in changes:
            own = {self.usages[number].path for number in changes}
            line = marker.statement_of(other)
            place = other.named_at or (f"line {line}" if other.path in own else f"{other.path}:{line}")
            return f"this would change {other.reference} in {place} too; change both alike"
        return f"it would read {usages[wrong].reference} then; change the text by hand"

    def moved(self, group: _Group) -> list[SourceProblem]:
        """What the edits of shared properties move: the bases of other files, and what else uses the property."""
        problems: list[SourceProblem] = []
        for change in group:
            usage = self.usages[change.number]
            if usage.named_at is not None:
                message = f"moves {change.wanted.old} of {usage.named_at} to {change.wanted.new}"
                problems.append(SourceProblem(usage.path, usage.line, message))
        edits = {edit: self.usages[change.number].kind for change in group for edit in change.edits}
        return problems + [use for edit, kind in edits.items() if kind == PROJECT for use in self._other_uses(edit)]

    def _other_uses(self, edit: Edit) -> list[SourceProblem]:
        text = self.texts[edit.path]
        opening = text.rfind("<", 0, edit.span.start)
        match = _PROPERTY.match(text[max(opening, 0) : edit.span.start])
        if match is None or match["name"].lower() == "containerbaseimage":
            return []
        name = f"$({match['name']})".lower()
        bases = {(each.named_at.path, each.named_at.line) for each in self.usages if each.named_at is not None}
        bases |= {_statement(each) for each in self.usages}
        uses = [
            f"{path}:{line}"
            for path, text in self.texts.items()
            if name in text.lower()
            for line, line_text in enumerate(text.lower().split("\n"), start=1)
            if name in line_text and (path, line) not in bases
        ]
        if not uses:
            return []
        more = f" and {len(uses) - MOST_OTHER_USES} more places" if len(uses) > MOST_OTHER_USES else ""
        line = self.lines[edit.path].at(edit.span.start)
        message = f"{match['name']} is used in {', '.join(uses[:MOST_OTHER_USES])}{more} too, which move along"
        return [SourceProblem(edit.path, line, message)]

    def _first_wrong(self, usages: Sequence[Usage], changes: Mapping[int, UsageChange]) -> int | None:
        for number, (old, now) in enumerate(zip(self.usages, usages, strict=True)):
            change = changes.get(number)
            goal = (old.reference, old.marker) if change is None else (change.reference, change.marker)
            if (now.reference, now.marker) != goal:
                return number
        return None


def _statement(usage: Usage) -> _Statement:
    return usage.path, marker.statement_of(usage)


def grouped(changes: Sequence[UsageChange]) -> list[_Group]:
    """Groups changes whose edits overlap or are the same, in the order of the files."""
    spans = sorted((edit.path, edit.span, number) for number, change in enumerate(changes) for edit in change.edits)
    leader = list(range(len(changes)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = number = leader[leader[number]]
        return number

    reach, last, file = Span(-1, -1), 0, ""
    for path, span, number in spans:
        if path != file:
            reach, file = Span(-1, -1), path
        if span.start < reach.end or span == reach:
            leader[lead(number)] = lead(last)
        if span.end >= reach.end:
            reach, last = span, number
    groups: defaultdict[int, list[UsageChange]] = defaultdict(list)
    for number, change in enumerate(changes):
        groups[lead(number)].append(change)
    return list(groups.values())
