"""Actions that workflows use: as they name them, and the commits that stand for these names."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ActionTag:
    """An action as workflows name it: the repository that it is in, and a tag or branch there."""

    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.repository}@{self.tag}"


@dataclass(frozen=True, slots=True)
class ActionCommit:
    """The commit that an action's tag points to, and the fullest version tag that points there as well."""

    sha: str
    version: str
