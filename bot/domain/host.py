"""Where work pauses while what answers there wants to be left alone: the forge, and what builds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.repositories.repository import Identity, owner_of


@dataclass(frozen=True, slots=True)
class Host:
    """A forge's or a builder's name; with `by_owner` each owner has limits of its own, as the installations of an
    App have. `others` are those of repositories that other forges list, by the forge."""

    name: str = "github"
    by_owner: bool = False
    others: Mapping[str, "Host"] = field(default_factory=dict)

    @property
    def whole(self) -> str | None:
        """The name for all repositories; None where there are several."""
        return None if self.by_owner or self.others else self.name

    def at(self, forge: str) -> str:
        """Returns the name for what is asked of a forge as a whole."""
        return self.others.get(forge, self).name

    def of(self, repository: Identity) -> str:
        """Returns the name for one repository, which is called `owner/name`."""
        host = self.others.get(repository.forge, self)
        return f"{host.name} ({owner_of(repository.name)})" if host.by_owner else host.name


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where work on repositories and their pull requests pauses, and where work on their builds does."""

    forge: Host = Host()
    builder: Host = Host()

    @property
    def whole(self) -> str | None:
        """The one name for all that is asked of either; None where there are several."""
        return self.forge.whole if self.forge == self.builder else None
