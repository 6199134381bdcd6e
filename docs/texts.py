"""Writes docs/texts.md from what the bot really wrote in the sandbox: `make pictures`. A test holds the page to it.

The sandbox's registry counts as Microsoft's there, and in what was written only addresses are replaced, by those
that they stand for.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from bot.commands.rollouts.onboard import take_up
from bot.domain.bases import dotnet
from bot.domain.clock import Clock, SystemClock
from bot.domain.rollouts.journal import Word
from bot.service.logs import set_up
from bot.service.one_off import pass_once
from bot.settings import Settings, load
from sandbox.fleets.bare_repository import bare_files
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, WEEKLY_REBUILD, SampleFleet
from sandbox.world import World

PAGE = Path(__file__).parent / "texts.md"
CVES = {"CVE-2026-21218": "high", "CVE-2026-21219": "medium"}
MISSED = {"CVE-2026-20907": "critical", "CVE-2026-20911": "high", "CVE-2026-20912": "medium"}
"""What was fixed before the first day."""
OPENSSL = (
    ("CVE-2026-31790", "high", "3.0.13-0ubuntu3.2"),
    ("CVE-2026-34411", "high", "3.0.13-0ubuntu3.3"),
    ("CVE-2026-34180", "medium", None),
)
"""What Ubuntu says of its openssl: fixed by the new base, fixed after it, and not at all."""
CANARIES = ("catalog-web", "basket-api", "pricing-api")
SETTINGS: Mapping[str, Any] = {
    "policy": [
        {"match": {"repositories": [f"contoso/{name}" for name in CANARIES]}, "wave": "canary", "settle": "0s"},
        {"settle": "0s"},
    ],
    "rollout": {"waves": [{"name": "canary", "soak": "4h"}, {"name": "rest"}]},
}
_LINK = re.compile(r"<(?:https?://[^|>]+)\|([^>]+)>")


@dataclass(frozen=True, slots=True)
class Texts:
    """What the servers of the sandbox held at the end, with addresses as in the world outside."""

    day_one: str
    title: str
    body: str
    commit: str
    issue: str
    paused: str
    onboarding_title: str
    onboarding: str


async def written() -> Texts:
    """Plays a first day, on which much is behind, and a patch day, on which canaries fail."""
    async with microsofts_world() as world:
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        fleet.announce("10.0.0", security=False, on=datetime.now(UTC).date() - timedelta(days=30))
        floating = f"FROM {fleet.registry}/{ASPNET}:{RUNTIME_TAG}\nCOPY . /app\n"
        for name in CANARIES[1:]:
            files = {"Dockerfile": floating, ".github/workflows/weekly-rebuild.yml": WEEKLY_REBUILD}
            await world.github.create_repository(name, files)
        await fleet.publish_runtime("10.0.1")
        fleet.announce(
            "10.0.1", security=True, cves=tuple(MISSED), on=datetime.now(UTC).date() - timedelta(days=20)
        )
        with tempfile.TemporaryDirectory() as folder:
            config = world.config(Path(folder), f"sqlite:///{folder}/freshness.db")
            config.write_text(
                yaml.safe_dump({**yaml.safe_load(config.read_text()), **SETTINGS, **ubuntu_read(world)})
            )
            publish_openssl(world)
            publish_advisories(world, MISSED, "10.0.1")
            settings, clock = load(config), SystemClock()
            await pass_once(settings, clock)
            [day_one] = await world.slack.messages()
            await fleet.publish_runtime("10.0.2", os=b"noble 2")
            fleet.announce("10.0.2", security=True, cves=tuple(CVES))
            publish_advisories(world, CVES, "10.0.2")
            await pass_once(settings, clock)
            [request] = await world.github.pull_requests("payments-api")
            head = await world.github.ask(
                "GET", f"/repos/contoso/payments-api/git/commits/{request['head']['sha']}"
            )
            for run in world.github.runs():
                world.github.finish_run(
                    run.id, "failure" if run.workflow.repository != "contoso/basket-api" else "success"
                )
            for _ in range(3):
                await pass_once(settings, clock)
            [issue] = [
                each
                for each in await world.github.ask("GET", "/repos/contoso/pricing-api/issues?state=open")
                if "pull_request" not in each
            ]
            paused = await _paused(world)
            brought = await _onboarded(world, settings, clock)
        return Texts(
            *(
                _outside(text, world)
                for text in (
                    slack_text(day_one),
                    request["title"],
                    request["body"],
                    head["message"],
                    f"{issue['title']}\n\n{issue['body']}",
                    paused,
                    brought["title"],
                    brought["body"],
                )
            )
        )


@asynccontextmanager
async def microsofts_world() -> AsyncIterator[World]:
    """A world whose registry counts as Microsoft's, which it stands for: texts tell by that who rebuilds a base."""
    async with World() as world:
        # Rules keep Microsoft's own name, by which they know what a file names: they are loaded before.
        import_module("bot.files.audit.rules")
        with mock.patch.object(dotnet, "MICROSOFT", world.registry.host):
            yield world


def ubuntu_read(world: World) -> dict[str, Any]:
    """The settings that have the bot read what Ubuntu publishes in the sandbox."""
    return {"vulnerabilities": {"ubuntu": {"url": world.feeds.dump_address("Ubuntu")}}}


def publish_advisories(world: World, cves: Mapping[str, str], patched: str) -> None:
    """What GitHub says of CVEs that a release fixes, each with its severity."""
    for cve, severity in cves.items():
        package = "Microsoft.NETCore.App.Runtime.linux-x64"
        affected = f">= 10.0.0, < {patched}"
        world.feeds.publish_advisory(cve, severity=severity, package=package, affected=affected, patched=patched)


def publish_openssl(world: World) -> None:
    """Has Ubuntu's dump tell of openssl."""
    for cve, severity, fixed in OPENSSL:
        world.feeds.publish_ubuntu_cve(cve, "openssl", severity=severity, fixed=fixed)


async def _onboarded(world: World, settings: Settings, clock: Clock) -> Mapping[str, Any]:
    """The first pull request of a repository that is brought to the practices on a person's word."""
    files = {path: text.decode() for path, text in bare_files().items()}
    name = await world.github.create_repository("shop", files)
    await pass_once(settings, clock)
    await take_up(settings, [name], Word("ada", "the practices"), clock)
    await pass_once(settings, clock)
    [request] = await world.github.pull_requests("shop")
    found: Mapping[str, Any] = request
    return found


async def _paused(world: World) -> str:
    """The rollout's message, and below it the answers of its thread."""
    messages = [each for each in await world.slack.messages() if "fixes" in each["text"]]
    thread = await world.slack.thread(messages[-1]["ts"])
    first, *answers = [slack_text(each) for each in thread]
    quoted = ["\n".join(f"    {line}".rstrip() for line in answer.splitlines()) for answer in answers]
    return "\n\n".join([first, *quoted])


def slack_text(message: Mapping[str, Any]) -> str:
    """The blocks one below the other, as a person reads them."""
    return "\n\n".join(_LINK.sub(r"\1", text) for block in message["blocks"] if (text := _block(block)))


def _block(block: Mapping[str, Any]) -> str:
    if block["type"] == "context":
        return " ".join(part["text"] for part in block["elements"])
    text = block["text"]["text"]
    return f"*{text}*" if block["type"] == "header" else str(text)


def _outside(text: str, world: World) -> str:
    text = text.replace(world.registry.host, "mcr.microsoft.com").replace(world.github.url, "https://github.com")
    return text.replace("\r\n", "\n").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&").strip()


def page(texts: Texts) -> str:
    """The whole page."""
    parts: Sequence[tuple[str, str, str, str]] = (
        (
            "The first day, in Slack",
            "What the first pass says of a fleet that pins what was current months ago.",
            "text",
            texts.day_one,
        ),
        ("A pull request", f"Its title is `{texts.title}`, its body:", "markdown", texts.body),
        (
            "Its commit message",
            "The lines at the end tell the bot which digests the commit is for.",
            "text",
            texts.commit,
        ),
        (
            "The issue of a repository",
            "One for everything that fails there, edited in place and closed by itself. The title, then the body:",
            "markdown",
            texts.issue,
        ),
        (
            "A paused rollout, in Slack",
            "The message of the rollout, and what is answered below it.",
            "text",
            texts.paused,
        ),
        (
            "A pull request of onboarding",
            f"Its title is `{texts.onboarding_title}`, its body:",
            "markdown",
            texts.onboarding,
        ),
    )
    lines = [
        "# What it writes",
        "",
        "What people read of the bot, as it wrote it in its sandbox: in Slack, in pull requests, in issues.",
        "",
        "This page is written by `make pictures`; change what it is made from, not the page.",
    ]
    for title, intro, kind, text in parts:
        lines += ["", f"## {title}", "", intro, "", f"~~~~{kind}", text, "~~~~"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the page."""
    set_up("text", verbose=False)
    PAGE.write_text(page(asyncio.run(written())), encoding="utf-8")


if __name__ == "__main__":
    main()
