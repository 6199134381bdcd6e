"""How things of Azure DevOps are named, each in one text that stays for good."""

from dataclasses import dataclass

from bot.domain.failure import Failure, Trouble

_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class AzureNode:
    """Something of a project of an organisation, by the ids of both: a GUID, or a number.

    `kind` tells numbers of several kinds apart, which are counted alike.
    """

    organization: str
    project: str
    kind: str
    id: str

    def __str__(self) -> str:
        return "/".join((self.organization, self.project, self.kind, self.id))


def node_of(text: str) -> AzureNode:
    """The place that such a text is of; raises `Failure` (malformed) where it is of none."""
    parts = text.split("/")
    if len(parts) != 4 or not all(parts):
        raise Failure(Trouble.MALFORMED, f"{text[:80]!r} names nothing of Azure DevOps")
    return AzureNode(*parts)


def branch_of(ref: str | None) -> str | None:
    """The branch of a full name of one; None where it is that of a tag, a pull request or nothing."""
    return ref.removeprefix(_HEADS) if ref is not None and ref.startswith(_HEADS) else None


def ref_of(branch: str) -> str:
    return _HEADS + branch
