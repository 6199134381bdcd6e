"""Who says that a repository produces an image, and how a tag is meant: the words that are kept in the database."""

from bot.domain.images.claims.claim import Source
from bot.domain.images.claims.tags import TagKind


def test_who_says_it_is_kept_in_these_words_the_weightiest_first() -> None:
    assert [*Source] == ["settings", "provenance", "produces", "label", "build"]
    assert [each.rank for each in Source] == [0, 1, 2, 3, 4]


def test_a_kind_of_tag_is_kept_in_these_words() -> None:
    assert [*TagKind] == ["fixed", "template", "pattern"]
