"""What the gate needs to know of images, and how an operator wants them judged."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Protocol

from bot.domain.failure import Failure
from bot.domain.images.image import ProducedImage
from bot.domain.packages.cves.detected import VulnerabilityKey
from bot.domain.packages.gate import MAX_AGE, Gated, GateException, GateMode, MatchedRule
from bot.images.scan_reports import KeptReport
from bot.images.vex.statements import VexStatement
from bot.images.vulnerabilities import KeptData, ToldPlatform
from bot.reconcile.work import Queue


@dataclass(frozen=True, slots=True)
class GateOptions:
    """`max_age` is how old CVE data and reports may be, `wait` how long a rebuild is held while it cannot be told.

    `mark` changes with all of this, so that images are judged anew.
    """

    rules: tuple[MatchedRule, ...] = ()
    exceptions: tuple[GateException, ...] = ()
    statements: tuple[VexStatement, ...] = ()
    platforms: frozenset[str] = frozenset()
    max_age: timedelta = MAX_AGE
    wait: timedelta = timedelta(hours=1)
    mark: str = ""
    reads_artifacts: bool = False
    """Whether runs' artifacts are looked through for reports."""

    def rule_for(self, image: str) -> MatchedRule | None:
        """The first that fits `registry/name`, None where nothing is asked; of an unknown image (an empty name)
        only what is asked of every image is."""
        matched = next((each for each in self.rules if any(fnmatchcase(image, glob) for glob in each.match)), None)
        return None if matched is None or matched.rule.mode is GateMode.OFF else matched

    @property
    def is_on(self) -> bool:
        return any(each.rule.mode is not GateMode.OFF for each in self.rules)


@dataclass(frozen=True, slots=True)
class ToldImage:
    """An image as it was seen last: `before` is the one that the gate let through last, None where none is known.

    `is_first` where the gate never saw the image, and nothing is known before it. `damaged` names reports about it
    that cannot be read as they are stored.
    """

    id: int
    digest: str
    digests: frozenset[str]
    now: tuple[ToldPlatform, ...]
    before: tuple[ToldPlatform, ...] | None = None
    owed: frozenset[VulnerabilityKey] = frozenset()
    reports: tuple[KeptReport, ...] = ()
    reports_before: tuple[KeptReport, ...] = ()
    is_first: bool = False
    damaged: tuple[str, ...] = ()
    has_unread_artifacts: bool = False
    """Whether a run that has built it has ended whose artifacts were not looked through yet."""


@dataclass(frozen=True, slots=True)
class DueGate:
    """An image at which the gate is to look anew."""

    id: int
    image: ProducedImage


class GateStore(Protocol):
    """Each method is one transaction."""

    @property
    def gates(self) -> Queue[DueGate]: ...

    async def make_due(self, mark: str) -> None:
        """A row for each image that was seen, due at once where the image, the data or the settings are others."""
        ...

    async def forget_gates(self) -> None:
        """Takes back what was said of images, once the gate asks for nothing any more."""
        ...

    async def told_images(self, images: Collection[int]) -> Mapping[int, ToldImage]: ...

    async def kept_data(self) -> KeptData: ...

    async def keep_gated(self, image: int, facts: ToldImage | None, gated: Gated | None) -> None:
        """Keeps what the gate says of what was told; an image that it lets through is what the next one is compared
        with. None where nothing is asked of the image."""
        ...

    async def settle_gate(
        self, gate: DueGate, facts: ToldImage | None, gated: Gated | None, mark: str, due_at: datetime
    ) -> None:
        """The same, and ends the claim."""
        ...


class VexPort(Protocol):
    """Registries as far as VEX documents beside images are concerned."""

    async def signed_statements(
        self, questions: Sequence[tuple[ProducedImage, Collection[str]]]
    ) -> Mapping[int, Sequence[VexStatement] | Failure]:
        """What authors whom the operator trusts have signed about one of these digests of an image, by the images'
        ids; the failure where its registry does not say. Where nobody is trusted, the image is left out.
        """
        ...


class ImageGate(Protocol):
    """The gate as a rebuild meets it."""

    @property
    def wait(self) -> timedelta:
        """How long a rebuild is held while it cannot be told."""
        ...

    async def gated(self, images: Sequence[ProducedImage]) -> Gated | None:
        """What the gate says of these images as they were seen last, the worst; None where nothing is asked."""
        ...

    def unseen(self, images: Sequence[ProducedImage], reason: str) -> Gated | None:
        """What it says where their new images were not seen, or none is known."""
        ...
