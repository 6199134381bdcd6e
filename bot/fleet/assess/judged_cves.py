"""The CVEs that a change fixes, with what advisories say of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.domain.feeds.advisory import Advisory, Evidence, Severity, worst
from bot.upstream.dotnet.relevance import Relevance


@dataclass(frozen=True, slots=True)
class JudgedCves:
    """CVEs in order; `described` are the advisories of those that have one, and whether each concerns the image.

    A CVE without an advisory counts as relevant and unrated.
    """

    cves: tuple[str, ...]
    described: tuple[tuple[Advisory, Relevance], ...]

    @property
    def concerning(self) -> tuple[str, ...]:
        """All but those of which an advisory says that they do not touch the image."""
        spared = set(self.not_relevant)
        return tuple(cve for cve in self.cves if cve not in spared)

    @property
    def not_relevant(self) -> tuple[str, ...]:
        return tuple(advisory.cve for advisory, relevance in self.described if not relevance)

    @property
    def ratings(self) -> tuple[tuple[str, Severity], ...]:
        """The CVEs that touch the image and are rated, each with its severity."""
        return tuple(
            (advisory.cve, advisory.severity)
            for advisory, relevance in self.described
            if relevance and advisory.severity is not None
        )

    @property
    def severity(self) -> Severity | None:
        """The highest rating among the CVEs that touch the image; None where none is rated."""
        return worst(severity for _, severity in self.ratings)

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """The first address of each: Microsoft's own, where it gives one (see `watch.feeds.combine`)."""
        return tuple((advisory.cve, advisory.links[0]) for advisory, _ in self.described if advisory.links)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(row for each in self.described for row in _evidence(*each))


def judged(
    cves: tuple[str, ...], advisories: Mapping[str, Advisory], relevance_of: Callable[[Advisory], Relevance]
) -> JudgedCves:
    """Looks the advisories of CVEs up, and judges by `relevance_of` whether each concerns the image."""
    own_advisories = (advisories[cve] for cve in cves if cve in advisories)
    return JudgedCves(cves, tuple((advisory, relevance_of(advisory)) for advisory in own_advisories))


def _evidence(advisory: Advisory, relevance: Relevance) -> Iterator[Evidence]:
    verdict = "relevant" if relevance else "not relevant"
    for row in advisory.evidence:
        yield replace(row, locator=f"{row.locator} ({advisory.cve}: {verdict}, {relevance.text})")
    for row in advisory.evidence[-1:]:
        for line in advisory.disagreements:
            yield Evidence("advisories differ", f"{advisory.cve}: {line}", row.seen_at)
