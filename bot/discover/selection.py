"""Which repositories and which references belong to the fleet."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.domain.following import followed_base
from bot.domain.reference import Base, Reference
from bot.domain.repository import Repository


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs over owner/name and over full base names; `exclude` wins over `include`."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    bases: tuple[str, ...] = ("mcr.microsoft.com/dotnet/*",)

    @property
    def owners(self) -> tuple[str, ...]:
        """The owners that the include globs name; a glob in the owner's own place cannot be listed."""
        named = (glob.partition("/")[0] for glob in self.include)
        return tuple(dict.fromkeys(owner for owner in named if owner and not set(owner) & set("*?[")))

    def takes(self, repository: Repository) -> bool:
        """Archived and disabled repositories take no changes, forks follow their origin."""
        return (
            not (repository.archived or repository.disabled or repository.fork)
            and any(fnmatchcase(repository.name, glob) for glob in self.include)
            and not any(fnmatchcase(repository.name, glob) for glob in self.exclude)
            and (not self.topics or bool(set(self.topics) & set(repository.topics)))
        )

    def watched_base(self, reference: Reference) -> Base | None:
        """The base to watch for a reference, None where it is none of ours or nothing can follow it."""
        name = f"{reference.registry}/{reference.repository}"
        if not any(fnmatchcase(name, glob) for glob in self.bases):
            return None
        return followed_base(reference)


def selected(listing: Iterable[Repository], selection: Selection) -> list[Repository]:
    """In the order of names, each once."""
    taken = {repository.name: repository for repository in listing if selection.takes(repository)}
    return [taken[name] for name in sorted(taken)]
