"""A repository of the fleet as the audit judges it: its kept texts, and findings with their fixes."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.domain.failure import Failure
from bot.domain.repositories.finding import Finding, Fix
from bot.domain.repositories.surroundings import surroundings_of
from bot.files.audit.audited import AuditedCheckout
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.act.onboarding.tick import proposal_source


async def kept_texts(
    onboardings: OnboardingsStore,
    repository: str,
    now: datetime,
    unwaivable: Collection[str] = (),
    admission: Collection[str] = (),
) -> Texts | None:
    """The texts of a repository as they were read last; None where they are not all kept."""
    item = await onboardings.source(repository)
    try:
        source = await proposal_source(onboardings, item) if item is not None else None
    except Failure:
        return None
    if source is None:
        return None
    around = surroundings_of(source.name, admission)
    texts = RepositoryTexts(source.files, source.name, source.produced, surroundings=around)
    return Texts(texts, source.files, now, unwaivable)


def with_fixes(findings: tuple[Finding, ...], texts: Texts | None) -> AuditedCheckout:
    """Edits are those for the texts as they are kept now; a finding that these do not give has words alone."""
    now = judge_repository(texts.repository, texts.now, texts.unwaivable).findings if texts is not None else ()
    fixes = {replace(each, fix=None): each.fix for each in now}
    current_findings = (
        replace(finding, fix=fixes.get(replace(finding, fix=None), _words(finding.fix))) for finding in findings
    )
    return AuditedCheckout(tuple(current_findings), texts)


def _words(fix: Fix | None) -> Fix | None:
    return replace(fix, edits=(), suggested=()) if fix is not None else None
