"""A message as plain text, for services that show no Markdown."""

from bot.domain.wording.escaping import plain_text
from bot.domain.wording.message import (
    ON_THE_PAGE,
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    TextRun,
)


def text_of(message: Message) -> str:
    """Renders the blocks; links stand in brackets, and nothing from outside calls anybody."""
    return "\n\n".join(map(_render_block, message.blocks)) + "\n"


def _render_block(block: Block) -> str:
    match block:
        case Heading():
            return plain_text(block.text)
        case Paragraph():
            return "\n".join(map(_render_line, block.lines))
        case Items():
            return "\n".join(f"- {_render_line(line)}" for line in block.lines)
        case Footnote():
            more = [_render_run(TextRun(ON_THE_PAGE, url=block.page))] if block.page else []
            return " · ".join([plain_text(block.text), *more] if block.text else more)


def _render_line(line: Line) -> str:
    return "".join(map(_render_run, line))


def _render_run(run: TextRun) -> str:
    lead, tail = run.margins
    address = f" ({''.join(run.url.split())})" if run.url is not None else ""
    return f"{lead}{plain_text(run.text)}{address}{tail}"
