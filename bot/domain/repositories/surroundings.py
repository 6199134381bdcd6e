"""What stands around a repository's files and counts for them: what its clusters admit and its environments ask."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.domain.globs import names_repository


@dataclass(frozen=True, slots=True)
class EnvironmentProtection:
    """What an environment of the forge asks of a deployment before it begins.

    `has_reviewers`: a person approves it. `waits` are minutes. `has_own_rules`: an app of the owner decides.
    """

    has_reviewers: bool = False
    waits: int = 0
    has_own_rules: bool = False

    @property
    def told(self) -> str:
        """What it asks, in words; empty where a deployment begins at once."""
        parts = ["a person approves it"] if self.has_reviewers else []
        parts += [f"it waits for {self.waits} minutes"] if self.waits else []
        parts += ["a rule of the owner's decides"] if self.has_own_rules else []
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`admits_verified_only` is the operator's word that whatever runs there is admitted by its signature alone.

    `environments` are those of the forge, by name in lower case; None where nobody could ask it. `default_branch`
    is the branch's name as the forge or the checkout has it; empty where neither tells.
    """

    admits_verified_only: bool = False
    environments: Mapping[str, EnvironmentProtection] | None = None
    default_branch: str = ""


NOTHING_KNOWN = Surroundings()


def surroundings_of(
    repository: str,
    admission: Collection[str],
    environments: Mapping[str, EnvironmentProtection] | None = None,
    default_branch: str = "",
) -> Surroundings:
    """What is known of a repository; `admission` are globs of those whose clusters admit verified images alone."""
    return Surroundings(names_repository(admission, repository), environments, default_branch)
