"""Artifacts of workflow runs by REST, and the store of archives that GitHub sends those on to who ask for one."""

import hashlib
import io
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.github.access.asked import timestamp
from sandbox.github.actions.actions import Actions
from sandbox.github.actions.runs import Run
from sandbox.github.edge import STORAGE, GitHubEdge
from sandbox.github.refusals import Refused

Json = Any
ARTIFACTS = "/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts"
ARCHIVE = "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}"
KEPT_FOR = timedelta(days=90)
FIRST_ARTIFACT = 4_000_000_001


@dataclass(slots=True)
class Kept:
    """An archive that a run has left behind."""

    id: int
    run: Run
    name: str
    archive: bytes
    at: datetime
    has_expired: bool = False


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Serves what runs have left behind, as the archives that GitHub makes of it."""

    edge: GitHubEdge
    actions: Actions
    kept: dict[int, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/actions/runs/{run}/artifacts", self._listed)
        self.edge.routes.add("GET", "/repos/{owner}/{repo}/actions/artifacts/{artifact}/zip", self._archive)

    def leave(self, run: int, name: str, files: Mapping[str, bytes] | bytes) -> Kept:
        """What a run uploads: files, or an archive as it is."""
        archive = files if isinstance(files, bytes) else packed(files)
        number, now = FIRST_ARTIFACT + len(self.kept), self.edge.surroundings.clock.now()
        kept = Kept(number, self.actions.runs[run], name, archive, now)
        self.kept[kept.id] = kept
        return kept

    async def _listed(self, request: Request, owner: str, repo: str, run: str) -> Response:
        self._run(owner, repo, run)
        of_run = [each for each in self.kept.values() if str(each.run.id) == run]
        shown = [self._shown(each, f"{owner}/{repo}") for each in sorted(of_run, key=lambda each: -each.id)]
        page, links = self.edge.page(request, shown)
        return self.edge.reply("GET", ARTIFACTS, 200, {"total_count": len(shown), "artifacts": page}, links)

    async def _archive(self, request: Request, owner: str, repo: str, artifact: str) -> Response:
        kept = self.kept.get(int(artifact))
        if kept is None:
            raise Refused(404, "Not Found")
        self._run(owner, repo, str(kept.run.id))
        if kept.has_expired:
            raise Refused(410, "Artifact has expired")
        key = secrets.token_hex(16)
        self.edge.storage[key] = kept.archive
        answer = self.edge.reply("GET", ARCHIVE, 302, None)
        answer.headers["location"] = f"{self.edge.site}{STORAGE}{key}?sig={secrets.token_hex(8)}"
        return answer

    def _run(self, owner: str, repo: str, run: str) -> None:
        """Raises `Refused` where the repository has no such run."""
        number = self.edge.identities.number_of(f"{owner}/{repo}")
        if not any(str(each.id) == run and each.repository_id == number for each in self.actions.runs.values()):
            raise Refused(404, "Not Found")

    def _shown(self, kept: Kept, repository: str) -> Json:
        own = f"{self.edge.url}/repos/{repository}/actions/artifacts/{kept.id}"
        return {
            "id": kept.id,
            "node_id": f"A_{kept.id}",
            "name": kept.name,
            "size_in_bytes": len(kept.archive),
            "url": own,
            "archive_download_url": f"{own}/zip",
            "expired": kept.has_expired,
            "created_at": timestamp(kept.at),
            "updated_at": timestamp(kept.at),
            "expires_at": timestamp(kept.at + KEPT_FOR),
            "digest": f"sha256:{hashlib.sha256(kept.archive).hexdigest()}",
            "workflow_run": {
                "id": kept.run.id,
                "repository_id": kept.run.repository_id,
                "head_repository_id": kept.run.repository_id,
                "head_branch": kept.run.branch,
                "head_sha": kept.run.sha,
            },
        }


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()
