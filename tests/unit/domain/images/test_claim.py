"""Who says that a repository produces an image, and how a tag is meant: the words that are kept in the database."""

from bot.domain.images.claims import Build, Claim, ImageRule, ImageRules, NamedImage, Source, TagKind, TagRule


def test_who_says_it_is_kept_in_these_words_the_weightiest_first() -> None:
    assert [*Source] == ["settings", "provenance", "produces", "label", "build"]
    assert [each.rank for each in Source] == [0, 1, 2, 3, 4]


def test_a_kind_of_tag_is_kept_in_these_words() -> None:
    assert [*TagKind] == ["fixed", "template", "pattern"]


def test_rules_are_told_with_everything_in_them() -> None:
    rules = ImageRules((ImageRule("a/*", "acr.io/{name}", TagRule("v*")), ImageRule("b/c", None)), ("x/*", "y/*"))
    assert str(rules) == "a/* acr.io/{name} v*\nb/c None latest\nx/*\ny/*"


def test_a_repository_may_claim_what_fits_any_of_the_globs_with_its_owner_and_name_in_lower_case() -> None:
    rules = ImageRules(claimable=("acr.io/{owner}/*", "*/{name}"))
    assert rules.may_claim("Contoso/Shop", "acr.io/contoso/any")
    assert rules.may_claim("Contoso/Shop", "ghcr.io/x/shop")
    assert not rules.may_claim("Contoso/Shop", "ghcr.io/contoso/any")


def test_of_a_claim_a_rule_and_a_build_nothing_is_made_up() -> None:
    latest = TagRule("latest")
    assert Claim("acr.io/a", latest, Source.BUILD) == Claim("acr.io/a", latest, Source.BUILD, "", 0, None, "", "")
    assert NamedImage("acr.io/a", "1", "b.yml", 1) == NamedImage(
        "acr.io/a", "1", "b.yml", 1, None, (), "", (), is_pushed=True, variant=""
    )
    assert ImageRule("a/*", None) == ImageRule("a/*", None, latest)
    assert ImageRules() == ImageRules((), ("*/{name}",))
    assert Build() == Build(None, None, None)
