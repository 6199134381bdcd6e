"""Rewrite references in files, byte for byte as small as possible; each change is proved by reading them again.

After every rewrite the files are read again: each usage must then be what was asked for, and all others what they
were. What fails that test is refused and named. MSBuild files are rewritten together, because what a project's base
comes to may stand in a file that others import too, and so are Dockerfiles with the files that hand values to their
builds; every other file stands for itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bot.domain.reference import Reference
from bot.domain.repositories.usage import Edit, Findings, Kind, Replacement, Rewritten, SourceProblem, Usage
from bot.files.formats.dotnet.solution import Solution
from bot.files.formats.finding import find_usages
from bot.files.formats.repository import is_read_together, linked_files, solution_of
from bot.files.formats.rewrite.edits import CannotEdit
from bot.files.formats.rewrite.proving import FilesReadTogether, Read, UsageChange, grouped
from bot.files.formats.source.text import encode

MOST_REASONS = 10
"""Refusals that are looked into one by one; each costs a reading of the files."""


def rewrite(path: str, data: bytes, replacements: Sequence[Replacement], kind: Kind | None = None) -> Rewritten:
    """Rewrites one file: each usage whose resolved reference is `old` becomes `new`, all other bytes stay.

    The first replacement that fits a usage counts. With `marker`, the line above the usage's instruction records
    `new.digest` instead; a usage that becomes pinned to a digest loses its marker. Never raises: what cannot be
    done is in `refused`, one line each.
    """
    return _rewrite_together({path: data}, {path: replacements}, _reader(path, data, kind))[path]


def rewrite_files(
    files: Mapping[str, bytes], replacements: Mapping[str, Sequence[Replacement]]
) -> Mapping[str, Rewritten]:
    """Rewrites the files of a repository together; `replacements` says by path what each of them asks for.

    A file that `replacements` does not name is read with the others and stays as it is. Where a usage takes several
    files, each of them must ask for the same.
    """
    linked = linked_files(files.items())
    together = [path for path, data in files.items() if is_read_together(path, data)]
    done: dict[str, Rewritten] = {}
    if any(path in replacements for path in together):
        solution = solution_of(files.items(), linked.dotnet)
        done |= _rewrite_together(
            {path: files[path] for path in together}, replacements, _solution_reader(solution)
        )
    alone = dict.fromkeys(path for path in files if path not in together)
    for group in linked.groups:
        if not group.isdisjoint(replacements):
            of_group = {path: data for path, data in files.items() if path in group}
            done |= _rewrite_together(of_group, replacements, _linked_reader(of_group))
        for path in group:
            alone.pop(path, None)
    for path in alone:
        data = files[path]
        if path in replacements:
            done |= _rewrite_together({path: data}, replacements, _reader(path, data, None))
    return {path: done.get(path) or Rewritten(data, 0) for path, data in files.items()}


def _reader(path: str, data: bytes, kind: Kind | None) -> Read:
    def read(changed: Mapping[str, str]) -> Findings:
        return find_usages(path, encode(changed[path]) if path in changed else data, kind)

    return read


def _solution_reader(solution: Solution) -> Read:
    def read(changed: Mapping[str, str]) -> Findings:
        findings_by_path = (solution.changed(changed) if changed else solution).findings()
        in_order = [findings_by_path[path] for path in sorted(findings_by_path)]
        return Findings(
            tuple(usage for each in in_order for usage in each.usages),
            open_references=tuple(place for each in in_order for place in each.open_references),
        )

    return read


def _linked_reader(files: Mapping[str, bytes]) -> Read:
    def read(changed: Mapping[str, str]) -> Findings:
        now = {path: encode(changed[path]) if path in changed else data for path, data in files.items()}
        linked = linked_files(now.items())
        findings = (linked.findings.get(path) or find_usages(path, now[path]) for path in sorted(now))
        return Findings(tuple(linked.kept(usage for each in findings for usage in each.usages)))

    return read


def _rewrite_together(
    files: Mapping[str, bytes], replacements: Mapping[str, Sequence[Replacement]], read: Read
) -> dict[str, Rewritten]:
    findings = read({})
    group = FilesReadTogether.of(files, findings.usages, read)
    changes: list[UsageChange] = []
    refused = [
        SourceProblem(
            place.path, place.line, f"cannot tell whether {asked_replacement.old} stands here: {place.reason}"
        )
        for place in findings.open_references
        for asked_replacement in replacements.get(place.path, ())
        if place.may_be(asked_replacement.old)
    ]
    for number, usage in enumerate(group.usages):
        replacement = _asked_for(usage, replacements)
        if replacement is None:
            continue
        if isinstance(replacement, SourceProblem):
            refused.append(replacement)
            continue
        try:
            change = group.change(number, replacement)
        except CannotEdit as error:
            refused.append(_refusal(usage, replacement, str(error)))
            continue
        if change.edits:
            changes.append(change)
    groups = grouped(changes)
    accepted, texts = group.accepted(groups)
    accepted_numbers = {changes_of_group[0].number for changes_of_group in accepted}
    rejected = [
        changes_of_group for changes_of_group in groups if changes_of_group[0].number not in accepted_numbers
    ]
    for count, changes_of_group in enumerate(rejected):
        reason = group.reason(changes_of_group) if count < MOST_REASONS else "the file would not read as asked for"
        refused += [_refusal(group.usages[change.number], change.wanted, reason) for change in changes_of_group]
    places: defaultdict[str, set[tuple[Edit, ...]]] = defaultdict(set)
    for changes_of_group in accepted:
        for change in changes_of_group:
            for path in {edit.path for edit in change.edits}:
                places[path].add(tuple(edit for edit in change.edits if edit.path == path))
    moved = [note for changes_of_group in accepted for note in group.moved(changes_of_group)]
    return {
        path: Rewritten(
            encode(texts[path]),
            len(places[path]),
            tuple(sorted((each for each in refused if each.path == path), key=lambda problem: problem.line)),
            tuple(each for each in dict.fromkeys(moved) if each.path == path),
        )
        for path in files
    }


def _asked_for(
    usage: Usage, replacements: Mapping[str, Sequence[Replacement]]
) -> Replacement | SourceProblem | None:
    """What all files of a usage ask for it; a refusal where only some of them do."""
    replacements_by_file = [_first(replacements.get(path, ()), usage.reference) for path in usage.paths]
    replacement = next((each for each in replacements_by_file if each is not None), None)
    if replacement is None or all(each == replacement for each in replacements_by_file):
        return replacement
    others = ", ".join(
        path for path, other in zip(usage.paths, replacements_by_file, strict=True) if other != replacement
    )
    return _refusal(usage, replacement, f"it stands in {others} too, which is to stay as it is")


def _first(replacements: Sequence[Replacement], reference: Reference) -> Replacement | None:
    return next((each for each in replacements if each.old == reference), None)


def _refusal(usage: Usage, replacement: Replacement, reason: str) -> SourceProblem:
    goal = f"the marker of {replacement.old}" if replacement.marker else f"{replacement.old} to {replacement.new}"
    property_place = f" for {usage.named_at}" if usage.named_at is not None else ""
    return SourceProblem(usage.path, usage.line, f"cannot change {goal}{property_place}: {reason}")
