"""A message as Slack's blocks."""

from bot.clients.notifiers.slack_blocks import blocks_of
from bot.domain.wording.message import Footnote, Heading, Items, Message, Paragraph, plain


def test_slack_makes_no_links_or_mentions_of_its_own() -> None:
    said = plain("see https://evil.example, #general, @here")
    message = Message("text", (Paragraph((said,)), Items((said,)), Footnote("by @here")), needs_person=True)
    blocks = blocks_of(message, "U0123456")
    told = [part for block in blocks for part in (block.get("text"), *block.get("elements", ())) if part]
    assert len(told) == 4
    assert all(part["verbatim"] is True for part in told)


def test_each_kind_of_block_has_the_shape_that_slack_documents() -> None:
    line = plain("text")
    message = Message("text", (Heading("Heading"), Paragraph((line,)), Items((line,)), Footnote("less")))
    assert blocks_of(message) == [
        {"type": "header", "text": {"type": "plain_text", "text": "Heading"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "text", "verbatim": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "• text", "verbatim": True}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "less", "verbatim": True}]},
    ]
