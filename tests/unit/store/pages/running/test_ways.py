"""The ways of fixes, by the names under which images run."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.domain.packages.ledger.clocks import AffectedImage, Held, Passage, PublishedFix, Station, StationClock
from bot.domain.packages.ledger.entries import LedgerEntry
from bot.domain.packages.package import Package
from bot.domain.running.causes import ExposureCause, Way
from bot.store.pages.ledger.entries import ExposedImage
from bot.store.pages.ledger.exposed import Exposure
from bot.store.pages.running.ways import WaysOfFixes

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
CVE = "CVE-2026-1001"
PUBLISHED: Way = ((ExposureCause.NO_FIX, Passage.PASSED, NOON), (ExposureCause.IMAGE, Passage.UNKNOWN, None))


def image(name: str, repository: str) -> ExposedImage:
    return ExposedImage(name, frozenset(), None, repository, (), (), ())


def exposure(fixed_in: str) -> Exposure:
    package = Package("deb", "openssl", "3.0.13")
    affected = AffectedPackage("deb", "openssl", "Debian:12")
    return Exposure(CVE, "Debian", affected, package, True, NOON if fixed_in else None, fixed_in)


FIX = [exposure("3.0.14")]


@dataclass(frozen=True)
class FleetLedger:
    """Images of `contoso/shop` by their names, that got the fix at these times, or else have what others have on
    which the same is shown."""

    rebuilt_at: Mapping[str, datetime | None]
    shown: Mapping[str, str] = field(default_factory=dict)
    worked_out: list[str] = field(default_factory=list)

    @property
    def images(self) -> Sequence[ExposedImage]:
        return [image(each, "contoso/shop") for each in self.rebuilt_at]

    def entry(self, of: ExposedImage, cve: str) -> LedgerEntry:
        self.worked_out.append(f"{of.name} {cve}")
        return entry(self.rebuilt_at[of.name])

    def likeness_now(self, of: ExposedImage) -> Hashable:
        return self.shown.get(of.name, "")

    def has_now(self, of: ExposedImage, cve: str) -> bool:
        return self.rebuilt_at[of.name] is None


def entry(rebuilt_at: datetime | None) -> LedgerEntry:
    passage = Passage.PASSED if rebuilt_at else Passage.WAITING
    affected = AffectedImage("", "", (), PublishedFix("Debian"), None, Held(None))
    return LedgerEntry(affected, {Station.IMAGE: StationClock(passage, rebuilt_at)}, None)


def way(
    name: str, repository: str, rebuilt_at: Mapping[str, datetime | None], exposures: Sequence[Exposure]
) -> Way:
    """The way of what runs under a name, of images of `contoso/shop` that got the fix at these times."""
    ways = WaysOfFixes(FleetLedger(rebuilt_at))
    return ways.way(ways.images_of(name, repository), CVE, exposures)


def test_what_no_image_tells_of_goes_by_each_packages_own_fix() -> None:
    ways = WaysOfFixes(FleetLedger({}))
    assert ways.way((), CVE, [exposure("")]) == ((ExposureCause.NO_FIX, Passage.WAITING, None),)
    assert ways.way((), CVE, FIX) == PUBLISHED


LATER = NOON + timedelta(days=39)
TAGS = {"ghcr.io/contoso/shop:latest": NOON, "ghcr.io/contoso/shop:prod": LATER}


@pytest.mark.parametrize(
    ("name", "rebuilt_at", "told"),
    [
        ("ghcr.io/contoso/shop:prod", TAGS, LATER),
        ("ghcr.io/contoso/shop:prod@sha256:1", TAGS, LATER),
        ("ghcr.io/contoso/shop:v1", TAGS, None),
        ("ghcr.io/contoso/shop:v1", dict.fromkeys(TAGS, NOON), NOON),
        ("mirror.contoso.example/shop:1", TAGS, None),
        ("mirror.contoso.example/shop:1", {"ghcr.io/contoso/shop:latest": LATER}, LATER),
    ],
)
def test_a_name_has_the_clocks_on_which_all_images_agree_that_it_may_be(
    name: str, rebuilt_at: Mapping[str, datetime], told: datetime | None
) -> None:
    expected = PUBLISHED if told is None else ((ExposureCause.IMAGE, Passage.PASSED, told),)
    assert way(name, "contoso/shop", rebuilt_at, FIX) == expected


def test_an_image_that_does_not_run_is_not_worked_out() -> None:
    ledger = FleetLedger(TAGS)
    ways = WaysOfFixes(ledger)
    for _ in range(2):
        ways.way(ways.images_of("ghcr.io/contoso/shop:prod", ""), CVE, FIX)
    assert ledger.worked_out == [f"ghcr.io/contoso/shop:prod {CVE}"]


def test_images_that_show_the_same_are_worked_out_once_while_they_have_the_cve() -> None:
    ledger = FleetLedger({"a": None, "b": None, "c": None, "d": NOON, "e": LATER}, {"c": "2", "d": "3", "e": "3"})
    ways = WaysOfFixes(ledger)
    told = [ways.way((each,), CVE, FIX) for each in (0, 1, 2, 3, 4, 0, 4)]
    assert ledger.worked_out == [f"{name} {CVE}" for name in "acde"]
    assert told[0] is told[1] is told[5]
    assert [each[0][2] for each in told[3:5]] == [NOON, LATER]
