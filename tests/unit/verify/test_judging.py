"""What the statements of authors whom an operator heeds take away of what an image holds."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import cast

import pytest

from bot.domain.images.image import ProducedImage
from bot.domain.images.produced import Claim, Source
from bot.domain.images.tags import TagRule
from bot.domain.packages.detected import DetectedVulnerability, Rating
from bot.domain.packages.gate import Counts, GateOutcome, GateRule
from bot.verify.gating.judging import judge_images
from bot.verify.gating.ports import GateOptions, GateStore, KeptData, MatchedRule, ToldImage, ToldPlatform
from bot.verify.vex import Product, Statement
from tests.builders import NOON

IMAGE = ProducedImage(1, 1, "contoso/shop", Claim("ghcr.io/contoso/shop", TagRule("latest"), Source.BUILD))
OPTIONS = GateOptions(
    (MatchedRule(("*",), GateRule(counts=Counts.ALL)),),
    statements=(Statement(frozenset({"CVE-2026-1"}), (Product("pkg:nuget/Json@12.0.0"),), "fixed"),),
    platforms=frozenset({"linux/amd64"}),
    max_age=timedelta(days=2),
)


class Told:
    """A store that tells of one image."""

    def __init__(self, *found: DetectedVulnerability) -> None:
        self.platform = ToldPlatform("linux/amd64", packages=(), found=found)

    async def told_images(self, images: Collection[int]) -> Mapping[int, ToldImage]:
        return {1: ToldImage(1, "sha256:a", frozenset({"sha256:a"}), (self.platform,))}

    async def kept_data(self) -> KeptData:
        return KeptData({})


def held(version: str, url: str | None = None) -> DetectedVulnerability:
    named = f"pkg:nuget/Json@{version}" if url is None else url
    return DetectedVulnerability("CVE-2026-1", "Json", version, "13.0.0", Rating.HIGH, True, named)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([held("12.0.0")], GateOutcome.PASSED),
        ([held("11.0.0")], GateOutcome.BLOCKED),
        ([held("12.0.0"), held("11.0.0")], GateOutcome.BLOCKED),
        ([held("11.0.0"), held("12.0.0")], GateOutcome.BLOCKED),
        ([held("12.0.0"), held("12.0.0", url="")], GateOutcome.PASSED),
    ],
    ids=["that version", "another", "both", "both, the other first", "told twice, once without a package URL"],
)
async def test_a_statement_about_one_version_takes_away_no_other(
    found: list[DetectedVulnerability], outcome: GateOutcome
) -> None:
    judged = await judge_images(cast(GateStore, Told(*found)), [IMAGE], OPTIONS, NOON, adopts=False)
    gated = judged[1].gated
    assert gated is not None
    assert gated.outcome is outcome
