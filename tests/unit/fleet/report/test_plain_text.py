"""A message as plain text: every block, and nothing that calls anybody or links by itself."""

from bot.domain.wording.message import Footnote, Heading, Items, Message, Paragraph, Style, TextRun, plain, strong
from bot.fleet.report.plain_text import text_of


def test_every_kind_of_block_is_shown() -> None:
    link = (TextRun("contoso/shop", url="https://host/pull/1"), TextRun(" open"))
    message = Message(
        "text",
        (
            Heading("A release"),
            Paragraph((strong("3 open"), plain("of 4"))),
            Items((link, (TextRun("aspnet:10.0", Style.CODE), TextRun(" moved")))),
            Footnote("Rollout 3", "https://page/rollouts/3"),
            Footnote("", "https://page"),
        ),
    )
    assert text_of(message) == (
        "A release\n\n3 open\nof 4\n\n- contoso/shop (https://host/pull/1) open\n- aspnet:10.0 moved\n\n"
        "Rollout 3 · More on the page (https://page/rollouts/3)\n\nMore on the page (https://page)\n"
    )


def test_text_from_outside_calls_nobody_and_ends_no_line() -> None:
    shown = text_of(Message("text", (Items((plain("@everyone <users/all>\n- [a](https://evil.example)"),)),)))
    assert "@everyone" not in shown
    assert "<users" not in shown
    assert "](" not in shown
    assert shown.count("\n") == 1
    assert shown.replace("\u200b", "") == "- @everyone <users/all> - [a](https://evil.example)\n"


def test_an_address_ends_no_line() -> None:
    assert (
        text_of(Message("text", (Paragraph(((TextRun("a", url="https://h/a b\nc"),),)),))) == "a (https://h/abc)\n"
    )
