"""Azure Repos as a forge, and how what they do not have is told."""

from collections.abc import Mapping, Sequence

from bot.clients.forges.azure_devops.writing import RequestWrites
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.port import TakenIn
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import Identity
from bot.domain.running.records import DeploymentRecord


class AzureRepos(RequestWrites):
    """The port `Forge`. Issues, code scanning and deployment records are no part of Azure Repos."""

    __slots__ = ()

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        raise _no_issues(repository)

    async def issue(self, repository: Identity, number: int) -> Issue | None:
        raise _no_issues(repository)

    async def open_issue(self, repository: Identity, title: str, body: str, label: str) -> Issue:
        raise _no_issues(repository)

    async def change_issue(self, repository: Identity, number: int, body: str, *, is_open: bool) -> None:
        raise _no_issues(repository)

    async def upload_findings(self, repository: Identity, commit: str, branch: str, sarif: bytes) -> str:
        raise _no_scanning(repository)

    async def record_deployments(
        self, home: Identity, cluster: str, environment: str, records: Sequence[DeploymentRecord]
    ) -> Mapping[str, str]:
        raise Failure(Trouble.DENIED, "Azure Repos keep no deployment records", where=home.name)

    async def taken_in(self, repository: Identity, upload: str) -> TakenIn:
        raise _no_scanning(repository)

    async def serving(self, repository: Identity) -> "AzureRepos":
        return self


def _no_issues(repository: Identity) -> Failure:
    return Failure(Trouble.MISSING, "Azure Repos have no issues", where=repository.name)


def _no_scanning(repository: Identity) -> Failure:
    return Failure(Trouble.DENIED, "Azure Repos take no findings of code scanning", where=repository.name)
