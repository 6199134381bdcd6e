"""The words that are kept in the database and told in JSON: another release reads them as well."""

from enum import StrEnum

import pytest

from bot.domain.evidence import ImageVerdict
from bot.domain.images.answers import ImageQuestion
from bot.domain.images.standing import Basis, Doubt, ImageState
from bot.domain.images.stated import Stated
from bot.domain.images.trust import TrustMode

WORDS: dict[type[StrEnum], tuple[str, ...]] = {
    Basis: (
        "layers",
        "verified provenance",
        "annotation",
        "label",
        "unsigned provenance",
        "Dockerfile",
        "nothing",
    ),
    Doubt: ("no-base-named", "several-named", "few-digits", "packed-anew", "earlier-law"),
    ImageQuestion: ("signature", "provenance", "freshness", "gate"),
    ImageState: ("behind", "contradicted", "unseen-build", "unknown", "not-seen", "claimed", "current"),
    ImageVerdict: ("proved", "no-op", "other", "not-seen", "untrusted", "unknown"),
    Stated: (
        "a signature",
        "provenance",
        "an SBOM",
        "a scanner's report",
        "a VEX document",
        "a verification summary",
    ),
    TrustMode: ("off", "warn", "require"),
}


@pytest.mark.parametrize("kind", WORDS)
def test_the_words_stay_in_the_order_of_their_weight(kind: type[StrEnum]) -> None:
    assert tuple(kind) == WORDS[kind]
