"""What an event from outside concerns, so that it is looked at now rather than later."""

from dataclasses import dataclass

from bot.domain.repositories.repository import RepositoryId


@dataclass(frozen=True, slots=True)
class PushedTag:
    """A tag of a registry that somebody says was pushed; without a tag, any of its repository."""

    repository: str
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """`moved_branches` are the repositories whose default branch may have moved, `followed` those whose pull
    requests and runs may have. `fleet` where the list of repositories may have changed."""

    moved_branches: frozenset[RepositoryId] = frozenset()
    followed: frozenset[RepositoryId] = frozenset()
    fleet: bool = False
    pushed: tuple[PushedTag, ...] = ()

    @property
    def is_empty(self) -> bool:
        return self == Reach()
