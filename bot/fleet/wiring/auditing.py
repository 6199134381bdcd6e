"""The audit as the stages that write ask it, and a repository of the fleet as the audit judges it. The rules are
loaded with the first repository that is judged."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from bot.domain.builder.actions import ActionCommit, ActionTag
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.repositories.finding import Finding, Fix
from bot.domain.repositories.onboarding import Proposal
from bot.domain.repositories.surroundings import surroundings_of
from bot.fleet.act.code_scanning.tick import DueScan, ScanLogs
from bot.fleet.act.onboarding.ports import ProposalSource
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.act.onboarding.tick import proposal_source
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.files.audit.audited import AuditedCheckout
    from bot.files.audit.patches import Texts


async def kept_texts(
    onboardings: OnboardingsStore,
    repository: str,
    now: datetime,
    unwaivable: Collection[str] = (),
    admission: Collection[str] = (),
) -> "Texts | None":
    """The texts of a repository as they were read last; None where they are not all kept."""
    from bot.files.audit.patches import Texts
    from bot.files.audit.repository import RepositoryTexts

    item = await onboardings.source(repository)
    try:
        source = await proposal_source(onboardings, item) if item is not None else None
    except Failure:
        return None
    if source is None:
        return None
    around = surroundings_of(source.name, admission, default_branch=source.default_branch)
    texts = RepositoryTexts(source.files, source.name, source.produced, surroundings=around)
    return Texts(texts, source.files, now, unwaivable)


def with_fixes(findings: tuple[Finding, ...], texts: "Texts | None") -> "AuditedCheckout":
    """Edits are those for the texts as they are kept now; a finding that these do not give has words alone."""
    from bot.files.audit.audited import AuditedCheckout
    from bot.files.audit.auditing import judge_repository

    now = judge_repository(texts.repository, texts.now, texts.unwaivable).findings if texts is not None else ()
    fixes = {replace(each, fix=None): each.fix for each in now}
    current_findings = (
        replace(finding, fix=fixes.get(replace(finding, fix=None), _words(finding.fix))) for finding in findings
    )
    return AuditedCheckout(tuple(current_findings), texts)


def _words(fix: Fix | None) -> Fix | None:
    return replace(fix, edits=(), suggested=()) if fix is not None else None


@dataclass(frozen=True, slots=True)
class AuditProposer:
    """Proposes for these checks; `unwaivable` are those that no repository may waive, `admission` globs of those
    whose clusters admit verified images alone."""

    checks: Collection[str]
    unwaivable: Collection[str] = ()
    admission: Collection[str] = ()

    def actions(self, source: ProposalSource, now: datetime) -> Sequence[ActionTag]:
        """Returns the actions of which a proposal has to know the commits."""
        from bot.files.audit.auditing import judge_repository
        from bot.files.audit.onboarding.action_commits import CHECK, tagged_actions
        from bot.files.audit.repository import RepositoryTexts
        from bot.files.audit.rules import BY_CHECK

        if CHECK not in self.checks:
            return ()
        repository = RepositoryTexts(source.files, source.name, source.produced)
        findings = judge_repository(repository, now, self.unwaivable, [BY_CHECK[CHECK]]).findings
        return tagged_actions(repository, findings)

    def propose(
        self,
        source: ProposalSource,
        commits: Mapping[ActionTag, ActionCommit],
        denied_folders: tuple[str, ...],
        now: datetime,
    ) -> Proposal:
        """Makes the next pull request for these texts."""
        from bot.files.audit.onboarding.proposing import WantedProposal, propose

        around = surroundings_of(source.name, self.admission, default_branch=source.default_branch)
        request = WantedProposal(self.checks, commits, denied_folders, self.unwaivable, source.declined, around)
        return propose(source.files, source.name, source.produced, request, now)


def proposer_of(settings: Settings) -> AuditProposer:
    """Makes the audit of the settings propose what onboarding brings."""
    section = settings.audit
    return AuditProposer(frozenset(settings.onboarding.checks), frozenset(section.never_waived), section.admission)


def sarif_log(findings: Sequence[Finding]) -> dict[str, Any]:
    """Writes findings as a SARIF log, with all rules of this version."""
    return _log(findings)


def scan_logs(
    onboardings: OnboardingsStore, unwaivable: Collection[str], clock: Clock, admission: Collection[str] = ()
) -> ScanLogs:
    """The logs for code scanning; those that are uploaded have the patches that stand the proof."""

    async def patched(item: DueScan) -> dict[str, Any] | None:
        texts = await kept_texts(onboardings, item.repository.name, clock.now(), unwaivable, admission)
        return await asyncio.to_thread(_patched_log, item.findings, texts) if texts is not None else None

    return ScanLogs(sarif_log, patched)


def _patched_log(findings: tuple[Finding, ...], texts: "Texts") -> dict[str, Any]:
    checkout = with_fixes(findings, texts)
    return _log(checkout.findings, checkout.patches())


def _log(findings: Sequence[Finding], patches: Mapping[Finding, str] | None = None) -> dict[str, Any]:
    from bot.files.audit.rules import RULES
    from bot.views.repositories.findings import as_sarif

    return as_sarif(findings, RULES, version("freshness-bot"), patches)
