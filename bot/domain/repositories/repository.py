"""A repository of the fleet as the forge lists it, and all that its default branch told."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.domain.images.claims import Claim
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import SourceProblem, Usage

WORKFLOWS = ".github/workflows/"
"""The folder whose files are workflows."""
GITHUB = "github"
"""The forge that lists a repository of which nothing else is said."""
AZURE_DEVOPS = "azure-devops"
"""The forge whose repositories are those of projects of organisations."""
NO_SOURCES = frozenset({"node_modules", ".venv", ".terraform", "__pycache__"})
"""Folders that hold what others have made, or what is made from sources: many files, and none of the repository."""


_TITLES = {GITHUB: "GitHub", AZURE_DEVOPS: "Azure DevOps"}


HANDED_OVER = ("correlation", "reason", "bases")
"""What is told a workflow that is started, as far as it declares inputs of these names."""


def title_of(forge: str) -> str:
    """What people call a forge."""
    return _TITLES.get(forge, forge)


def is_workflow(path: str) -> bool:
    """Whether GitHub runs the file as a workflow: what lies deeper in the folder, such as an action, is none."""
    name = path.removeprefix(WORKFLOWS)
    return name != path and "/" not in name and name.endswith((".yml", ".yaml"))


def form_of(forge: str) -> str:
    """How a forge calls its repositories; no two forges call one alike, so a name alone tells which it is."""
    return "owner/name" if forge == GITHUB else "organisation/project/name"


def is_name_at(forge: str, name: str) -> bool:
    """Whether a forge calls repositories so."""
    return name.count("/") == form_of(forge).count("/") and all(name.split("/"))


def is_told_in_bulk(forge: str) -> bool:
    """Whether a forge tells of many repositories at once what they say of themselves, and in its list when each was
    pushed to last; else only asking each of them tells."""
    return forge == GITHUB


def owner_of(name: str) -> str:
    """Whose a repository is: the owner of `owner/name`, the organisation of `organisation/project/name`; in lower
    case, as forges tell these apart by no case."""
    return name.partition("/")[0].lower()


@dataclass(frozen=True, slots=True, order=True)
class RepositoryId:
    """Who a repository is, whatever it is called: the forge that lists it, and that forge's id of it as text."""

    forge: str
    id: str


@dataclass(frozen=True, slots=True)
class BuiltElsewhere:
    """Where a workflow is that is none of the repository's forge: the builder, and what it is called there, behind
    whose it is."""

    builder: str
    place: str

    @property
    def owner(self) -> str:
        """Whose it is at the builder, in lower case."""
        return owner_of(self.place)


def built_elsewhere(workflow: str | None) -> BuiltElsewhere | None:
    """Where a workflow is that is called `BUILDER: OWNER/…`; None for one that is called by its file's bare name,
    and runs at the repository's forge."""
    builder, colon, place = (workflow or "").partition(": ")
    return BuiltElsewhere(builder, place) if colon and "/" in place else None


def workflow_name(path: str) -> str:
    """What rules and rebuilds call a workflow: its file's bare name, or where it runs elsewhere all of it."""
    return path.rpartition("/")[2] if built_elsewhere(path) is None else path


@dataclass(frozen=True, slots=True)
class Identity:
    """Which repository of a forge: under `name` now, and by `node_id` for good.

    `node_id` is None only until a listing has told it. `built` is where it is asked about its builds, where that is
    not its forge.
    """

    name: str
    node_id: str | None = None
    forge: str = GITHUB
    built: BuiltElsewhere | None = None

    def for_builds(self, workflow: str | None) -> "Identity":
        """Returns the repository as what runs the workflow is asked about it."""
        return replace(self, built=built_elsewhere(workflow))

    @property
    def for_forge(self) -> "Identity":
        """The repository as its forge is asked about it."""
        return self if self.built is None else replace(self, built=None)

    @property
    def asked_at(self) -> str:
        """The name of the forge, or of the builder, that is asked about it."""
        return self.forge if self.built is None else self.built.builder

    @property
    def owner(self) -> tuple[str, str]:
        """Whose it is: where it is asked about, and the owner's name there in lower case."""
        return self.asked_at, owner_of(self.name) if self.built is None else self.built.owner

    def __str__(self) -> str:
        return self.name


def named_at_its_forge(name: str) -> Identity:
    """The repository of which only its name is known, which tells its forge."""
    return Identity(name, forge=AZURE_DEVOPS if is_name_at(AZURE_DEVOPS, name) else GITHUB)


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

    `path` is that of its file, or `BUILDER: OWNER/…` where it runs elsewhere than at the repository's forge.
    `required` are the inputs which it cannot do without.
    """

    path: str
    inputs: tuple[str, ...] = ()
    is_scheduled: bool = False
    required: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return workflow_name(self.path)


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
        """What runs elsewhere is taken for there: what runs it says whether it is, and takes of what it is handed
        what it declares."""
        if built_elsewhere(file) is not None:
            return Workflow(file, HANDED_OVER)
        return next((workflow for workflow in self.workflows if workflow.file == file), None)


@dataclass(frozen=True, slots=True)
class Affected:
    """One usage that follows a base which changed."""

    member: FleetRepository
    usage: Usage


IN_PART = "?"


def reader_in_part(reader: str, at: datetime) -> str:
    """The name of the reader of a repository of which something was refused: another one reads it on the next day,
    and asks for that again."""
    return f"{reader}{IN_PART}{at.date()}"


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
