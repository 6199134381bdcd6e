"""What could be done about findings, as unified diffs of the texts at hand, each tried out before it is shown."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.domain.repositories.finding import Finding, Outcome
from bot.domain.repositories.usage import Edit, Span
from bot.files.audit.auditing import judge_repository
from bot.files.audit.diffs import diff_of_edits
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.literals import masked
from bot.files.audit.splicing.keys import with_edits

_BAD = frozenset({Outcome.FAILS, Outcome.UNKNOWN})
MOST_TRIES = 60
"""Of one repository: how often it is judged again; edits that are not tried out by then are left as words."""
MOST_WORK = 40_000_000
"""Of one repository: characters that are judged again in all, with some for each finding; once is always."""
_OF_A_FINDING = 2_000


@dataclass(frozen=True, slots=True)
class Texts:
    """A repository's texts, and what its findings depend on besides them."""

    repository: RepositoryTexts
    files: Mapping[str, bytes]
    now: datetime
    unwaivable: Collection[str] = ()

    def judged_with(self, edits: Sequence[Edit]) -> tuple[Finding, ...] | None:
        """The findings after edits; None where a text could not be read then."""
        repository = self.repository.with_files(with_edits(self.files, edits))
        paths = {edit.path for edit in edits}
        if any(path.endswith((".yml", ".yaml")) and repository.unreadable(path) for path in paths):
            return None
        return judge_repository(repository, self.now, self.unwaivable).findings


def patches(
    texts: Texts, findings: Sequence[Finding], everything: Sequence[Finding] | None = None
) -> dict[Finding, str]:
    """A diff for each failing one of `findings` with edits, safe or only suggested, that stand the proof.

    With them the finding is gone, and nothing fails or is unknown anew. `everything` is all that was found, where
    these are only a part of it. In the place of a secret's value a diff has `***`.

    Takes time in proportion to how often that must be tried out.
    """
    findings_by_edits: dict[tuple[Edit, ...], list[Finding]] = {}
    for finding in findings:
        edits = (finding.fix.edits or finding.fix.suggested) if finding.fix is not None else ()
        if finding.outcome is Outcome.FAILS and edits and all(edit.path in texts.files for edit in edits):
            findings_by_edits.setdefault(edits, []).append(finding)
    trial = _Trial(texts, findings if everything is None else everything)
    proved = (
        edits
        for group in apart(findings_by_edits)
        for edits in trial.proved({each: findings_by_edits[each] for each in group})
    )
    diffs = ((edits, _diff(texts, edits)) for edits in proved)
    diff_by_edits = {edits: diff for edits, diff in diffs if diff is not None}
    return {
        finding: diff_by_edits[edits]
        for edits, same_findings in findings_by_edits.items()
        if edits in diff_by_edits
        for finding in same_findings
    }


class _Trial:
    """Tries edits out together, and in halves where that fails, so that most need few judgements."""

    def __init__(self, texts: Texts, findings: Sequence[Finding]) -> None:
        self._texts = texts
        self._had_bad, self._had = _not_good(findings), Counter(map(_key, _failing(findings)))
        work = sum(map(len, texts.files.values())) + _OF_A_FINDING * len(findings) + 1
        self._left = max(1, min(MOST_TRIES, MOST_WORK // work))

    def proved(self, findings_by_edits: Mapping[tuple[Edit, ...], Sequence[Finding]]) -> list[tuple[Edit, ...]]:
        if not findings_by_edits or self._left <= 0:
            return []
        self._left -= 1
        after = self._texts.judged_with([edit for edits in findings_by_edits for edit in edits])
        if after is not None and self._is_better(
            after, [each for group in findings_by_edits.values() for each in group]
        ):
            return list(findings_by_edits)
        if len(findings_by_edits) == 1:
            return []
        keys = list(findings_by_edits)
        halves = (keys[: len(keys) // 2], keys[len(keys) // 2 :])
        return [edits for half in halves for edits in self.proved({each: findings_by_edits[each] for each in half})]

    def _is_better(self, after: Sequence[Finding], mended: Sequence[Finding]) -> bool:
        has, gone = Counter(map(_key, _failing(after))), Counter(map(_key, mended))
        is_gone = all(has[key] <= self._had[key] - number for key, number in gone.items())
        return is_gone and all(number <= self._had_bad[key] for key, number in _not_good(after).items())


def apart(edit_sets: Iterable[tuple[Edit, ...]]) -> list[list[tuple[Edit, ...]]]:
    """Groups of edits of which none touches another: what is put at the same place cannot be tried out together."""
    groups: list[_Group] = []
    for edits in edit_sets:
        group = None if touch(edits) else next((each for each in groups if each.has_room(edits)), None)
        if group is None:
            group = _Group()
            groups.append(group)
        group.take(edits)
    return [group.edit_sets for group in groups]


class _Group:
    """Edits that do not touch each other, and whether there is room for others between them."""

    def __init__(self) -> None:
        self.edit_sets: list[tuple[Edit, ...]] = []
        self._spans: dict[str, list[Span]] = {}
        """In the order in which they stand, by path."""
        self._is_closed = False

    def has_room(self, edits: Sequence[Edit]) -> bool:
        return not self._is_closed and all(map(self._is_free, edits))

    def take(self, edits: tuple[Edit, ...]) -> None:
        self.edit_sets.append(edits)
        self._is_closed = self._is_closed or touch(edits)
        for edit in edits:
            insort(self._spans.setdefault(edit.path, []), edit.span)

    def _is_free(self, edit: Edit) -> bool:
        spans = self._spans.get(edit.path, [])
        place = bisect_left(spans, edit.span)
        is_behind = place == 0 or spans[place - 1].end < edit.span.start
        return is_behind and (place == len(spans) or edit.span.end < spans[place].start)


def touch(edits: Sequence[Edit]) -> bool:
    """Whether two edits concern the same characters, or stand so close that their order would count."""
    ordered = sorted(edits, key=lambda edit: (edit.path, edit.span))
    return any(one.path == other.path and one.span.end >= other.span.start for one, other in pairwise(ordered))


def _failing(findings: Iterable[Finding]) -> Iterable[Finding]:
    return (each for each in findings if each.outcome is Outcome.FAILS)


def _key(finding: Finding) -> tuple[str, str, str, str]:
    return (finding.check, finding.place.path, finding.subject, finding.message)


def bad_places(findings: Iterable[Finding]) -> Counter[tuple[str, str, Outcome]]:
    """How many findings of a check fail, and how many are unknown, by file."""
    return Counter((each.check, each.place.path, each.outcome) for each in findings if each.outcome in _BAD)


def _not_good(findings: Iterable[Finding]) -> Counter[tuple[str, str]]:
    """Failing and unknown together: what was unknown and is told to fail by an edit was no better before."""
    return Counter((each.check, each.place.path) for each in findings if each.outcome in _BAD)


def _diff(texts: Texts, edits: Sequence[Edit]) -> str | None:
    """None where the value of a secret would be seen in it."""
    repository = texts.repository
    masked_diffs = []
    for path in sorted({edit.path for edit in edits}):
        own_edits = [edit for edit in edits if edit.path == path]
        diff = diff_of_edits(path, repository.text(path), repository.lines(path), own_edits)
        masked_diffs.append(masked(repository, path, diff))
    return None if None in masked_diffs else "".join(each for each in masked_diffs if each is not None)
