"""Azure Repos as a forge: what is read there, and how what it has not, or is not asked yet, is told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.clients.forges.azure_devops.repos import Repos
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.looks import FollowedRequests
from bot.domain.forge.pull_requests import OwnRequest
from bot.domain.repositories.issue import MARK, Issue
from bot.domain.repositories.repository import Identity

_ISSUES = frozenset({"issue", "open_issue", "change_issue"})
_SCANNING = frozenset({"upload_findings", "taken_in"})


@dataclass(slots=True)
class AzureRepos(Repos):
    """The port `Forge`. Pull requests are not made yet: what is to be rebuilt there names a pipeline."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(repository: Identity, *arguments: Any, **options: Any) -> Any:
            raise _not_there(name, repository.name)

        return call

    async def own_requests(self, repositories: Sequence[Identity]) -> Mapping[Identity, Sequence[OwnRequest]]:
        return dict.fromkeys(repositories, ())

    async def follow_requests(self, pull_requests: Sequence[str]) -> FollowedRequests:
        return FollowedRequests()

    async def find_issue(self, repository: Identity, label: str, mark: str = MARK) -> Issue | None:
        raise _not_there("issue", repository.name)

    async def serving(self, repository: Identity) -> "AzureRepos":
        return self


def _not_there(name: str, place: str) -> Failure:
    if name in _ISSUES:
        return Failure(Trouble.MISSING, "Azure Repos have no issues", where=place)
    if name in _SCANNING:
        return Failure(Trouble.DENIED, "Azure Repos take no findings of code scanning", where=place)
    advice = 'write workflow: "azure-pipelines: ORGANISATION/PROJECT/NUMBER" in a rule for it, to have it rebuilt'
    return Failure(Trouble.DENIED, "no pull request is opened in Azure Repos yet", where=place, advice=advice)
