"""A message as Markdown: every block, and nothing that mentions or links by itself."""

from markdown_it import MarkdownIt

from bot.domain.wording.message import Footnote, Heading, Items, Message, Paragraph, Style, TextRun, plain, strong
from bot.fleet.report.markdown import markdown_of


def rendered(*blocks: object) -> str:
    return MarkdownIt().render(markdown_of(Message("text", blocks)))  # type: ignore[arg-type]


def test_every_kind_of_block_is_shown() -> None:
    link = (TextRun("contoso/shop", url="https://host/pull/1"), TextRun(" open"))
    shown = rendered(
        Heading("A release"),
        Paragraph((strong("3 open"), plain("of 4"))),
        Items((link, ((TextRun("aspnet:10.0", Style.CODE)), TextRun(" moved")))),
        Footnote("Rollout 3"),
    )
    assert "<h2>A release</h2>" in shown
    assert "<strong>3 open</strong><br />\nof 4" in shown
    assert '<a href="https://host/pull/1">contoso/shop</a> open' in shown
    assert "<code>aspnet:10.0</code> moved" in shown
    assert "Rollout 3" in shown


def test_text_from_outside_stays_text() -> None:
    shown = rendered(Items((plain("[a](https://evil.example) <b>x</b> # no heading"),)))
    assert "<a " not in shown
    assert "<b>" not in shown


def test_an_address_cannot_end_its_link() -> None:
    shown = rendered(Paragraph(((TextRun("shop", url="https://host/a) [b](https://evil.example"),),)))
    assert 'href="https://evil' not in shown
