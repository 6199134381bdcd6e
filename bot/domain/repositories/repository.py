"""A repository of the fleet as the forge lists it, and all that its default branch told."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.images.claims import Claim
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage

WORKFLOWS = ".github/workflows/"
"""The folder whose files are workflows."""
GITHUB = "github"
"""The forge that lists a repository of which nothing else is said."""
NO_SOURCES = frozenset({"node_modules", ".venv", ".terraform", "__pycache__"})
"""Folders that hold what others have made, or what is made from sources: many files, and none of the repository."""


_TITLES = {GITHUB: "GitHub"}


def title_of(forge: str) -> str:
    """What people call a forge."""
    return _TITLES.get(forge, forge)


def is_workflow(path: str) -> bool:
    """Whether GitHub runs the file as a workflow: what lies deeper in the folder, such as an action, is none."""
    name = path.removeprefix(WORKFLOWS)
    return name != path and "/" not in name and name.endswith((".yml", ".yaml"))


def owner_of(name: str) -> str:
    """Whose a repository is, called `owner/name`; in lower case, as forges tell owners apart by no case."""
    return name.partition("/")[0].lower()


@dataclass(frozen=True, slots=True, order=True)
class RepositoryId:
    """Who a repository is, whatever it is called: the forge that lists it, and that forge's id of it as text."""

    forge: str
    id: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Which repository of a forge: under `name` now, and by `node_id` for good.

    `node_id` is None only until a listing has told it.
    """

    name: str
    node_id: str | None = None
    forge: str = GITHUB

    @property
    def owner(self) -> tuple[str, str]:
        """Whose it is: the forge, and the owner's name there in lower case."""
        return self.forge, owner_of(self.name)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Repository:
    """One entry of the forge's listing; `pushed_at` moves with every push, whichever the branch.

    `pushed_lately`: so shortly before the forge listed it that another push may bear the same time.
    `id` and `node_id` stay when the repository is renamed or transferred; `id` is unique within its forge.
    """

    name: str
    default_branch: str
    pushed_at: datetime | None = None
    pushed_lately: bool = False
    archived: bool = False
    disabled: bool = False
    fork: bool = False
    topics: tuple[str, ...] = ()
    id: str | None = None
    node_id: str | None = None
    forge: str = GITHUB

    @property
    def key(self) -> RepositoryId | None:
        return None if self.id is None else RepositoryId(self.forge, self.id)


def blob_name(content: bytes, like: str) -> str:
    """Git's name for a file's content (gitformat-objects), with the hash of which `like` is one."""
    algorithm = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return algorithm(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file (or submodule, or symbolic link) in a tree; `mode` is git's, `size` in bytes."""

    path: str
    sha: str
    mode: str = "100644"
    kind: str = "blob"
    size: int = 0

    @property
    def is_file(self) -> bool:
        return self.kind == "blob" and self.mode in ("100644", "100755")


@dataclass(frozen=True, slots=True)
class GitTree:
    """All entries of a commit's tree; `truncated` where the forge has cut the listing short."""

    sha: str
    entries: tuple[TreeEntry, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow that can be dispatched, the inputs that it declares, and whether it has a schedule as well.

    `required` are the inputs which it cannot do without.
    """

    path: str
    inputs: tuple[str, ...] = ()
    is_scheduled: bool = False
    required: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FleetRepository:
    """A repository as far as planning needs it."""

    id: int
    name: str
    workflows: tuple[Workflow, ...]
    config: RepositoryConfig
    sdk_pins: tuple[Usage, ...] = ()
    """What its global.json files ask for; they follow no base, they move along with an SDK image."""
    node_id: str | None = None
    forge: str = GITHUB

    @property
    def identity(self) -> Identity:
        return Identity(self.name, self.node_id, self.forge)

    def workflow(self, file: str) -> Workflow | None:
        return next((workflow for workflow in self.workflows if workflow.file == file), None)


@dataclass(frozen=True, slots=True)
class Affected:
    """One usage that follows a base which changed."""

    member: FleetRepository
    usage: Usage


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
