"""Findings as tables, JSON, SARIF and Markdown."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from bot.domain.repositories.finding import Finding, FindingSeverity, Outcome, with_fingerprints
from bot.domain.repositories.usage import Edit
from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.words import counted

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
TOOL = "freshness-bot"
_LEVELS = {
    FindingSeverity.LOW: "note",
    FindingSeverity.MEDIUM: "warning",
    FindingSeverity.HIGH: "error",
    FindingSeverity.CRITICAL: "error",
}
_SCORES = {
    FindingSeverity.LOW: "3.0",
    FindingSeverity.MEDIUM: "5.0",
    FindingSeverity.HIGH: "7.5",
    FindingSeverity.CRITICAL: "9.5",
}
"""What code scanning sorts by: its own bands of low, medium, high and critical."""
_LOOK_FIRST = "Look at them first: a program may need what they take away."
_LONGEST_HELP = 20_000
"""Characters of patches in the help of one rule."""
_LONGEST_FIX = 4_000
"""Characters that the fix of one result puts in: longer ones stay in words."""
MOST_FOLDERS = 12
"""That a line names."""
MOST_RESULTS = 25_000
"""Of one run: code scanning takes no log with more."""
MOST_BYTES = 10_000_000
"""Of a log, packed by gzip: code scanning takes no larger one."""
_PACKED_WITHIN = MOST_BYTES * 9 // 10
"""Leaves room for how somebody else writes and packs the same log."""
_ORDER = (Outcome.FAILS, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.HOLDS, Outcome.NOT_APPLICABLE)


class CheckText(Protocol):
    """What a rule tells of itself."""

    @property
    def check(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def severity(self) -> FindingSeverity: ...


class LeftOutFiles(Protocol):
    """Files of a folder that were not judged, and why."""

    @property
    def folder(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def paths(self) -> tuple[str, ...]: ...


def counts(findings: Sequence[Finding]) -> Mapping[Outcome, int]:
    """How many there are of each outcome, the ones to look at first; outcomes that nobody had are left out."""
    numbers = {outcome: sum(finding.outcome is outcome for finding in findings) for outcome in _ORDER}
    return {outcome: number for outcome, number in numbers.items() if number}


def as_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Gives each finding as plain JSON values."""
    return [
        {
            "check": finding.check,
            "outcome": finding.outcome.value,
            "path": finding.place.path,
            "start_line": finding.place.start,
            "end_line": finding.place.end,
            "subject": finding.subject,
            "message": finding.message,
            "settled_by": finding.settled_by or None,
            "severity": finding.severity.value,
            "fix": finding.fix.in_words if finding.fix is not None else None,
        }
        for finding in findings
    ]


def left_out_rows(left_out: Iterable[LeftOutFiles]) -> list[dict[str, Any]]:
    """Gives each folder with files that were not judged as a row with the keys of a finding, and `left_out`."""
    return [
        {
            "check": "",
            "outcome": "left out",
            "path": each.folder,
            "start_line": 1,
            "end_line": 1,
            "subject": f"folder {each.folder or '.'}",
            "message": each.why,
            "settled_by": None,
            "severity": FindingSeverity.LOW.value,
            "fix": None,
            "left_out": list(each.paths),
        }
        for each in left_out
    ]


def left_out_in_words(left_out: Sequence[LeftOutFiles]) -> str:
    """One line of what was not judged; empty where that is nothing."""
    if not left_out:
        return ""
    number = sum(len(each.paths) for each in left_out)
    folders = [f"{each.folder or '.'} ({len(each.paths)}, {each.why})" for each in left_out]
    more = f" and {len(folders) - MOST_FOLDERS} more" if len(folders) > MOST_FOLDERS else ""
    return f"{counted(number, 'file')} left out, which --all judges: {', '.join(folders[:MOST_FOLDERS])}{more}"


def collapsed(findings: Iterable[Finding], fixtures: Mapping[str, str]) -> Iterator[str]:
    """One line for each folder that may hold fixtures, with what was found; `fixtures` has folders by path."""
    by_folder: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.place.path in fixtures:
            by_folder.setdefault(fixtures[finding.place.path], []).append(finding)
    for folder, inner in sorted(by_folder.items()):
        counts_in_words = ", ".join(f"{number} {outcome.value}" for outcome, number in counts(inner).items())
        yield f"{folder} may hold fixtures: {counts_in_words}; --all shows them"


def as_sarif(
    findings: Sequence[Finding],
    checks: Sequence[CheckText],
    version: str,
    patches: Mapping[Finding, str] | None = None,
) -> dict[str, Any]:
    """Gives a SARIF 2.1.0 log of what fails, waived findings with their suppression.

    Code scanning makes an alert of each result, so what holds, does not apply or cannot be told is no result. It
    shows the help of a rule beside an alert, so patches stand there; `patches` None offers the edits untried. It
    takes no log with more than `MOST_RESULTS` or of more than `MOST_BYTES` packed: the rest is counted in it.
    """
    shown_patches = patches or {}
    places = {check.check: number for number, check in enumerate(checks)}
    reported = [pair for pair in with_fingerprints(findings) if pair[0].outcome in {Outcome.FAILS, Outcome.WAIVED}]
    results = [
        _result(
            finding, fingerprint, places.get(finding.check, -1), is_patched=patches is None or finding in patches
        )
        for finding, fingerprint in _weightiest(reported, MOST_RESULTS)
    ]
    patches_by_check: dict[str, list[str]] = {}
    for finding, patch in shown_patches.items():
        patches_by_check.setdefault(finding.check, []).append(patch)
    driver = {
        "name": TOOL,
        "version": version,
        "rules": [
            {
                "id": check.check,
                "shortDescription": {"text": check.title},
                "fullDescription": {"text": check.why},
                "help": _help(check, patches_by_check.get(check.check, [])),
                "defaultConfiguration": {"level": _LEVELS[check.severity]},
                "properties": {"tags": ["security"], "security-severity": _SCORES[check.severity]},
            }
            for check in checks
        ],
    }
    results = _within_bytes(results, len(json.dumps(driver)))
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    if more := len(reported) - len(results):
        run["invocations"] = [_told_of_more(more)]
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def left_out_of_sarif(log: Mapping[str, Any]) -> str:
    """What a log says of the results that it has no room for; empty where it has all."""
    notifications = (
        notification
        for run in log["runs"]
        for invocation in run.get("invocations", ())
        for notification in invocation["toolExecutionNotifications"]
    )
    return "; ".join(each["message"]["text"] for each in notifications)


def _weightiest(reported: Sequence[tuple[Finding, str]], most: int) -> Sequence[tuple[Finding, str]]:
    """As many as there is room for, what fails and matters most before the rest, in their order."""
    if len(reported) <= most:
        return reported
    severities = list(FindingSeverity)
    weights = [(pair[0].outcome is Outcome.FAILS, severities.index(pair[0].severity)) for pair in reported]
    kept = sorted(range(len(reported)), key=lambda number: (weights[number], -number), reverse=True)[:most]
    return [reported[number] for number in sorted(kept)]


def _within_bytes(results: list[dict[str, Any]], beside: int) -> list[dict[str, Any]]:
    """The results that a log may have by its packed size, of which the rest takes `beside` bytes.

    Fixes go first, then the results at the end of the log.
    """
    if _packed(results) + beside <= _PACKED_WITHIN:
        return results
    results = [{key: value for key, value in each.items() if key != "fixes"} for each in results]
    while results and (size := _packed(results) + beside) > _PACKED_WITHIN:
        results = results[: len(results) * _PACKED_WITHIN // size * 9 // 10]
    return results


def _packed(results: Sequence[Mapping[str, Any]]) -> int:
    """At most the bytes that results take: as they are where these are few enough, else packed."""
    text = json.dumps(results).encode()
    return len(text) if len(text) <= _PACKED_WITHIN // 2 else len(gzip.compress(text, 6, mtime=0))


def _told_of_more(number: int) -> dict[str, Any]:
    text = (
        f"{counted(number, 'result')} more than code scanning takes in one log: "
        "`freshness-bot audit --format json` has all of them"
    )
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}}],
    }


def _help(check: CheckText, patches: Sequence[str]) -> dict[str, str]:
    """Words what a rule is for, and what could be done here about its findings."""
    help_text = {"text": f"{check.title}. {check.why}"}
    patch_lines: list[str] = []
    room = _LONGEST_HELP
    for patch in dict.fromkeys(patches):
        room -= len(patch)
        if room >= 0:
            patch_lines += _fenced(patch)
    if patch_lines:
        help_text["markdown"] = "\n".join((help_text["text"], "", _LOOK_FIRST, *patch_lines)) + "\n"
    return help_text


def _result(finding: Finding, fingerprint: str, place: int, *, is_patched: bool) -> dict[str, Any]:
    advice = f" Fix: {finding.fix.advice}." if finding.fix is not None else ""
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.subject}: {finding.message}.{advice}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _address(finding.place.path)},
                    "region": {"startLine": finding.place.start, "endLine": finding.place.end},
                }
            }
        ],
        "partialFingerprints": {"freshnessFinding/v1": fingerprint},
    }
    if place >= 0:
        result["ruleIndex"] = place
    edits = (finding.fix.edits or finding.fix.suggested) if finding.fix is not None and is_patched else ()
    if finding.fix is not None and edits and sum(len(edit.text) for edit in edits) <= _LONGEST_FIX:
        result["fixes"] = [_fix(finding.fix.advice, edits)]
    if finding.outcome is Outcome.WAIVED:
        result["suppressions"] = [{"kind": "external", "justification": finding.message}]
    return result


def _fix(advice: str, edits: Sequence[Edit]) -> dict[str, Any]:
    changes = [
        {
            "artifactLocation": {"uri": _address(path)},
            "replacements": [
                {
                    "deletedRegion": {"charOffset": edit.span.start, "charLength": edit.span.end - edit.span.start},
                    "insertedContent": {"text": edit.text},
                }
                for edit in edits
                if edit.path == path
            ],
        }
        for path in dict.fromkeys(edit.path for edit in edits)
    ]
    return {"description": {"text": advice}, "artifactChanges": changes}


def _address(path: str) -> str:
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogateescape"))


def as_markdown(findings: Sequence[Finding], patches: Mapping[Finding, str] | None = None) -> str:
    """Gives a section for an issue or a summary: what fails, then what cannot be told; the rest is counted.

    `patches` are unified diffs of what could be done about findings; those that say the same are shown once.
    """
    patched = [(each, patch) for each in findings if (patch := (patches or {}).get(each, ""))]
    return "\n".join((*_lines(findings), *_patches(patched))) + "\n"


def _patches(patched: Sequence[tuple[Finding, str]]) -> Iterator[str]:
    if patched:
        yield from ("", "### Patches", "", _LOOK_FIRST)
    checks_by_patch: dict[str, list[str]] = {}
    for finding, patch in patched:
        checks = checks_by_patch.setdefault(patch, [])
        checks += [finding.check] if finding.check not in checks else []
    for patch, checks in checks_by_patch.items():
        yield from ("", ", ".join(map(code, checks)) + ":", *_fenced(patch))


def _fenced(patch: str) -> tuple[str, ...]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", patch)), default=0))
    return ("", f"{fence}diff", *patch.rstrip("\n").split("\n"), fence)


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    counts_in_words = ", ".join(f"{number} {outcome.value}" for outcome, number in counts(findings).items())
    yield f"**Practices**: {counts_in_words or 'nothing to check was found'}"
    for outcome, title, last in (
        (Outcome.FAILS, "Fails", "what to do"),
        (Outcome.UNKNOWN, "Cannot be told", "what would settle it"),
        (Outcome.WAIVED, "Waived", "what to do"),
    ):
        of_outcome = [each for each in findings if each.outcome is outcome]
        if not of_outcome:
            continue
        yield from ("", f"### {title}", "", f"| where | check | what | {last} |", "|---|---|---|---|")
        for finding in of_outcome:
            place = code(f"{finding.place.path}:{finding.place.start}")
            advice = finding.settled_by or (finding.fix.in_words if finding.fix is not None else "")
            message = markdown(f"{finding.subject}: {finding.message}")
            yield f"| {place} | {code(finding.check)} | {message.replace('|', '')} | {markdown(advice)} |"
