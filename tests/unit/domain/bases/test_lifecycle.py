"""The end of an image's life, as its publisher attaches it."""

import json
from datetime import date
from typing import Any

from bot.domain.bases.lifecycle import END_OF_LIFE, LIFECYCLE, end_of_life_day
from tests.unit.images.signatures.evidence import EVIDENCE, needs_evidence


def referrer(ended: Any, created: Any, kind: str = LIFECYCLE) -> dict[str, Any]:
    annotations = {
        "vnd.microsoft.artifact.lifecycle.end-of-life.date": ended,
        "org.opencontainers.image.created": created,
    }
    return {"artifactType": kind, "annotations": annotations}


@needs_evidence
def test_the_recorded_artifacts_mark_an_end() -> None:
    folder = EVIDENCE / "dotnet-docker"
    one = json.loads((folder / "lifecycle-descriptor.json").read_bytes())
    several = json.loads((folder / "referrers-eol.json").read_bytes())["manifests"]

    assert end_of_life_day([one]) == date(2024, 11, 12)
    assert end_of_life_day(several) == date(2024, 12, 1)


def test_the_artifact_that_was_created_last_counts_wherever_it_stands() -> None:
    older, newer = (
        referrer("2025-05-01", "2025-01-01T00:00:00Z"),
        referrer("2025-03-01", "2025-02-01T00:00:00.123Z"),
    )

    assert end_of_life_day([older, newer]) == end_of_life_day([newer, older]) == date(2025, 3, 1)


def test_an_image_with_nothing_of_the_kind_is_not_marked() -> None:
    assert end_of_life_day([]) is None
    assert end_of_life_day([referrer("2025-05-01", "2025-01-01T00:00:00Z", "application/other")]) is None
    assert end_of_life_day([referrer("soon", "2025-01-01T00:00:00Z"), {"artifactType": LIFECYCLE}]) is None


def test_one_without_a_moment_of_its_own_counts_least() -> None:
    assert end_of_life_day(
        [referrer("2025-05-01", "sometime"), referrer("2025-03-01", "2025-01-01T00:00:00")]
    ) == date(2025, 3, 1)


def test_what_is_attached_is_known_by_microsofts_names() -> None:
    assert LIFECYCLE == "application/vnd.microsoft.artifact.lifecycle"
    assert END_OF_LIFE == "vnd.microsoft.artifact.lifecycle.end-of-life.date"


def test_what_is_attached_in_another_shape_marks_nothing() -> None:
    marked = referrer("2025-03-01", 5)
    assert end_of_life_day([{"artifactType": LIFECYCLE, "annotations": 5}, referrer(5, None), marked]) == date(
        2025, 3, 1
    )


def test_moments_with_a_zone_and_without_are_compared() -> None:
    late, early = referrer("2025-05-01", "2025-01-01T23:30:00"), referrer("2025-03-01", "2025-01-02T01:00:00+02:00")
    assert end_of_life_day([late, early]) == end_of_life_day([early, late]) == date(2025, 5, 1)
