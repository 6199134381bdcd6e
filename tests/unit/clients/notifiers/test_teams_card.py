"""A message as an Adaptive Card: what is shown, escaped, and within its size."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.clients.notifiers.teams_card import card_of
from bot.domain.wording.message import Footnote, Heading, Items, Message, Paragraph, Style, TextRun, plain, strong


def rows(message: Message) -> list[dict[str, Any]]:
    body: list[dict[str, Any]] = card_of(message)["body"]
    return body


def shown(*blocks: Any) -> list[str]:
    return [row["text"] for row in rows(Message("text", blocks))]


def test_every_kind_of_block_is_shown() -> None:
    link = (TextRun("contoso/shop", url="https://host/pull/1"), TextRun(" open"))
    assert shown(
        Heading("A release"), Paragraph((strong("3 open"), plain("x"))), Items((link,)), Footnote("Rollout 3")
    ) == ["A release", "**3 open**", "x", "- [contoso/shop](https://host/pull/1) open", "Rollout 3"]


def test_the_last_line_leads_to_the_page() -> None:
    message = Message("text", (Footnote("Rollout 3"),)).with_page("https://page.example/rollouts/3")
    assert rows(message)[-1]["text"] == "Rollout 3 · [More on the page](https://page.example/rollouts/3)"


def test_code_is_plain_since_cards_know_none() -> None:
    assert shown(Paragraph(((TextRun("aspnet:10.0", Style.CODE),),))) == ["aspnet:10.0"]


def test_signs_of_markdown_and_tags_are_escaped() -> None:
    assert shown(Paragraph((plain("*a* [b](c) <at>everyone</at>"),))) == [
        r"\*a\* \[b\]\(c\) &lt;at\>everyone&lt;/at\>"
    ]


def test_a_card_that_would_be_too_large_says_how_much_is_left_out() -> None:
    lines = tuple(plain(f"contoso/service-{number:04} " + "x" * 100) for number in range(1000))
    message = Message("text", (Heading("Large"), Items(lines)))
    body = rows(message)
    assert len(json.dumps(card_of(message), ensure_ascii=False).encode()) <= 20_000
    assert body[-1]["text"] == f"and {1001 - (len(body) - 1)} more lines"


@given(st.lists(st.text(max_size=300), max_size=50))
def test_no_text_makes_a_card_too_large_or_a_row_empty(texts: list[str]) -> None:
    message = Message("text", (Items(tuple(map(plain, texts))), *map(Footnote, texts)))
    assert len(json.dumps(card_of(message), ensure_ascii=False).encode()) <= 20_000
    assert all(row["text"] for row in rows(message))
