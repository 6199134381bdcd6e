"""A repository: where it names which base, what was decided about it and why, and its rebuilds."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.repositories.onboarding import Onboarding
from bot.views.fleet.fleet import Standing
from bot.views.images.image_pages import ImageRow
from bot.views.repositories.explanation import BuildStatus, Decision
from bot.views.rows import RebuildRow


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`is_current` where what is pinned is what the base shows, None where nothing is pinned."""

    path: str
    line: int
    reference: str
    role: str
    stage: str | None
    base: str | None
    is_current: bool | None
    left_alone: str | None
    url: str


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something in a file that a maintainer should know."""

    path: str
    line: int
    message: str
    url: str


@dataclass(frozen=True, slots=True)
class RepositoryPage:
    """`usages`, `problems` and `rebuilds` are the first of as many as their counts say; decisions are those of the
    rebuilds that are shown. `builds` are the workflows that rebuild it, `images` what they produce."""

    name: str
    url: str
    standing: Standing | None
    since: datetime | None
    branch: str
    read_at: datetime | None
    error: str | None
    is_enabled: bool
    """Whether its own word lets the bot act; the API tells it."""
    usages: tuple[UsageRow, ...]
    usage_count: int
    problems: tuple[FileProblem, ...]
    rebuilds: tuple[RebuildRow, ...]
    rebuild_count: int
    decisions: tuple[Decision, ...]
    builds: tuple[BuildStatus, ...]
    images: tuple[ImageRow, ...]
    onboarding: Onboarding | None = None
    """How far it is brought to the practices by pull requests; None where nobody has asked for that."""
