"""What discovery needs of the store and the code host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.reference import Base
from bot.domain.repository import Repository, Tree, Workflow
from bot.domain.repository_config import RepositoryConfig
from bot.domain.usage import Problem, Usage


@dataclass(frozen=True, slots=True)
class DueRepository:
    """A claimed repository; `tree` is the one that was read last."""

    id: int
    name: str
    default_branch: str
    tree: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one default branch told; `tree` is None where it has no commits."""

    tree: str | None
    usages: tuple[tuple[Usage, Base | None], ...] = ()
    workflows: tuple[Workflow, ...] = ()
    config: RepositoryConfig = RepositoryConfig()  # noqa: RUF009 - frozen
    problems: tuple[Problem, ...] = ()


class FleetStore(Protocol):
    async def claim_listing(self, now: datetime) -> int | None: ...

    async def postpone_listing(self, chore: int, due: datetime) -> None: ...

    async def record_listing(
        self, chore: int, listing: Sequence[Repository], now: datetime, due: datetime
    ) -> None: ...

    async def claim_repositories(self, now: datetime, limit: int) -> Sequence[DueRepository]: ...

    async def known_blobs(self, shas: Sequence[str]) -> Mapping[str, bytes]: ...

    async def save_blobs(self, bodies: Mapping[str, bytes]) -> None: ...

    async def save_reading(
        self, repository: DueRepository, reading: Reading, now: datetime, due: datetime
    ) -> None: ...

    async def keep_reading(self, repository: DueRepository, due: datetime) -> None: ...

    async def postpone(self, repository: DueRepository, error: str, due: datetime) -> None: ...


class Host(Protocol):
    async def repositories(self, owners: Sequence[str]) -> list[Repository]: ...

    async def tree(self, repository: str, ref: str) -> Tree | None: ...

    async def subtree(self, repository: str, sha: str) -> Tree: ...

    async def blob(self, repository: str, sha: str) -> bytes: ...
