"""A message as Markdown, for an issue, a page or a mail."""

from bot.domain.wording.escaping import code, markdown
from bot.domain.wording.message import (
    ON_THE_PAGE,
    Block,
    Footnote,
    Heading,
    Items,
    Line,
    Message,
    Paragraph,
    Style,
    TextRun,
)


def markdown_of(message: Message) -> str:
    """Renders the blocks; everything from outside is escaped, so that nothing mentions or links by itself."""
    return "\n\n".join(map(_render_block, message.blocks)) + "\n"


def markdown_line(line: Line) -> str:
    """Renders one line, as harmless as the rest."""
    return "".join(map(_render_span, line))


def _render_block(block: Block) -> str:
    match block:
        case Heading():
            return f"## {markdown(block.text)}"
        case Paragraph():
            return "  \n".join(map(markdown_line, block.lines))
        case Items():
            return "\n".join(f"- {markdown_line(line)}" for line in block.lines)
        case Footnote():
            more = [_render_span(TextRun(ON_THE_PAGE, url=block.page))] if block.page else []
            return f"<sub>{' · '.join([markdown(block.text), *more] if block.text else more)}</sub>"


def _render_span(span: TextRun) -> str:
    lead, tail = span.margins
    text = markdown(span.text)
    if span.url is not None:
        return f"{lead}[{text}]({_address(span.url)}){tail}"
    match span.style:
        case Style.STRONG:
            return f"{lead}**{text}**{tail}"
        case Style.CODE:
            return f"{lead}{code(span.text)}{tail}"
        case Style.PLAIN:
            return f"{lead}{text}{tail}"


def _address(url: str) -> str:
    """What would end the link, or the line, is taken out."""
    return "".join(f"%{ord(sign):02X}" if sign in "()<> \n\r\t" else sign for sign in url)
