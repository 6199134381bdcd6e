"""`audit` on a repository of the fleet: what the service found there last, from the store alone."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from bot.commands.files.audit import AuditedCheckout
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.finding import Finding, Fix
from bot.files.audit.auditing import judge_repository
from bot.files.audit.patches import Texts
from bot.files.audit.repository import RepositoryTexts
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.act.onboarding.tick import proposal_source
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.fleet.practices import PracticesStore


async def audited_repository(settings: Settings, repository: str, clock: Clock) -> AuditedCheckout:
    """What the service found last in a repository of the fleet. Raises `Failure` where it has not judged it."""
    async with opened_stores(settings, clock) as stores:
        unwaivable = frozenset(settings.audit.never_waived)
        return await audited_in(stores.practices, stores.onboardings, repository, clock.now(), unwaivable)


async def audited_in(
    practices: PracticesStore,
    kept: OnboardingsStore,
    repository: str,
    now: datetime,
    unwaivable: Collection[str] = (),
) -> AuditedCheckout:
    """The same from stores that are open; with the texts that were read last, where all of them are kept."""
    found = await practices.audited(repository)
    if found is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} is neither a path here nor a repository of the fleet",
            advice="write it as the forge does, and see github.repositories in the settings",
        )
    if found.at is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} was not judged yet",
            advice="the service does so once it has read it",
        )
    return with_fixes(found.findings, await kept_texts(kept, repository, now, unwaivable))


async def kept_texts(
    kept: OnboardingsStore, repository: str, now: datetime, unwaivable: Collection[str] = ()
) -> Texts | None:
    """The texts of a repository as they were read last; None where they are not all kept."""
    item = await kept.source(repository)
    try:
        source = await proposal_source(kept, item) if item is not None else None
    except Failure:
        return None
    if source is None:
        return None
    return Texts(RepositoryTexts(source.files, source.name, source.produced), source.files, now, unwaivable)


def with_fixes(findings: tuple[Finding, ...], texts: Texts | None) -> AuditedCheckout:
    """Edits are those for the texts as they are kept now; a finding that these do not give has words alone."""
    now = judge_repository(texts.repository, texts.now, texts.unwaivable).findings if texts is not None else ()
    fixes = {replace(each, fix=None): each.fix for each in now}
    given = (replace(each, fix=fixes.get(replace(each, fix=None), _words(each.fix))) for each in findings)
    return AuditedCheckout(tuple(given), texts)


def _words(fix: Fix | None) -> Fix | None:
    return replace(fix, edits=(), suggested=()) if fix is not None else None
