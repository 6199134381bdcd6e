"""Messages as the channels show them, as HTML to take pictures of: Slack's blocks, Teams' cards, a pull request."""

import html
import re
from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt

STYLE = """
body { margin: 0; padding: 20px; width: 720px; color: #1d1c1d; background: #fff }
body { font: 15px/1.45 "Noto Sans", "DejaVu Sans", sans-serif }
a { color: #1264a3; text-decoration: none }
code { font: 13px "DejaVu Sans Mono", monospace; background: #f2f2f4; border-radius: 3px; padding: 1px 4px }
h1 { font-size: 18px; margin: 4px 0 8px } p { margin: 0 0 10px } .quiet { color: #616061; font-size: 13px }
.who { font-weight: 700; margin-bottom: 2px } .who span { font-weight: 400; color: #616061; font-size: 12px }
table { border-collapse: collapse; margin-bottom: 10px; font-size: 12px } td code { font-size: 11px }
th { white-space: nowrap }
body.wide { width: 880px }
td, th { border: 1px solid #d1d9e0; padding: 5px 8px; text-align: left; overflow-wrap: anywhere }
.card { border: 1px solid #e0e0e0; border-radius: 6px; padding: 14px 16px; box-shadow: 0 1px 3px #0002 }
.card a { color: #4f52b2 } .card p { margin: 0 0 8px } .card .large { font-size: 19px; font-weight: 600 }
.card ul { margin: 0 0 4px; padding-left: 22px } .card .subtle { color: #616161; font-size: 13px; margin: 0 }
"""


def slack_page(blocks: list[dict[str, Any]]) -> str:
    return _page(f'<div class="who">freshness <span>APP</span></div>{"".join(map(_block, blocks))}')


def teams_page(card: Mapping[str, Any]) -> str:
    """Its text blocks are Markdown, of which cards know bold, lists and links."""
    return _page(f'<div class="who">Workflows <span>14:20</span></div><div class="card">{_card(card)}</div>')


def pull_request_page(request: Mapping[str, Any]) -> str:
    body = MarkdownIt("commonmark").enable("table").render(request["body"])
    number = f'<span class="quiet">#{request["number"]}</span>'
    return _page(f"<h1>{html.escape(request['title'])} {number}</h1>{body}", "wide")


def _page(body: str, look: str = "") -> str:
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body class="{look}">{body}'


def _card(card: Mapping[str, Any]) -> str:
    shown = []
    for row in card["body"]:
        text = MarkdownIt("commonmark").render(row["text"])
        look = "large" if row.get("size") == "Large" else "subtle" if row.get("isSubtle") else ""
        shown.append(text if text.startswith("<ul") else text.replace("<p>", f'<p class="{look}">'))
    return "".join(shown)


def _block(block: Mapping[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h1>{html.escape(block['text']['text'])}</h1>"
        case "section":
            return f"<p>{_mrkdwn(block['text']['text'])}</p>"
        case "context":
            return "".join(f'<p class="quiet">{_mrkdwn(part["text"])}</p>' for part in block["elements"])
        case other:
            raise ValueError(f"no picture of a {other} block yet")


def _mrkdwn(text: str) -> str:
    """Slack's own markup; &, < and > are escaped in it already."""
    text = re.sub(r"<([^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    return re.sub(r"(?m)^\*(.+)\*$", r"<b>\1</b>", text).replace("\n", "<br>")
