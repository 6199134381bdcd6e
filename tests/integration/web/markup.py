"""What a browser would make of a page that is not ours to make."""

import re
from html.parser import HTMLParser

_NEVER = {"script", "iframe", "object", "embed", "base"}


def foreign_markup(page: str) -> list[str]:
    """Elements, attributes and addresses in it that no template of ours writes."""
    found = _Elements()
    found.feed(page)
    return [
        *(found.names & _NEVER),
        *(name for name in found.attributes if name.startswith("on") or name == "style"),
        *(url for url in found.links if not re.match(r"/|https?://|#", url)),
    ]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_ours = tag == "script" and re.fullmatch(r"/static/page\.js\?v=[0-9a-f]+", dict(attrs).get("src") or "")
        if not is_ours:
            self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src", "action")}
