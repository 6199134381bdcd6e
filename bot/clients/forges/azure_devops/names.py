"""How things of Azure DevOps are named: by paths in addresses, and in one text each that stays for good."""

from dataclasses import dataclass
from urllib.parse import quote

from bot.domain.failure import Failure, Trouble

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Place:
    """Something of a project of an organisation, by the ids of both: a repository's GUID, or a number.

    `kind` tells numbers of several kinds apart, which are counted alike.
    """

    organization: str
    project: str
    kind: str
    id: str

    def __str__(self) -> str:
        return "/".join((self.organization, self.project, self.kind, self.id))


def place_of(text: str) -> Place:
    """The place that such a text is of; raises `Failure` (malformed) where it is of none."""
    parts = text.split("/")
    if len(parts) != 4 or not all(parts):
        raise Failure(Trouble.MALFORMED, f"{text[:80]!r} names nothing of Azure DevOps")
    return Place(*parts)


@dataclass(frozen=True, slots=True)
class FullName:
    """A repository's name with those of its project and organisation, each of which may hold blanks."""

    organization: str
    project: str
    repository: str

    def __str__(self) -> str:
        return "/".join((self.organization, self.project, self.repository))

    @property
    def path(self) -> str:
        """Where it is asked for."""
        organization, project, repository = map(_quoted, (self.organization, self.project, self.repository))
        return f"{organization}/{project}/_apis/git/repositories/{repository}"

    @property
    def web_path(self) -> str:
        """Where people look at it."""
        organization, project, repository = map(_quoted, (self.organization, self.project, self.repository))
        return f"{organization}/{project}/_git/{repository}"


def full_name_of(text: str) -> FullName:
    """Raises `Failure` (malformed) where the text is no `organisation/project/repository`."""
    parts = text.split("/")
    if len(parts) != 3 or not all(part.strip() for part in parts):
        fault = f"{text[:80]!r} is no repository of Azure DevOps"
        raise Failure(Trouble.MALFORMED, fault, advice="write organisation/project/repository")
    return FullName(*parts)


def branch_of(ref: str | None) -> str | None:
    """The branch of a full name of one; None where it is that of a tag, a pull request or nothing."""
    return ref.removeprefix(_HEADS) if ref is not None and ref.startswith(_HEADS) else None


def ref_of(branch: str) -> str:
    return _HEADS + branch


def _quoted(part: str) -> str:
    return quote(part, safe="")
