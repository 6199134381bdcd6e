"""What settings, files and builds say of the images that a repository produces."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.images.claims.tags import TagRule

CLAIMABLE = "*/{name}"
"""What a repository's own file may claim, unless the operator allows other paths: one that ends in its name."""


class Source(StrEnum):
    """Who says that a repository produces an image, the weightiest first."""

    SETTINGS = "settings"
    PROVENANCE = "provenance"
    PRODUCES = "produces"
    LABEL = "label"
    BUILD = "build"

    @property
    def rank(self) -> int:
        return list(Source).index(self)


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as a build in a repository's files names it. `name` and `tag` may have the parts `{owner}`, `{name}`
    and `{branch}`; `tag` those of `TagRule` too. It is built from the first of the files `built_from` that there
    is; nothing tells that where there are none. `weakness` is why its name or tag may be another one.
    `branches` are patterns of those of which pushes alone build it; none where any may. `is_pushed` is False where
    a file only says what it is called, and no build is found that pushes it so. `variant` are the values of the
    job's matrix in which it is built: each builds one of its own in the same run."""

    name: str
    tag: str
    path: str
    line: int
    pulls: bool | None = None
    built_from: tuple[str, ...] = ()
    weakness: str = ""
    branches: tuple[str, ...] = ()
    is_pushed: bool = True
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """Says that a repository produces an image. `name` is `registry/repository`; `path` and `line` are where a
    build names it, as far as one does, whoever says so."""

    name: str
    tag: TagRule
    source: Source
    path: str = ""
    line: int = 0
    pulls: bool | None = None
    """Whether the build there asks the registry for the newest base; None where that does not show."""
    built_from: str = ""
    """The Dockerfile or project that it is built from; empty where nothing tells, or where several may be it."""
    weakness: str = ""
    """Why the evidence is too weak to act upon; empty where it is not."""

    @property
    def registry(self) -> str:
        return self.name.partition("/")[0]

    @property
    def repository(self) -> str:
        return self.name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class ImageRule:
    """The operator's word: repositories that fit `match`, a glob, produce `image`, in which `{owner}` and `{name}`
    stand for theirs. A rule without an image says that they produce none."""

    match: str
    image: str | None
    tag: TagRule = TagRule("latest")  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class ImageRules:
    """What the operator says; `claimable` are globs of the names that repositories may claim for themselves."""

    rules: tuple[ImageRule, ...] = ()
    claimable: tuple[str, ...] = (CLAIMABLE,)

    def __str__(self) -> str:
        """Changes with everything in it."""
        rules = (f"{rule.match} {rule.image} {rule.tag}" for rule in self.rules)
        return "\n".join((*rules, *self.claimable))

    def may_claim(self, repository: str, name: str) -> bool:
        """Whether a repository's own file may say that it produces `name`."""
        return any(fnmatchcase(name, filled(glob, repository)) for glob in self.claimable)


def filled(text: str, repository: str) -> str:
    """The text with a repository's owner and name in their places, in lower case: registries take no other."""
    owner, _, name = repository.lower().partition("/")
    return text.replace("{owner}", owner).replace("{name}", name)
