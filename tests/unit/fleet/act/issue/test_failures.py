import pytest

from bot.fleet.act.issue.failures import IssueFailure, failures

GONE = "\n\nThis goes away by itself once the images are rebuilt."


def failed(url: str | None = "https://forge/pull/1") -> IssueFailure:
    return IssueFailure(("aspnet:10.0", "sdk:10.0"), "the build is red", url)


def test_a_failure_is_told_with_its_bases_its_reason_and_where_to_look() -> None:
    section = failures([failed()])
    assert section.title == "Rebuilds that failed"
    assert section.text == (f"- `aspnet:10.0`, `sdk:10.0`: the build is red ([look](https://forge/pull/1)){GONE}")
    assert section.told == "aspnet:10.0, sdk:10.0: the build is red"
    assert section.opens


@pytest.mark.parametrize("url", [None, "", "http://forge/pull/1", "javascript:alert", "https://forge/)evil"])
def test_what_is_no_safe_address_is_no_link(url: str | None) -> None:
    assert failures([failed(url)]).text == f"- `aspnet:10.0`, `sdk:10.0`: the build is red{GONE}"


def test_of_many_ten_are_told_and_the_rest_is_counted() -> None:
    assert failures([failed()] * 10).text.count("look") == 10
    assert "more" not in failures([failed()] * 10).text
    section = failures([failed()] * 12)
    assert section.text.count("look") == 10
    assert "\n- and 2 more\n" in section.text
    assert section.told.count("; ") == 9
