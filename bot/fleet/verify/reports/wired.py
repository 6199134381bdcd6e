"""The stage `reports` in the service: what scanners have reported within builds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clients.http.client import Http
from bot.domain.builder.port import Builder
from bot.domain.builder.runs import Artifact
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import Identity
from bot.fleet.stage import Bot, Part, Stage, TickOutcome
from bot.store.rows.images.scan_reports import artifact_reads

_GONE = frozenset({403, 404, 410})
"""How stores answer an address that holds no more, whatever was there."""


@dataclass(frozen=True, slots=True)
class BuilderArtifacts:
    """No credentials are shown where the archives are: their addresses are secret enough."""

    builder: Builder
    http: Http

    async def ended_at(self, repository: Identity, run: int) -> datetime | None:
        workflow_run = await self.builder.run(repository, run)
        return workflow_run.updated_at if workflow_run.has_concluded else None

    async def artifacts_of(self, repository: Identity, run: int) -> Sequence[Artifact]:
        return await self.builder.artifacts(repository, run)

    async def fetched(self, repository: Identity, artifact: Artifact, most: int) -> bytes:
        """Raises `Failure`: missing where the archive is gone, malformed where it is larger than `most`."""
        place = f"artifact {artifact.id} of {repository.name}"
        address = await self.builder.artifact_address(repository, artifact.id)
        answer = await self.http.request("GET", address, max_bytes=most, place=place)
        if answer.status in _GONE:
            raise Failure(Trouble.MISSING, f"is there no more ({answer.status})", where=place, status=answer.status)
        if answer.status != 200:
            raise Failure(Trouble.MALFORMED, f"is answered with {answer.status}", where=place)
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        if artifact.digest is not None and artifact.digest.startswith("sha256:") and artifact.digest != digest:
            raise Failure(Trouble.MALFORMED, f"is {digest}, not {artifact.digest[:80]}", where=place)
        return answer.body


ARTIFACTS = Part(lambda bot: BuilderArtifacts(bot.builder, bot.http))


async def reports(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.reports.rows.artifacts import ArtifactsStore
    from bot.fleet.verify.reports.tick import ArtifactOptions, tick

    section = bot.settings.reports
    options = ArtifactOptions(tuple(section.artifacts), section.most, bot.hosts.builder)
    gathered = await tick(bot.stores[ArtifactsStore], bot[ARTIFACTS], options, bot.loop)
    return TickOutcome({"kept": gathered.kept}, list(gathered.problems))


STAGE = Stage(
    "reports", reports, timedelta(seconds=5), claims=(artifact_reads,), only_reads=True, parts=(ARTIFACTS,)
)
