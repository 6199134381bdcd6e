"""Where work pauses while what answers there wants to be left alone: the forge, and what builds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.repositories.repository import GITHUB, Identity


@dataclass(frozen=True, slots=True)
class Host:
    """A forge's or a builder's name; with `by_owner` each owner has limits of its own, as the installations of an
    App have. `others` are those of other forges and builders, by their names; one that is set up elsewhere alone
    bears its own name."""

    name: str = "github"
    by_owner: bool = False
    others: Mapping[str, "Host"] = field(default_factory=dict)

    @property
    def whole(self) -> str | None:
        """The name for all repositories; None where there are several."""
        return None if self.by_owner or self.others else self.name

    def at(self, forge: str) -> str:
        """Returns the name for what is asked of a forge as a whole."""
        return self.for_forge(forge).name

    def for_forge(self, forge: str) -> "Host":
        """Returns where work on what a forge lists pauses."""
        return self if forge == GITHUB else self.others.get(forge, Host(forge))

    def of(self, repository: Identity) -> str:
        """Returns the name for one repository."""
        place, owner = repository.owner
        host = self.for_forge(place)
        return f"{host.name} ({owner})" if host.by_owner else host.name


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where work on repositories and their pull requests pauses, and where work on their builds does."""

    forge: Host = Host()
    builder: Host = Host()

    @property
    def whole(self) -> str | None:
        """The one name for all that is asked of either; None where there are several."""
        return self.forge.whole if self.forge == self.builder else None
