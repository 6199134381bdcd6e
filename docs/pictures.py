"""Draws docs/images anew: what the bot wrote in the sandbox, and its page over a stored fleet (`make pictures`).

The sandbox's registry counts as Microsoft's, and only its address is replaced, by those that it stands for.
`--every FOLDER` draws every page instead, 1280 and 400 pixels wide, light and dark, to look at them.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Browser, Page, sync_playwright

from bot.clients.notifiers.slack_blocks import blocks_of
from bot.clients.notifiers.teams_card import card_of
from bot.domain.clock import SystemClock
from bot.domain.wording.pages import page_address, rollout_path
from bot.fleet.report.messages.rollout import rollout_message
from bot.fleet.report.messages.summary import brief_summary
from bot.fleet.report.rows import ReportStore
from bot.fleet.standing.rows import StandingStore
from bot.service.logs import set_up
from bot.service.one_off import pass_once
from bot.settings import load
from bot.store.engine.database import open_database
from bot.store.pages.fleet.summary import SummaryStore
from docs.drawing import pull_request_page, slack_page, teams_page
from docs.shrinking import shrink
from docs.texts import CVES, microsofts_world, publish_openssl, ubuntu_read
from sandbox.fleets.fleet import SampleFleet
from sandbox.stored_fleet import names
from sandbox.stored_fleet.fleet import StoredFleet
from sandbox.stored_fleet.pages import BASE, PAGES
from sandbox.stored_fleet.serving import NOW, TOKEN, served, site_over

FOLDER = Path(__file__).parent / "images"
REPOSITORIES, USAGES = 140, 4
PAGE = "https://freshness.contoso.com"
REPOSITORY = names.repository(26)
IMAGE = f"ghcr.io/{names.repository(2)}"
CVE = "CVE-2026-31790"
SHOWN = {
    "fleet": ("/", 1280, 900, "light"),
    "rollout": ("/rollouts/13", 1280, 820, "dark"),
    "base": (f"/bases/{BASE}-noble-chiseled", 1280, 860, "light"),
    "repository": (f"/repositories/{REPOSITORY}", 1280, 900, "dark"),
    "image": (f"/images/{IMAGE}", 1280, 1290, "light"),
    "ledger": ("/cves", 1280, 900, "light"),
    "cve": (f"/cves/{CVE}", 1280, 900, "dark"),
    "upstream": ("/upstream", 1280, 900, "light"),
    "fleet-on-a-telephone": ("/", 400, 860, "dark"),
    "rollout-on-a-telephone": ("/rollouts/13?state=stepping", 400, 860, "light"),
}
"""Pictures of the page: its path, the width, the height that is shown, the colours."""


async def written() -> tuple[list[dict[str, Any]], dict[str, Any], str]:
    """The Slack message and a pull request of a patch day, and the host that the sandbox's registry had."""
    async with microsofts_world() as world:
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        with tempfile.TemporaryDirectory() as folder:
            config = world.config(Path(folder), f"sqlite:///{folder}/freshness.db")
            config.write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), **ubuntu_read(world)}))
            settings = load(config)
            publish_openssl(world)
            await pass_once(settings, SystemClock())
            await fleet.publish_runtime("10.0.1", os=b"noble 2")
            await fleet.publish_sdk("10.0.1", os=b"noble 2")
            fleet.announce("10.0.1", security=True, cves=tuple(CVES))
            for cve, severity in CVES.items():
                package = "Microsoft.NETCore.App.Runtime.linux-x64"
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
        return message["blocks"], request, fleet.registry


async def told() -> dict[str, str]:
    """A rollout in Slack and a summary in Teams, worded over the stored fleet."""
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(f"sqlite:///{folder}/page.db")
        await StoredFleet(database, NOW, REPOSITORIES, USAGES).write()
        stores = site_over(database).stores
        await stores[StandingStore].count()
        rollout = rollout_message(await stores[ReportStore].rollout(13)).with_page(
            page_address(PAGE, rollout_path(13))
        )
        summary = brief_summary(await stores[SummaryStore].summary(NOW - timedelta(days=7))).with_page(PAGE)
        await database.close()
    return {"slack-rollout": slack_page(blocks_of(rollout)), "teams-summary": teams_page(card_of(summary))}


async def messages() -> dict[str, str]:
    """What is to be drawn, as HTML, by the picture's name."""
    blocks, request, registry = await written()
    pages = {"slack": slack_page(blocks), "pull-request": unfolded(pull_request_page(request)), **await told()}
    stands_for = {f"{registry}/contoso/": "ghcr.io/contoso/", registry: "mcr.microsoft.com"}
    for here, outside in stands_for.items():
        pages = {name: text.replace(here, outside) for name, text in pages.items()}
    return pages


def unfolded(page: str) -> str:
    """The page with the tables of packages and CVEs as whoever clicks on it sees it."""
    return page.replace("<details>", "<details open>")


def draw_messages(browser: Browser, pages: Mapping[str, str]) -> None:
    page = browser.new_context(device_scale_factor=1.2).new_page()
    for name, text in pages.items():
        page.set_viewport_size({"width": 920 if 'class="wide"' in text else 760, "height": 200})
        page.set_content(text)
        page.screenshot(path=FOLDER / f"{name}.png", full_page=True)
    page.context.close()


def draw_pages(browser: Browser) -> None:
    with _served() as url:
        for name, (path, width, height, colours) in SHOWN.items():
            page = _signed_in(browser, url, width, height, colours)
            page.goto(path)
            page.screenshot(path=FOLDER / f"{name}.png")
            page.context.close()


def draw_every_page(browser: Browser, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with _served() as url:
        for width in (1280, 400):
            for colours in ("light", "dark"):
                page = _signed_in(browser, url, width, 900, colours)
                for name, path in PAGES.items():
                    page.goto(path)
                    page.screenshot(path=folder / f"{name} {width} {colours}.png", full_page=True)
                page.context.close()


@contextmanager
def _served() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), repositories=REPOSITORIES, usages=USAGES) as url,
    ):
        yield url


def _signed_in(browser: Browser, url: str, width: int, height: int, colours: Any) -> Page:
    size: Any = {"width": width, "height": height}
    page = browser.new_context(base_url=url, viewport=size, color_scheme=colours).new_page()
    page.goto("/login")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def main(words: list[str]) -> None:
    set_up("text", verbose=False)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("chromium is needed to draw: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    worded = {} if words else asyncio.run(messages())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        if words[:1] == ["--every"] and len(words) == 2:
            draw_every_page(browser, Path(words[1]))
        elif words:
            sys.exit("python -m docs.pictures [--every FOLDER]")
        else:
            draw_pages(browser)
            draw_messages(browser, worded)
        browser.close()
    if not words:
        for picture in FOLDER.glob("*.png"):
            shrink(picture)


if __name__ == "__main__":
    main(sys.argv[1:])
