"""Changes and usages for the planners of the backtest."""

from datetime import timedelta

from bot.backtest.fleet import ReplayedRepository, Use
from bot.domain.bases.change import Cause, Change
from bot.domain.reference import Reference
from bot.domain.repositories.usage import Kind, Role, Span, Usage
from tests.unit.fleet.assess.world import DAY, base

HOUR = timedelta(hours=1)


def use(name: str, tag: str, *, pinned: bool = False, workflow: bool = True, platforms: str = "") -> Use:
    reference = Reference(base(tag).name, base(tag).tag, f"sha256:{'0' * 64}" if pinned else None)
    role, span = Role.FINAL_STAGE, Span(0, len(str(reference)))
    usage = Usage("Dockerfile", Kind("dockerfile"), 1, reference, role, span, platforms=tuple(platforms.split()))
    return Use(ReplayedRepository(name, frozenset({"weekly-rebuild.yml"} if workflow else ())), usage)


def change(at: timedelta = timedelta(), cause: Cause = Cause.OS_UPDATE, of: str = "aspnet:8.0") -> Change:
    digests = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    return Change(base(of), DAY + at, *digests, cause, cause, to_version="8.0.17", platforms=("linux/amd64",))
