import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.wording.escaping import code, markdown, slack


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain words, 10.0.5 - and more", "plain words, 10.0.5 - and more"),
        ("@octocat", "@\u200boctocat"),
        ("contoso/shop#12", "contoso/shop\\#\u200b12"),
        ("see GH-12", "see GH-\u200b12"),
        ("<!-- hidden -->", "\\<\\!-- hidden --\\>"),
        ("a | b", "a \\| b"),
        ("[text](https://evil.example)", "\\[text\\]\\(https://evil.example\\)"),
        ("&#64;octocat", "\\&\\#\u200b64;octocat"),
        ("one\n\n# two", "one \\# two"),
    ],
)
def test_markdown_shows_the_text_and_does_nothing_else(text: str, harmless: str) -> None:
    assert markdown(text) == harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Dockerfile", "`Dockerfile`"),
        ("a`b", "`a'b`"),
        ("a\n\nb", "`a b`"),
        ("a|b", "`a¦b`"),
        ("", "` `"),
        ("--> x", "`--> x`"),
    ],
)
def test_a_code_span_holds_its_text(text: str, shown: str) -> None:
    assert code(text) == shown


@given(st.text())
def test_a_code_span_is_one_span_in_one_line_and_one_cell(text: str) -> None:
    shown = code(text)
    assert shown[0] == shown[-1] == "`"
    assert len(shown) >= 3
    assert not set(shown[1:-1]) & set("`|\n\r")


@given(st.text())
def test_markdown_never_mentions_opens_html_or_breaks_the_line(text: str) -> None:
    shown = markdown(text)
    assert not re.search(r"@\w", shown)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>\[\]`|&]", shown)
    assert "\n" not in shown


@given(st.text())
def test_slack_sees_no_control_sign_and_gives_the_text_back(text: str) -> None:
    shown = slack(text)
    assert "<" not in shown
    assert ">" not in shown
    assert html.unescape(shown) == text or "&" in text
