"""Where the page shows the same, for whoever reads on a terminal."""

from typing import TYPE_CHECKING

from bot.cli.options import Format
from bot.cli.screen.output import print_line

if TYPE_CHECKING:
    from bot.settings import Settings


def print_page(settings: "Settings", path: str, output: Format) -> None:
    """Writes the address below a table, where `web.url` says where people reach the page; JSON stays as it is."""
    from bot.domain.wording.pages import page_address

    page = page_address(settings.web.url, path)
    if page is not None and output is not Format.JSON:
        print_line(f"On the page: {page}")
