"""Expansion as in BuildKit's shell lexer, which the Dockerfile reference describes as "environment replacement"."""

import pytest

from bot.files.formats.dockerfile.words import BadWord, expand, split_flags, split_quoted
from bot.files.formats.source.spanned import Spanned


def spanned(text: str, at: int = 0) -> Spanned:
    return Spanned(text, range(at, at + len(text)))


VARIABLES = {
    "set": spanned("10.0.1-noble", 100),
    "empty": spanned("", 200),
    "path": spanned("a/b/a", 300),
    "star": spanned("a*b", 400),
}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("plain", "plain"),
        ("$set", "10.0.1-noble"),
        ("${set}", "10.0.1-noble"),
        ("$unset", ""),
        ("x${unset}y", "xy"),
        ("$set.x", "10.0.1-noble.x"),
        ("a$", "a$"),
        ("$1x", "x"),
        ("${set:-d}", "10.0.1-noble"),
        ("${unset:-d}", "d"),
        ("${empty:-d}", "d"),
        ("${empty-d}", ""),
        ("${unset-d}", "d"),
        ("${set:+alt}", "alt"),
        ("${empty:+alt}", ""),
        ("${empty+alt}", "alt"),
        ("${unset+alt}", ""),
        ("${set?no}", "10.0.1-noble"),
        ("${unset:-${empty:-$set}}", "10.0.1-noble"),
        ("${set#10.}", "0.1-noble"),
        ("${set#*.}", "0.1-noble"),
        ("${set##*.}", "1-noble"),
        ("${set%.*}", "10.0"),
        ("${set%%.*}", "10"),
        ("${set%-*}", "10.0.1"),
        ("${set#no}", "10.0.1-noble"),
        ("${set%?ble}", "10.0.1-n"),
        ("${path/a/x}", "x/b/a"),
        ("${path//a/x}", "x/b/x"),
        ("${path//\\//-}", "a-b-a"),
        ("${set/.*-/-}", "10-noble"),
        ("${star#a\\*}", "b"),
        ("'$set'", "$set"),
        ('"$set"', "10.0.1-noble"),
        ("\\$set", "$set"),
        ('"\\$set"', "$set"),
        ('"a\\b"', "a\\b"),
        ("a\\b", "ab"),
        ('"it\'s"', "it's"),
        ('${unset:-"a b"}', "a b"),
        ('"${unset:-"a b"}"', "a b"),
    ],
)
def test_words_expand_as_in_buildkit(word: str, value: str) -> None:
    assert expand(spanned(word), VARIABLES).text == value


def test_the_escape_character_can_be_a_backquote() -> None:
    assert expand(spanned("C:\\x`$set"), VARIABLES, "`").text == "C:\\x$set"


@pytest.mark.parametrize(
    "word",
    [
        "${",
        "${}",
        "${{x}}",
        "${:x}",
        "${set",
        "${set^}",
        "${set:x}",
        "'open",
        '"open',
        '"${set"',
        "${unset?}",
        "${empty:?no}",
        "${set/x}",
        "${set#\\x}",
        "${set%[a]\\}",
    ],
)
def test_words_that_buildkit_refuses_are_refused(word: str) -> None:
    with pytest.raises(BadWord):
        expand(spanned(word), VARIABLES)


def test_each_character_keeps_its_place() -> None:
    value = expand(spanned('x"${set%-*}"'), VARIABLES)
    assert value.text == "x10.0.1"
    assert list(value.places) == [0, *range(100, 106)]


def test_a_default_keeps_its_place() -> None:
    value = expand(spanned("${unset:-node:18}"), VARIABLES)
    assert (value.text, list(value.places)) == ("node:18", list(range(9, 16)))


def test_an_expansion_is_bounded_in_length() -> None:
    variables = {"tenfold": spanned("0123456789" * 400)}
    assert len(expand(spanned("$tenfold"), variables)) == 4000
    with pytest.raises(BadWord, match="more than"):
        expand(spanned("$tenfold" * 1_000_000), variables)


def test_an_expansion_is_bounded_in_depth() -> None:
    with pytest.raises(BadWord, match="nest deeper"):
        expand(spanned("${a:-" * 1000 + "}" * 1000), {})


def test_a_hostile_pattern_costs_little() -> None:
    with pytest.raises(BadWord):
        expand(spanned("${v##" + "*a" * 100 + "b}"), {"v": spanned("a" * 4000)})
    assert expand(spanned("${v##" + "*a" * 60 + "b}"), {"v": spanned("a" * 500)}).text == "a" * 500


def test_quoted_words_stay_together() -> None:
    words = split_quoted(spanned('a=\'b c\' d="e \\" f" g\\ h  i'), "\\")
    assert [word.text for word in words] == ["a='b c'", 'd="e \\" f"', "g\\ h", "i"]


def test_flags_lose_their_quotes_and_end_at_the_first_other_word() -> None:
    flags, begin = split_flags(spanned('--from="a b" --link  src --not'), "\\")
    assert [flag.text for flag in flags] == ["--from=a b", "--link"]
    assert list(flags[0].places) == [*range(7), *range(8, 11)]
    assert begin == 21
