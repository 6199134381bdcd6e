"""What could be done about findings, as unified diffs of the texts at hand."""

from collections.abc import Mapping, Sequence

from bot.audit.splices import applied
from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.onboarding import unified_diff


def patches(files: Mapping[str, bytes], findings: Sequence[Finding]) -> dict[Finding, str]:
    """A diff for each failing finding for which edits are known, safe or only suggested."""
    return {
        each: patch
        for each in findings
        if each.outcome is Outcome.FAILS and each.fix is not None and (patch := _patch(files, each))
    }


def _patch(files: Mapping[str, bytes], finding: Finding) -> str:
    edits = (finding.fix.edits or finding.fix.suggested) if finding.fix is not None else ()
    if not edits or any(edit.path not in files for edit in edits):
        return ""
    after = applied({edit.path: files[edit.path] for edit in edits}, edits)
    return "".join(unified_diff(path, files[path], text) for path, text in sorted(after.items()))
