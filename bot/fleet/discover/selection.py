"""Which repositories and which references belong to the fleet."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.domain.bases.dotnet import family_of
from bot.domain.bases.followed_base import followed_base
from bot.domain.bases.mirrors import Mirrors
from bot.domain.globs import has_wildcard, leaves_owner_open, names_repository
from bot.domain.reference import Base, Reference
from bot.domain.repositories.repository import Repository
from bot.domain.repositories.usage import BUILT_UPON, Usage


@dataclass(frozen=True, slots=True)
class Selection:
    """Globs over owner/name and over full base names; `exclude` wins over `include`. `registries` are the hosts
    that are spoken to: what the fleet builds there may be a base as well. What stands under one of the `mirrors` is
    watched where its upstream is.

    GitHub tells neither owners, repositories nor topics apart by case, so neither do these.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    bases: tuple[str, ...] = ("mcr.microsoft.com/dotnet/*",)
    registries: tuple[str, ...] = ()
    mirrors: Mirrors = Mirrors()  # noqa: RUF009 - frozen

    @property
    def owners(self) -> tuple[str, ...] | None:
        """The owners that the include globs name; None where one leaves the owner open."""
        if any(map(leaves_owner_open, self.include)):
            return None
        owners = [glob.partition("/")[0] for glob in self.include]
        return tuple({owner.lower(): owner for owner in owners}.values())

    def names(self, repository: str) -> bool:
        """Whether the globs ask for a repository of that name."""
        return names_repository(self.include, repository) and not names_repository(self.exclude, repository)

    def takes(self, repository: Repository) -> bool:
        """Archived and disabled repositories take no changes, forks follow their origin."""
        topics = {topic.lower() for topic in self.topics}
        return (
            not (repository.archived or repository.disabled or repository.fork)
            and self.names(repository.name)
            and (not topics or not topics.isdisjoint(topic.lower() for topic in repository.topics))
        )

    def followed(self, usage: Usage) -> tuple[Base | None, bool]:
        """The base that a usage follows, and whether the usage is worth keeping.

        A global.json follows none: it moves along with the SDK image of its repository. A .NET image that no glob
        takes in is kept, so that an operator can be told of it, and so is what may be a base of our own.
        """
        if usage.sdk_pin is not None:
            return None, True
        base = self.watched_base(usage.reference)
        is_kept = family_of(usage.reference) is not None or self.may_be_own(usage)
        return base, base is not None or is_kept

    def may_be_own(self, usage: Usage) -> bool:
        """Whether it builds on an image that a repository of the fleet may produce, as far as the name tells."""
        return usage.sdk_pin is None and usage.role in BUILT_UPON and usage.reference.registry in self.registries

    def watched_base(self, reference: Reference) -> Base | None:
        """The base to watch for a reference, None where it is none of ours or nothing can follow it."""
        if not self._is_watched(f"{reference.registry}/{reference.repository}"):
            return None
        return followed_base(reference)

    def _is_watched(self, name: str) -> bool:
        upstream = self.mirrors.upstream_name(name)
        names = [name] if upstream is None else [name, upstream]
        return any(fnmatchcase(each, glob) for each in names for glob in self.bases)

    @property
    def marks(self) -> tuple[bytes, ...]:
        """A word for each glob of `bases`, and for each mirror, that every file naming such a base has in it; empty
        where any may."""
        places = (rule.place for rule in self.mirrors.rules)
        return tuple(_longest_word(glob).encode() for glob in (*self.bases, *places))


def selected(listing: Iterable[Repository], selection: Selection) -> list[Repository]:
    """Returns the selected repositories in the order of their names, each once."""
    repositories = {repository.name: repository for repository in listing if selection.takes(repository)}
    return [repositories[name] for name in sorted(repositories)]


def _longest_word(glob: str) -> str:
    """Of the path behind the registry, which an argument of the build may replace as a whole."""
    words = [word for word in glob.split("/")[1:] if not has_wildcard(word)]
    return max(words, key=len, default="")
