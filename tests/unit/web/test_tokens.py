"""The file that says who gets in, and whose token is shown."""

import pytest

from bot.settings.tokens import Right, parse, whose

SECRET = "a" * 24
OTHER = "b" * 24
FILE = f"# who\n\nprometheus metrics {OTHER}\nalice@contoso read,metrics {SECRET}\n"


def test_each_line_names_a_person_with_rights() -> None:
    assert [(token.person.name, token.person.rights) for token in parse(FILE)] == [
        ("prometheus", {Right.METRICS}),
        ("alice@contoso", {Right.READ, Right.METRICS}),
    ]


def test_who_acts_may_read_and_who_reads_may_read_the_metrics() -> None:
    [token] = parse(f"bob act {SECRET}")
    assert token.person.rights == set(Right)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names nobody"),
        ("alice read", "line 1 is not"),
        (f"\nalice root {SECRET}", "line 2 gives other rights"),
        ("alice read short", "line 1 has a token of less than 24"),
        (f"<b> read {SECRET}", "line 1 has no name"),
        (f"alice read {SECRET}\nalice act {OTHER}", "names alice twice"),
    ],
)
def test_a_wrong_line_is_named_and_its_secret_is_not(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as error:
        parse(text)
    assert SECRET not in str(error.value)


def test_a_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(parse(FILE))


@pytest.mark.parametrize("shown", ["", "a", SECRET[:-1], SECRET + "a", "ä" * 24, "\udcff"])
def test_what_is_no_token_is_nobodys(shown: str) -> None:
    assert whose(parse(FILE), shown) is None


def test_a_token_is_its_persons() -> None:
    person = whose(parse(FILE), SECRET)
    assert person is not None
    assert person.name == "alice@contoso"
