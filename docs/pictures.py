"""Draws docs/slack.png and docs/pull-request.png from what the bot really wrote in the sandbox: `make pictures`.

Only the address of the sandbox's registry is replaced, by the one that it stands for.
"""

import asyncio
import html
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from bot.domain.clock import SystemClock
from bot.service.logs import set_up
from bot.service.one_off import pass_once
from bot.settings import load
from sandbox.fleet import SampleFleet
from sandbox.world import World

FOLDER = Path(__file__).parent
CVES = {"CVE-2026-21218": "high", "CVE-2026-21219": "medium"}
STYLE = """
body { margin: 0; padding: 20px; width: 720px; color: #1d1c1d }
body { font: 15px/1.45 "Noto Sans", "DejaVu Sans", sans-serif }
a { color: #1264a3; text-decoration: none }
code { font: 13px "DejaVu Sans Mono", monospace; background: #f2f2f4; border-radius: 3px; padding: 1px 4px }
h1 { font-size: 18px; margin: 4px 0 8px } p { margin: 0 0 10px } .quiet { color: #616061; font-size: 13px }
.who { font-weight: 700; margin-bottom: 2px } .who span { font-weight: 400; color: #616061; font-size: 12px }
table { border-collapse: collapse; margin-bottom: 10px; font-size: 12px } td code { font-size: 11px }
td:last-child { white-space: nowrap }
td, th { border: 1px solid #d1d9e0; padding: 5px 8px; text-align: left; overflow-wrap: anywhere }
"""


async def written() -> tuple[dict[str, Any], dict[str, Any], str]:
    """The Slack message and a pull request of a patch day, and the host that the sandbox's registry had."""
    async with World() as world:
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        with tempfile.TemporaryDirectory() as folder:
            settings = load(world.config(Path(folder), f"sqlite:///{folder}/freshness.db"))
            await pass_once(settings, SystemClock())
            await fleet.publish_runtime("10.0.1")
            await fleet.publish_sdk("10.0.1")
            fleet.announce("10.0.1", security=True, cves=tuple(CVES))
            for cve, severity in CVES.items():
                package = "Microsoft.AspNetCore.App.Runtime.linux-x64"
                affected, patched = ">= 10.0.0, < 10.0.1", "10.0.1"
                world.feeds.publish_advisory(
                    cve, severity=severity, package=package, affected=affected, patched=patched
                )
            await pass_once(settings, SystemClock())
            [request] = await world.github.pull_requests("payments-api")
            for run in world.github.runs()[:1]:
                world.github.finish_run(run.id)
            await world.github.merge("payments-api", request["number"])
            await pass_once(settings, SystemClock())
        [message] = await world.slack.messages()
        return message, request, fleet.registry


def slack_page(message: Mapping[str, Any]) -> str:
    return f'<div class="who">freshness <span>APP</span></div>{"".join(map(_block, message["blocks"]))}'


def pull_request_page(request: Mapping[str, Any]) -> str:
    body = MarkdownIt("commonmark").enable("table").render(request["body"])
    number = f'<span class="quiet">#{request["number"]}</span>'
    return f"<h1>{html.escape(request['title'])} {number}</h1>{body}"


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


def draw(page: str, picture: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(
            f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body>{page}'
            "<script>document.title = document.documentElement.offsetHeight</script>",
            encoding="utf-8",
        )
        height = re.search(r"<title>(\d+)</title>", _browse(source, "--window-size=760,600", "--dump-dom"))
        assert height is not None, "the page tells its height"
        _browse(source, f"--window-size=760,{height[1]}", f"--screenshot={picture}")


def _browse(source: Path, *words: str) -> str:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("chromium is needed to draw: apt-get install chromium")
    flags = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
        *("--force-device-scale-factor=1.5", f"--user-data-dir={source.parent}/profile"),
    )
    shown = subprocess.run(  # noqa: S603 - a page that was written here
        [browser, *flags, *words, source.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    return shown.stdout


def main() -> None:
    set_up("text", verbose=False)
    message, request, registry = asyncio.run(written())
    for page, name in ((slack_page(message), "slack.png"), (pull_request_page(request), "pull-request.png")):
        draw(page.replace(registry, "mcr.microsoft.com"), FOLDER / name)


if __name__ == "__main__":
    main()
