"""What `verify IMAGE` answers of a builder, where a rule requires an SLSA build level."""

from pathlib import Path

import pytest

from bot.commands.images.verify import about_builder
from bot.domain.evidence import Strength
from bot.domain.images.answers import ImageQuestion
from bot.domain.images.image import Builder
from bot.domain.images.trust import TrustMode
from bot.settings.sections.trust import TrustRuleSettings

LEVEL_2 = Builder("build.yml", 2, Strength.PROVED, "its caller could reach in", "contoso/shop")


def rule(level: int | None, mode: TrustMode = TrustMode.REQUIRE) -> TrustRuleSettings:
    return TrustRuleSettings(match=["ghcr.io/contoso/*"], mode=mode, key=Path("key.pub"), slsa_level=level)


@pytest.mark.parametrize(
    ("builder", "level", "holds"), [(LEVEL_2, 2, True), (LEVEL_2, 3, False), (None, 1, None), (LEVEL_2, None, True)]
)
def test_the_level_of_signed_provenance_decides_and_none_cannot_tell(
    builder: Builder | None, level: int | None, holds: bool | None
) -> None:
    answer = about_builder(builder, (), rule(level))
    assert (answer.question, answer.holds, answer.counts) == (ImageQuestion.PROVENANCE, holds, True)


def test_a_level_that_is_not_reached_is_told_with_what_to_do() -> None:
    told = about_builder(LEVEL_2, (), rule(3)).told
    assert told.startswith("SLSA build level 3 is required, and it is built by build.yml of contoso/shop")
    assert "trust.isolated_builders" in told


def test_where_the_rule_warns_it_is_told_and_does_not_count() -> None:
    answer = about_builder(LEVEL_2, (), rule(3, TrustMode.WARN))
    assert (answer.holds, answer.counts) == (False, False)


def test_a_level_that_cannot_be_told_names_what_was_not_looked_at() -> None:
    unseen = "60 artifacts refer to it, of which 50 were looked at"
    told = about_builder(None, (), rule(2), unseen=unseen).told
    assert told.endswith(f"; or look among the rest: {unseen}")
