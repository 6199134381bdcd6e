"""Where work pauses while what answers there wants to be left alone: the forge, and what builds."""

from dataclasses import dataclass

from bot.domain.repositories.repository import owner_of


@dataclass(frozen=True, slots=True)
class Host:
    """A forge's or a builder's name; with `by_owner` each owner has limits of its own, as the installations of an
    App have."""

    name: str = "github"
    by_owner: bool = False

    @property
    def whole(self) -> str | None:
        """The name for all repositories; None where each owner has limits of its own."""
        return None if self.by_owner else self.name

    def of(self, repository: str) -> str:
        """Returns the name for one repository, which is called `owner/name`."""
        return f"{self.name} ({owner_of(repository)})" if self.by_owner else self.name


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where work on repositories and their pull requests pauses, and where work on their builds does."""

    forge: Host = Host()
    builder: Host = Host()

    @property
    def whole(self) -> str | None:
        """The one name for all that is asked of either; None where there are several."""
        return self.forge.whole if self.forge == self.builder else None
