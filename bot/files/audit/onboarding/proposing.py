"""One repository's texts → the commits of one small pull request, and what is left to people.

Each splice is taken only if the repository, judged again with it, has a failing finding of its check less, none of
any check more, and no text that cannot be read. What does not stand that proof is advice.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import SequenceMatcher
from itertools import islice

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.images.seen_config import SeenConfig
from bot.domain.repositories.finding import Finding, Fix, Outcome, Place
from bot.domain.repositories.onboarding import (
    SAFE_CHECKS,
    Counted,
    LeftToPeople,
    Mended,
    MendedPlace,
    Proposal,
    ProposedCommit,
    unified_diff,
)
from bot.domain.repositories.surroundings import NOTHING_KNOWN, Surroundings
from bot.domain.repositories.usage import Edit
from bot.files.audit.auditing import judge_repository
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.onboarding import action_commits, weekly_workflow
from bot.files.audit.onboarding.action_commits import pin_to_commit
from bot.files.audit.onboarding.weekly_workflow import dispatch_weekly
from bot.files.audit.patches import Texts, bad_places, patches, touch
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK
from bot.files.audit.splicing.keys import with_edits
from bot.files.audit.suggestions.weekly_schedule import publishes_default_branch
from bot.files.audit.workflows.model import Pipeline
from bot.files.audit.workflows.releases import why_no_schedule

MOST_SPLICES = 30
"""Of one pull request, so that a person reads it to the end; the next one brings more."""
MOST_TRIES = 12
"""Of one check: how often several splices are tried out together."""
_STARTING = frozenset({"dispatchable", weekly_workflow.CHECK})
_NEEDS_JUDGEMENT = "it needs a person's judgement"
_MAY_BE_FIXTURE = "it may be a fixture, by the folder that it lies in"
_DECLINED = "it was taken back after a merge, which declines it here for good"
_LEFT_OUT = "the operator's settings leave this check out"
_PUBLISHES_ELSEWHERE = "started by hand it would publish the default branch, which no commit to it does"
_NOT_PROVED = "with that change the check would not hold, or another finding would be new"


@dataclass(frozen=True, slots=True)
class WantedProposal:
    """What is asked of a proposal: which checks, without the `declined`, and no file below the `denied` folders."""

    checks: Collection[str] = SAFE_CHECKS
    commits: Mapping[ActionTag, ActionCommit] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    unwaivable: Collection[str] = ()
    declined: Collection[str] = ()
    surroundings: Surroundings = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class _State:
    """The repository as it is with some of the commits."""

    repository: RepositoryTexts
    files: Mapping[str, bytes]
    findings: tuple[Finding, ...]

    def failing(self, check: str) -> list[Finding]:
        return [each for each in self.findings if each.check == check and each.outcome is Outcome.FAILS]


def propose(
    files: Mapping[str, bytes], name: str, produced: Collection[SeenConfig], request: WantedProposal, now: datetime
) -> Proposal:
    """The proposal for one repository. `files` are all that the audit reads; never raises for any text."""
    return _Proposing(name, produced, request, now).proposal(files)


class _Proposing:
    def __init__(self, name: str, produced: Collection[SeenConfig], request: WantedProposal, now: datetime) -> None:
        self._name = name
        self._produced = tuple(produced)
        self._request = request
        self._now = now
        self._room = MOST_SPLICES
        self._more = 0
        self._left: list[LeftToPeople] = []
        self._first: Mapping[str, bytes] = {}

    def proposal(self, files: Mapping[str, bytes]) -> Proposal:
        self._first = files
        state = first = self._judge_files(files)
        commits = list[ProposedCommit]()
        for check in SAFE_CHECKS:
            if check in self._request.checks and check not in self._request.declined:
                state, commit = self._commit(state, check)
                commits += [commit] if commit is not None else []
            else:
                why = _DECLINED if check in self._request.declined else _LEFT_OUT
                for finding in state.failing(check):
                    self._leave(state, finding, finding.fix, why)
        left = [each for each in state.findings if each.outcome is Outcome.FAILS and each.check not in SAFE_CHECKS]
        texts = Texts(state.repository, state.files, self._now, self._request.unwaivable)
        proved = patches(texts, left, state.findings)
        for finding in left:
            self._leave(state, finding, finding.fix, _NEEDS_JUDGEMENT, patch=proved.get(finding, ""))
        counted = _count_outcomes(first)
        mends = tuple(_mended_places(commits, _count_outcomes(state)))
        return Proposal(tuple(commits), tuple(self._left), dict(files), self._more, counted, mends)

    def _judge_files(self, files: Mapping[str, bytes]) -> _State:
        repository = RepositoryTexts(files, self._name, self._produced, surroundings=self._request.surroundings)
        return _State(repository, files, judge_repository(repository, self._now, self._request.unwaivable).findings)

    def _commit(self, before: _State, check: str) -> tuple[_State, ProposedCommit | None]:
        """Takes all splices of a check that stand the proof; the others are left, with why."""
        state, passed = self._many_at_once(before, check), Counter[tuple[str, str, str]]()
        while (finding := _next(state.failing(check), passed)) is not None:
            fix, reason = self._fix(state, finding)
            after = self._take_fix(state, finding, fix, reason)
            if after is None:
                passed[_key(finding)] += 1
            else:
                state = after
        changed = _pick_changes(before.files, state.files)
        if not changed:
            return state, None
        rule = BY_CHECK[check]
        mended = tuple(
            replace(repair, place=self._at_first(before, repair.place))
            for repair in _list_mended(before, state, check)
        )
        return state, ProposedCommit(check, rule.title, rule.why, mended, changed)

    def _many_at_once(self, before: _State, check: str) -> _State:
        """The state with the fixes of a check that stand the proof together, in halves where not all do: judging
        again takes time. What is left is tried out alone, or waits for the next proposal."""
        fixes = list(islice(self._fixes_to_try(before, check), self._room))
        taken, state, waiting, tries = list[Fix](), before, [fixes] if len(fixes) > 1 else [], MOST_TRIES
        while waiting and tries > 0:
            group = waiting.pop()
            edits = list(dict.fromkeys(edit for fix in (*taken, *group) for edit in fix.edits))
            after = None
            if not touch(edits):
                tries -= 1
                after = self._judge_files(with_edits(before.files, edits))
            places = len(taken) + len(group)
            if after is not None and _is_proved(before, after, check, {each.path for each in edits}, places=places):
                taken, state = [*taken, *group], after
            elif len(group) > 1:
                middle = len(group) // 2
                waiting += [group[middle:], group[:middle]]
        self._room -= len(taken)
        return state

    def _fixes_to_try(self, state: _State, check: str) -> Iterator[Fix]:
        """The fixes of a check that change files which the bot may change."""
        for finding in state.failing(check):
            fix, _ = self._fix(state, finding)
            if fix is not None and fix.edits and not any(map(self._is_denied, fix.edits)):
                yield fix

    def _is_denied(self, edit: Edit) -> bool:
        return edit.path.startswith(self._request.denied)

    def _take_fix(self, state: _State, finding: Finding, fix: Fix | None, reason: str) -> _State | None:
        """The state with the fix; None where there is none, or it may not be made now or at all, which is told."""
        if fix is None or not fix.edits:
            self._leave(state, finding, fix, reason)
            return None
        changed = with_edits(state.files, fix.edits)
        for folder in self._request.denied:
            if any(edit.path.startswith(folder) for edit in fix.edits):
                why = f"the bot lacks the right to change {folder}"
                self._leave(state, finding, fix, why, changed)
                self._left[-1] = replace(self._left[-1], is_denied=True)
                return None
        if self._room <= 0:
            self._more += 1
            return None
        after = self._judge_files(changed)
        if not _is_proved(state, after, finding.check, [edit.path for edit in fix.edits]):
            self._leave(state, finding, fix, _NOT_PROVED, changed)
            return None
        self._room -= 1
        return after

    def _leave(
        self,
        state: _State,
        finding: Finding,
        fix: Fix | None,
        why: str,
        changed: Mapping[str, bytes] | None = None,
        *,
        patch: str | None = None,
    ) -> None:
        """Takes down what is left to people, with a patch, or with that to `changed`, where there is one."""
        if changed is None and fix is not None:
            changed = with_edits(state.files, (*fix.edits, *fix.suggested))
        if patch is None:
            patch = "" if changed is None else _patch(state.files, changed)
        advice = fix.advice if fix is not None else ""
        place = self._at_first(state, finding.place)
        self._left.append(LeftToPeople(finding.check, place, finding.subject, finding.message, advice, why, patch))

    def _at_first(self, state: _State, place: Place) -> Place:
        """Where it stands in the texts that the proposal is made from."""
        before, now = self._first.get(place.path), state.files.get(place.path)
        if before is None or now is None or before == now:
            return place
        start = _line_before(before, now, place.start)
        return Place(place.path, start, max(start, _line_before(before, now, place.end)))

    def _fix(self, state: _State, finding: Finding) -> tuple[Fix | None, str]:
        """The fix to try, and why there is none that can be."""
        fix, repository = finding.fix, state.repository
        if finding.check == action_commits.CHECK:
            fix = pin_to_commit(repository, finding, self._request.commits) or fix
        elif finding.check in _STARTING:
            pushing = deliveries(repository).pushing()
            releasing = {each.path: why for each in pushing if (why := why_no_schedule(each))}
            is_weekly = finding.check == weekly_workflow.CHECK
            if finding.place.path in releasing:
                is_own_workflow = is_weekly and fix is not None and bool(fix.edits)
                why = (fix.left_alone if is_weekly and fix else "") or releasing[finding.place.path]
                return (fix, "") if is_own_workflow else (Fix(fix.advice if fix else "", left_alone=why), why)
            if not is_weekly and (elsewhere := _publishes_elsewhere(repository, finding.place.path, pushing)):
                return Fix(fix.advice if fix else "", left_alone=elsewhere), elsewhere
            if is_weekly and (len(pushing) - len(releasing) > 1 or fix is None or not fix.edits):
                failing = [each for each in state.failing(finding.check) if each.place.path not in releasing]
                fix = dispatch_weekly(repository, failing) or fix
        touched = {finding.place.path, *(edit.path for edit in fix.edits)} if fix is not None else set()
        if fix is not None and any(map(repository.scope.may_be_fixture, touched)):
            return fix.as_suggestion, _MAY_BE_FIXTURE
        return fix, (fix.left_alone if fix is not None else "") or _NEEDS_JUDGEMENT


def _publishes_elsewhere(repository: RepositoryTexts, path: str, pushing: Collection[Pipeline]) -> str:
    """Why what only commits start gets no start by hand; empty where one to the default branch pushes."""
    for pipeline in pushing:
        if pipeline.path == path and "workflow_dispatch" not in pipeline.events:
            return "" if publishes_default_branch(repository, pipeline) else _PUBLISHES_ELSEWHERE
    return ""


def _count_outcomes(state: _State) -> Counted:
    safe = [each for each in state.findings if each.check in SAFE_CHECKS]
    failing = [each for each in safe if each.outcome is Outcome.FAILS]
    holding = [each for each in safe if each.outcome is Outcome.HOLDS]
    return Counted(
        Counter((each.check, *_key(each)) for each in failing),
        Counter((each.check, each.place.path) for each in holding),
    )


def _mended_places(commits: Sequence[ProposedCommit], after: Counted) -> Iterator[MendedPlace]:
    keys = set[tuple[str, str, str, str]]()
    for commit in commits:
        for repair in commit.mended:
            key = (commit.check, repair.place.path, repair.subject, repair.before)
            if key not in keys:
                keys.add(key)
                holding = after.holding.get((commit.check, repair.place.path), 0)
                yield MendedPlace(*key, failing=after.failing.get(key, 0), holding=holding)


def _next(failing: Sequence[Finding], passed: Counter[tuple[str, str, str]]) -> Finding | None:
    """The first that was not passed over; of those that are alike, as many were as are counted."""
    counts = Counter[tuple[str, str, str]]()
    for finding in failing:
        counts[_key(finding)] += 1
        if counts[_key(finding)] > passed[_key(finding)]:
            return finding
    return None


def _key(finding: Finding) -> tuple[str, str, str]:
    """What names a place while splices move its lines."""
    return (finding.place.path, finding.subject, finding.message)


def _is_proved(before: _State, after: _State, check: str, paths: Collection[str], *, places: int = 1) -> bool:
    """Whether the check fails at so many places less, nothing fails or is unknown anew, and all can be read."""
    if any(path.endswith((".yml", ".yaml")) and after.repository.unreadable(path) for path in paths):
        return False
    had, has = bad_places(before.findings), bad_places(after.findings)
    is_better = len(after.failing(check)) <= len(before.failing(check)) - places
    return is_better and all(number <= had[key] for key, number in has.items())


def _pick_changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: text for path, text in sorted(after.items()) if before.get(path) != text}


def _list_mended(before: _State, after: _State, check: str) -> Iterator[Mended]:
    """What failed and does no more, each with what is said at the same place now."""
    still = Counter(map(_key, after.failing(check)))
    holding = [each for each in after.findings if each.check == check and each.outcome is Outcome.HOLDS]
    for finding in before.failing(check):
        if still[_key(finding)]:
            still[_key(finding)] -= 1
            continue
        same = [each for each in holding if each.place.path == finding.place.path]
        same.sort(
            key=lambda candidate: (
                candidate.subject != finding.subject,
                abs(candidate.place.start - finding.place.start),
            )
        )
        now = same[0].message if same else "it does not fail any more"
        yield Mended(finding.place, finding.subject, finding.message, now)


def _line_before(before: bytes, now: bytes, line: int) -> int:
    """The line that was at `line` of the later text; of one that is new, the last one above it."""
    matcher = SequenceMatcher(None, before.split(b"\n"), now.split(b"\n"), autojunk=False)
    index, old_end, new_end = line - 1, 0, 0
    for old, new, size in matcher.get_matching_blocks():
        if index < new:
            return 1 + max(0, min(old_end + index - new_end, old - 1))
        if index < new + size:
            return 1 + old + index - new
        old_end, new_end = old + size, new + size
    return max(1, old_end)


def _patch(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    return "".join(unified_diff(path, before.get(path), after[path]) for path in _pick_changes(before, after))
