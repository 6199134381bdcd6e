"""What a rule may ask for in whole values: steps after the build, merging, pins, a monorepo's workflows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from bot.domain.bases.change import Cause
from bot.domain.feeds.advisory import Severity


class Start(StrEnum):
    """How a step begins: the bot starts its workflow, or only watches what starts by itself, or what runs."""

    DISPATCH = "dispatch"
    OBSERVE = "observe"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Step:
    """A workflow to run once the build has succeeded, or, of `RUNNING`, an environment that is to run the new image
    and no older one; the next step waits for it.

    `repository` is the rebuild's own where it is None. `inputs` are names and values that the operator adds to
    those which the bot knows; a workflow gets only what it declares. The step has failed after `timeout`.
    """

    name: str
    workflow: str | None = None
    repository: str | None = None
    start: Start = Start.DISPATCH
    inputs: tuple[tuple[str, str], ...] = ()
    timeout: timedelta = timedelta(hours=2)
    environment: str | None = None


class MergeMethod(StrEnum):
    """How the forge merges a pull request; a merge queue goes by its own method."""

    NEVER = "never"
    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class AutoMerge:
    """Which pull requests are merged without a person, once the checks that the forge requires are green.

    `causes` and `min_severity` narrow it to some changes; empty means all.
    """

    method: MergeMethod = MergeMethod.NEVER
    causes: tuple[Cause, ...] = ()
    min_severity: Severity | None = None

    def accepts(self, cause: Cause, severity: Severity | None) -> bool:
        """Whether a pull request for such a change may be merged without a person."""
        return (
            self.method is not MergeMethod.NEVER
            and (not self.causes or cause in self.causes)
            and (self.min_severity is None or (severity is not None and severity.rank >= self.min_severity.rank))
        )


NEVER = AutoMerge()


class Pin(StrEnum):
    """What a pull request leaves behind: the pin as it was written, a floating tag, or tag and digest."""

    KEEP = "keep"
    FLOATING = "floating"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class PathWorkflow:
    """The part of a monorepo that one workflow builds: globs over paths, and over the images that come of it.

    The part without paths is what no other takes. `others` are the parts that other workflows build, told by one
    that names no images: what they make does not come of it.
    """

    paths: tuple[str, ...]
    workflow: str
    images: tuple[str, ...] = ()
    others: tuple["PathWorkflow", ...] = ()

    def builds(self, path: str) -> bool:
        return any(fnmatchcase(path, glob) for glob in self.paths)

    def produces(self, image: str) -> bool:
        """Whether an image, `registry/repository`, comes of it; where it names none, any that no other names."""
        if self.images:
            return any(fnmatchcase(image, glob) for glob in self.images)
        return not any(other.images and other.produces(image) for other in self.others)


def part_of(parts: Iterable[PathWorkflow], path: str) -> PathWorkflow | None:
    """The part that a file belongs to: the first whose globs take its path."""
    return next((part for part in parts if part.builds(path)), None)
