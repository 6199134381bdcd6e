"""A message as Slack shows it, and the limits that Slack keeps."""

from typing import Any

from bot.clients.notifiers.slack_blocks import blocks_of
from bot.domain.wording.message import Message

HOSTILE = "<!channel> <https://evil.example|click> & *bold* `code` @here"


def texts(message: Message, *, but: type | None = None) -> str:
    """All texts of the rendered blocks, a line each, without those of one kind."""
    kept = tuple(block for block in message.blocks if but is None or not isinstance(block, but))
    return "\n".join(
        part["text"]
        for block in blocks_of(Message(message.text, kept))
        for part in [block.get("text"), *block.get("elements", ())]
        if part is not None
    )


def sections(message: Message) -> list[str]:
    """The texts of the sections."""
    return [block["text"]["text"] for block in blocks_of(message) if block["type"] == "section"]


def footnotes(message: Message) -> list[str]:
    """The texts of less weight."""
    return [block["elements"][0]["text"] for block in blocks_of(message) if block["type"] == "context"]


def check(message: Message) -> None:
    """Slack's limits and the shapes that it takes (Block Kit reference), of the blocks that the bot sends."""
    blocks = blocks_of(message)
    assert len(blocks) <= 50
    for block in blocks:
        match block:
            case {"type": "header", "text": text}:
                _check_text(text, "plain_text", 150)
                assert block.keys() == {"type", "text"}
            case {"type": "section", "text": text}:
                _check_text(text, "mrkdwn", 3000)
                assert block.keys() == {"type", "text"}
            case {"type": "context", "elements": [*elements]}:
                assert 0 < len(elements) <= 10
                for element in elements:
                    _check_text(element, "mrkdwn", 3000)
                assert block.keys() == {"type", "elements"}
            case _:
                raise AssertionError(f"a block that the bot does not send: {block}")


def _check_text(text: dict[str, Any], kind: str, longest: int) -> None:
    assert text.keys() <= {"type", "text", "verbatim"}
    assert text["type"] == kind
    assert "verbatim" not in text or kind == "mrkdwn"
    assert 0 < len(text["text"]) <= longest
