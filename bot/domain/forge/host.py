"""Under which names the loop knows that the forge pauses."""

from dataclasses import dataclass

from bot.domain.repositories.repository import owner_of


@dataclass(frozen=True, slots=True)
class ForgeHost:
    """The forge's name; with `by_owner` each owner has limits of its own, as the installations of an App have."""

    name: str = "github"
    by_owner: bool = False

    @property
    def whole(self) -> str | None:
        """The name for all repositories; None where each owner has limits of its own."""
        return None if self.by_owner else self.name

    def of(self, repository: str) -> str:
        """Returns the name of the forge for one repository, which is called `owner/name`."""
        return f"{self.name} ({owner_of(repository)})" if self.by_owner else self.name
