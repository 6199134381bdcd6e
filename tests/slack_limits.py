"""A message as Slack shows it, and the limits that Slack keeps."""

from slack_sdk.models.blocks import Block

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
    """Slack's limits (Block Kit reference), and what its own models refuse."""
    blocks = blocks_of(message)
    assert len(blocks) <= 50
    for block in blocks:
        Block.parse(dict(block)).validate_json()  # type: ignore[union-attr]
        if block["type"] == "header":
            assert 0 < len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert 0 < len(block["text"]["text"]) <= 3000
