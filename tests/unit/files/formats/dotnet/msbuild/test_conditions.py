import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.files.formats.dotnet.msbuild.conditions import condition_holds

KNOWN = {"$(A)": "yes", "$(Empty)": "", "$(Version)": "8.0"}


def expand(text: str) -> str | None:
    for name, value in KNOWN.items():
        text = text.replace(name, value)
    return None if "$(" in text else text


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("", True),
        ("'$(A)' == 'YES'", True),
        ("'$(A)' != 'yes'", False),
        ("$(A) == yes", True),
        ("'$(Empty)' == ''", True),
        ("true", True),
        ("!false", True),
        ("'$(Version)' >= '8'", True),
        ("'10.0' > '9.0'", True),
        ("'$(A)' == 'yes' and '$(Empty)' == ''", True),
        ("'$(A)' == 'no' or ('$(A)' == 'yes' and !('$(Empty)' == 'x'))", True),
        ("'$(Unknown)' == 'x'", None),
        ("'$(Unknown)' == 'x' or '$(A)' == 'yes'", True),
        ("'$(Unknown)' == 'x' and '$(A)' == 'no'", False),
        ("'$(Unknown)' == 'x' and '$(A)' == 'yes'", None),
        ("!('$(Unknown)' == 'x')", None),
        ("Exists('file')", None),
        ("'a' == 'a' 'b'", None),
        ("('a' == 'a'", None),
        ("'a' <", None),
        ("$([MSBuild]::IsOSPlatform('Linux'))", None),
    ],
)
def test_what_a_text_can_and_cannot_decide(condition: str, answer: bool | None) -> None:
    assert condition_holds(condition, expand) is answer


parts = st.sampled_from(
    ["'$(A)'", "'yes'", "==", "!=", "<", "and", "or", "!", "(", ")", "true", "x", "'", "$(Unknown)"]
)


@given(st.text() | st.lists(parts).map(" ".join) | st.integers(0, 3000).map(lambda depth: "!(" * depth))
def test_any_condition_has_an_answer(condition: str) -> None:
    assert condition_holds(condition, expand) in (True, False, None)
