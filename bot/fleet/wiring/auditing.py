"""The audit in the shape in which the stages that write ask it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from bot.domain.clock import Clock
from bot.domain.forge.actions import ActionCommit, ActionTag
from bot.domain.repositories.finding import Finding
from bot.domain.repositories.onboarding import Proposal
from bot.domain.repositories.surroundings import surroundings_of
from bot.files.audit.auditing import judge_repository
from bot.files.audit.onboarding.action_commits import CHECK, tagged_actions
from bot.files.audit.onboarding.proposing import WantedProposal, propose
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rules import BY_CHECK, RULES
from bot.fleet.act.code_scanning.tick import DueScan, ScanLogs
from bot.fleet.act.onboarding.ports import ProposalSource
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.wiring.audited_texts import kept_texts, with_fixes
from bot.settings import Settings
from bot.views.repositories.findings import as_sarif


@dataclass(frozen=True, slots=True)
class AuditProposer:
    """Proposes for these checks; `unwaivable` are those that no repository may waive, `admission` globs of those
    whose clusters admit verified images alone."""

    checks: Collection[str]
    unwaivable: Collection[str] = ()
    admission: Collection[str] = ()

    def actions(self, source: ProposalSource, now: datetime) -> Sequence[ActionTag]:
        """Returns the actions of which a proposal has to know the commits."""
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
        around = surroundings_of(source.name, self.admission)
        request = WantedProposal(self.checks, commits, denied_folders, self.unwaivable, source.declined, around)
        return propose(source.files, source.name, source.produced, request, now)


def proposer_of(settings: Settings) -> AuditProposer:
    """Makes the audit of the settings propose what onboarding brings."""
    section = settings.audit
    return AuditProposer(frozenset(settings.onboarding.checks), frozenset(section.never_waived), section.admission)


def sarif_log(findings: Sequence[Finding]) -> dict[str, Any]:
    """Writes findings as a SARIF log, with all rules of this version."""
    return as_sarif(findings, RULES, version("freshness-bot"))


def scan_logs(
    onboardings: OnboardingsStore, unwaivable: Collection[str], clock: Clock, admission: Collection[str] = ()
) -> ScanLogs:
    """The logs for code scanning; those that are uploaded have the patches that stand the proof."""

    async def patched(item: DueScan) -> dict[str, Any] | None:
        texts = await kept_texts(onboardings, item.repository.name, clock.now(), unwaivable, admission)
        return await asyncio.to_thread(_patched_log, item.findings, texts) if texts is not None else None

    return ScanLogs(sarif_log, patched)


def _patched_log(findings: tuple[Finding, ...], texts: Texts) -> dict[str, Any]:
    checkout = with_fixes(findings, texts)
    return as_sarif(checkout.findings, RULES, version("freshness-bot"), checkout.patches())
