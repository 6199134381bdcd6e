"""All that one default branch told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.images.claims.claim import Claim
from bot.domain.reference import Base
from bot.domain.repositories.repository import Workflow
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one default branch told; `tree` is None where it has no commits.

    `blobs` are the files that were read, by git's names for their contents.
    """

    tree: str | None
    usages: tuple[tuple[Usage, Base | None], ...] = ()
    workflows: tuple[Workflow, ...] = ()
    config: RepositoryConfig = RepositoryConfig()  # noqa: RUF009 - frozen
    problems: tuple[SourceProblem, ...] = ()
    reader: str | None = None
    blobs: tuple[str, ...] = ()
    images: tuple[Claim, ...] = ()
    deployed: tuple[Usage, ...] = ()
    """Images of registries that the organisation uses, where its manifests run them."""
    perhaps_own: frozenset[str] = frozenset()
    """Names of images that usages without a base build upon and that the fleet may produce itself."""
    audited: Mapping[str, str] = field(default_factory=dict)
    """By path the blobs of the files that the audit judges."""
    upstreams: Mapping[Base, Base] = field(default_factory=dict)
    """Of the bases that are copies: what each is a copy of."""
