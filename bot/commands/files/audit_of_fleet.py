"""`audit` on a repository of the fleet: what the service found there last, from the store alone."""

from collections.abc import Collection
from datetime import datetime

from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.files.audit.audited import AuditedCheckout
from bot.fleet.act.onboarding.rows import OnboardingsStore
from bot.fleet.wiring.auditing import kept_texts, with_fixes
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.store.pages.fleet.practices import PracticesStore


async def audited_repository(settings: Settings, repository: str, clock: Clock) -> AuditedCheckout:
    """What the service found last in a repository of the fleet. Raises `Failure` where it has not judged it."""
    async with opened_stores(settings, clock) as stores:
        unwaivable = frozenset(settings.audit.never_waived)
        practices, onboardings = stores[PracticesStore], stores[OnboardingsStore]
        return await audited_in(
            practices, onboardings, repository, clock.now(), unwaivable, settings.audit.admission
        )


async def audited_in(
    practices: PracticesStore,
    onboardings: OnboardingsStore,
    repository: str,
    now: datetime,
    unwaivable: Collection[str] = (),
    admission: Collection[str] = (),
) -> AuditedCheckout:
    """The same from stores that are open; with the texts that were read last, where all of them are kept."""
    audit = await practices.audited(repository)
    if audit is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} is neither a path here nor a repository of the fleet",
            advice="write it as the forge does, and see github.repositories in the settings",
        )
    if audit.at is None:
        raise Failure(
            Trouble.MISSING,
            f"{repository} was not judged yet",
            advice="the service does so once it has read it",
        )
    return with_fixes(audit.findings, await kept_texts(onboardings, repository, now, unwaivable, admission))
