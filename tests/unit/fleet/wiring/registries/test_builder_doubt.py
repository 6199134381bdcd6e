from bot.domain.evidence import Strength
from bot.domain.images.image import Builder
from bot.fleet.wiring.grants import forge_host
from bot.fleet.wiring.registries.trust import builder_doubt

BUILDER = Builder("build.yml", 2, Strength.PROVED, "the workflow that was called could reach into the build")


def test_no_level_is_demanded_where_none_is_set() -> None:
    assert builder_doubt(None, None) is None


def test_a_level_that_is_proved_is_enough() -> None:
    assert builder_doubt(BUILDER, 2) is None


def test_a_lower_level_is_refused_with_who_built_it_and_what_to_do() -> None:
    assert builder_doubt(BUILDER, 3) == (
        f"SLSA build level 3 is required, and it is {BUILDER.told}; "
        "build it where its caller cannot reach in, and name that under trust.isolated_builders"
    )


def test_who_cannot_be_told_is_as_good_as_refused_and_is_named_so() -> None:
    told = builder_doubt(None, 1)
    assert told is not None
    assert told.startswith("SLSA build level 1 is required, which cannot be told: it has no provenance")


def test_the_forges_host_is_the_one_in_addresses_of_repositories() -> None:
    named = ["https://api.github.com", "https://api.contoso.ghe.com", "https://github.contoso.com/api/v3"]
    assert list(map(forge_host, named)) == ["github.com", "contoso.ghe.com", "github.contoso.com"]
