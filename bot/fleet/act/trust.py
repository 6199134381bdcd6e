"""Nothing begins on a base that is not signed as the operator requires."""

from datetime import datetime
from typing import Protocol

from bot.domain.reference import Base
from bot.fleet.act.ports import Job


class TrustGate(Protocol):
    """Judges bases; raises `Failure` where the registry does not say."""

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        """Why nothing may be built on this digest, shown by its base since then; None where it may."""
        ...


class TrustEverybody:
    """Trusts every digest, where no rule asks for signatures."""

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        """Returns None without asking anybody."""
        return None


async def doubt_about(job: Job, gate: TrustGate) -> str | None:
    """Why a rebuild may not begin yet: the first of its new digests that is not trusted."""
    moved_at = {change.base: change.at for change in job.changes}
    for target in job.rebuild.targets:
        since = moved_at.get(target.base, job.rebuild.planned_at)
        doubt = await gate.doubt(target.base, target.to_digest, since)
        if doubt is not None:
            return doubt
    return None
