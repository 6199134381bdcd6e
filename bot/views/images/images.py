"""The images that the fleet produces: who produces them, what they stand on, and what the gate says of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.domain.images.image import ProducedImage
from bot.domain.images.standing import ImageStanding, ImageState
from bot.domain.packages.cves.detected import Rating
from bot.domain.packages.cves.marks import NO_MARK, CveMark
from bot.domain.packages.gate import GateMode, GateOutcome
from bot.domain.repositories.usage import Naming
from bot.domain.wording.words import counted


@dataclass(frozen=True, slots=True)
class GateView:
    """What the gate says of one image; `blocking` and `unfixed` count vulnerabilities."""

    mode: GateMode
    outcome: GateOutcome
    told: str
    blocking: int
    unfixed: int
    judged_at: datetime | None

    @property
    def in_words(self) -> str:
        """`the gate holds it back: CVE-2026-1 (HIGH) in zlib1g 1.3, fixed in 1.4`."""
        match self.outcome:
            case GateOutcome.PASSED:
                return f"the gate lets it through: {self.told}"
            case GateOutcome.BLOCKED if self.mode is GateMode.TELL:
                return f"the gate would hold it back: {self.told}"
            case GateOutcome.BLOCKED:
                return f"the gate holds it back: {self.told}"
            case _:
                return f"the gate cannot tell: {self.told}"


@dataclass(frozen=True, slots=True)
class Unfixed:
    """A vulnerability that the gate ignores because nobody has fixed it, and in how many images it is."""

    id: str
    severity: Rating
    packages: tuple[str, ...]
    images: int
    mark: CveMark = NO_MARK


@dataclass(frozen=True, slots=True)
class Deployment:
    """A place in a repository where an image is run, under a tag or a digest.

    `since` is when it was first seen to name that; it may have done so for longer, where it `is_older`. What it
    named of the image before is there as far as it was seen, the latest first; None where that is not known.
    """

    repository: str
    path: str
    line: int
    tag: str | None
    digest: str | None
    since: datetime | None = None
    is_older: bool = True
    named_before: tuple[Naming, ...] | None = None

    def __str__(self) -> str:
        return f"{self.repository}/{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image with where it is run; `looked_at` is when its registry was last asked, `gate` what the gate says of
    it, None where nothing is asked."""

    image: ProducedImage
    looked_at: datetime | None
    deployed: tuple[Deployment, ...] = ()
    gate: GateView | None = None


def stands_on(image: ProducedImage, now: datetime) -> str:
    """Words what an image stands on: once where its platforms agree, else for each platform."""
    if image.error is not None and not image.standings:
        return f"unknown: {image.error}"
    if not image.standings:
        return "not looked at yet"
    platforms_by_text = {each.told(now): each.platform for each in reversed(image.standings)}
    if len(platforms_by_text) == 1:
        return next(iter(platforms_by_text))
    return "; ".join(f"{platform}: {text}" for text, platform in reversed(platforms_by_text.items()))


def needy_first(views: Sequence[ImageView]) -> list[ImageView]:
    """The images in the order in which to look at them: by state, those that are behind the longest first."""
    order = list(ImageState)

    def place(view: ImageView) -> tuple[int, float, str]:
        since = view.image.behind_since
        return order.index(view.image.state), since.timestamp() if since else 0.0, str(view.image.place)

    return sorted(views, key=place)


def counted_states(views: Sequence[ImageView]) -> str:
    """Words how many images stand how: `12 images: 3 behind, 2 unknown, 7 current`."""
    states = Counter(view.image.state for view in views)
    numbers_in_words = ", ".join(f"{states[state]:,} {state.in_words}" for state in ImageState if states[state])
    return f"{counted(len(views), 'image')}: {numbers_in_words}"


def as_json(view: ImageView) -> dict[str, Any]:
    """Gives the image as plain JSON values."""
    image = view.image
    return {
        "image": image.claim.name,
        "tag": image.claim.tag.text,
        "found": image.found_tag,
        "digest": image.digest,
        "produced_by": image.repository,
        "by_word_of": image.source.value,
        "place": f"{image.claim.path}:{image.claim.line}" if image.claim.path else None,
        "doubt": image.doubt,
        "state": image.state.value,
        "builder": None if image.builder is None else asdict(image.builder),
        "strength": image.strength.value,
        "behind_since": image.behind_since,
        "seen_at": image.seen_at,
        "looked_at": view.looked_at,
        "error": image.error,
        "gate": None if view.gate is None else asdict(view.gate),
        "platforms": [_standing(each) for each in image.standings],
        "deployed": [place_as_json(each) for each in view.deployed],
    }


def place_as_json(place: Deployment) -> dict[str, Any]:
    """Gives a place where an image is run as plain JSON values."""
    return {
        "repository": place.repository,
        "path": place.path,
        "line": place.line,
        "tag": place.tag,
        "digest": place.digest,
    }


def _standing(standing: ImageStanding) -> dict[str, Any]:
    return {
        "platform": standing.platform,
        "base": str(standing.base) if standing.base else None,
        "strength": standing.strength.value,
        "by": standing.basis.value,
        "layers": standing.layers,
        "is_ambiguous": standing.is_ambiguous,
        "behind_since": standing.behind_since,
        "named": standing.named or None,
        "disagreement": standing.disagreement or None,
        "publications": [
            {
                "digest": publication.digest,
                "platform_digest": publication.platform_digest,
                "at": publication.at,
                "until": publication.until,
            }
            for publication in standing.publications
        ],
    }
