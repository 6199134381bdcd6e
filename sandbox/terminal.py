"""What GitHub and Slack show, for a terminal."""

import re
from collections.abc import Mapping
from typing import Any

from rich.markdown import Markdown
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

_FOLD = re.compile(r"</?(?:details|summary)>")
_LINK = re.compile(r"<(https?://[^|>]+)\|([^>]+)>")


def message_panel(message: Mapping[str, Any]) -> Panel:
    """A message of Slack."""
    lines = [_text_of(block) for block in message.get("blocks", [])]
    shown = "\n\n".join(line for line in lines if line) or message["text"]
    body = Text.from_markup(_LINK.sub(r"[link=\1]\2[/link]", escape(shown)))
    return Panel(body, title="Slack", border_style="magenta")


def body_panel(request: Mapping[str, Any]) -> Panel:
    """The body of a pull request."""
    return Panel(Markdown(_without_tables(request["body"])), title="its body", border_style="blue")


def _without_tables(markdown: str) -> str:
    """The same with a list item in the place of each row, so that a terminal cuts no name, and all unfolded."""
    lines: list[str] = []
    heads: list[str] = []
    for line in _FOLD.sub("", markdown).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            heads = []
            lines.append(line)
        elif not heads:
            heads = cells
        elif set(line) - set("|-: "):
            named = zip(heads, cells, strict=False)
            lines.append("- " + ", ".join(f"{head}: {cell}" if head else cell for head, cell in named if cell))
    return "\n".join(lines)


def _text_of(block: dict[str, object]) -> str:
    text = block.get("text")
    if isinstance(text, dict):
        return str(text.get("text", ""))
    elements = block.get("elements")
    if isinstance(elements, list):
        return "  ".join(str(element.get("text", "")) for element in elements)
    return ""
