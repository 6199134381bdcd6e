"""`make demo`: a real fleet on this machine, a patch upstream, and what the bot does about it, told as it happens.

Every digest, pull request, run and message shown is asked of the servers after the fact.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import yaml
from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from bot.cli.options import CONFIG_VARIABLE
from bot.domain.clock import SystemClock
from bot.domain.evidence import Strength
from bot.domain.running.exposure import Asked, PlaceState
from bot.fleet.stage import Bot, TickOutcome
from bot.fleet.stages import one_pass
from bot.fleet.wiring.opening import open_bot
from bot.service.logs import set_up
from bot.settings import load
from bot.store.engine.queue.leases import bring_forward
from bot.store.pages.running.answering import exposure_of
from bot.store.views.images import ImageViewsStore
from bot.views.images.images import stands_on
from bot.views.running.exposed import Narrowed
from sandbox.fleets.clusters import CLUSTERS, SERVICES, FleetClusters, running
from sandbox.fleets.fleet import ASPNET, RUNTIME_TAG, SDK, SDK_TAG
from sandbox.fleets.pipelines import BESIDE, HOME, THERE, MixedFleet, azure_devops_in
from sandbox.programs.parts import MissingPart
from sandbox.terminal import body_panel, message_panel
from sandbox.world import World

_TAG = re.compile(r"^/v2/dotnet/(.+)/manifests/(.+)$")
CVES = {
    "CVE-2026-21218": ("high", "Elevation of privilege in the reading of archives"),
    "CVE-2026-21219": ("medium", "Denial of service by a header that is too long"),
}
"""Those of .NET that the patch fixes, each with its severity and its title; made up, as all of the demo."""
WORST_CVE = next(iter(CVES))
RUNTIME_PACK = "Microsoft.NETCore.App.Runtime.linux-x64"
"""The package by which an advisory says that it is about .NET's runtime on Linux."""
OPENSSL_CVE = "CVE-2026-31790"
"""One of the distribution, which its publisher fixes later."""
OPENSSL_TITLE = "Use after free in the parsing of CMS envelopes"
OPENSSL_FIXED = "3.0.13-0ubuntu3.2"
WHERE_STUCK = (f"packages find openssl --below {OPENSSL_FIXED}", f"cve {OPENSSL_CVE}")
TO_TRY = (
    "tour",
    "status",
    "plan",
    *WHERE_STUCK,
    "explain contoso/payments-api",
    "images",
    "running list",
    f"exposed {WORST_CVE}",
    f"history aspnet:{RUNTIME_TAG}",
    "once --dry-run",
)
"""Commands that have something to show on what the demo leaves."""


async def show(*, keep: bool) -> int:
    """The exit code: 0 where everything came out as it should, 1 where it did not, 2 where a part is missing."""
    console = Console(highlight=False)
    set_up("text", verbose=False)
    try:
        async with _fleet(console) as (clusters, fleet, bot, settings):
            story = _Story(console, clusters, fleet, bot, settings)
            code = await story.tell()
            if keep:
                await story.wait()
            return code
    except MissingPart as missing:
        console.print(Text(str(missing), style="red"))
        return 2


@asynccontextmanager
async def _fleet(console: Console) -> AsyncIterator[tuple[FleetClusters, MixedFleet, Bot, Path]]:
    async with AsyncExitStack() as exits:
        with console.status("starting a registry, GitHub, Azure DevOps, Slack, feeds and clusters on this machine"):
            world = await exits.enter_async_context(World())
            fleet = MixedFleet(world)
            await fleet.build("10.0.0")
        folder = exits.enter_context(tempfile.TemporaryDirectory(prefix="freshness-demo-"))
        path = world.config(Path(folder), f"sqlite:///{folder}/freshness.db")
        _read_vulnerabilities(world, path)
        _build_by_pipelines(fleet, path)
        clusters = await exits.enter_async_context(running(fleet, SystemClock()))
        _set(path, running=clusters.settings(path.parent))
        bot = await exits.enter_async_context(open_bot(load(path), SystemClock()))
        yield clusters, fleet, bot, path


def _set(config: Path, **sections: object) -> None:
    known = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**known, **sections}, sort_keys=False))


def _read_vulnerabilities(world: World, config: Path) -> None:
    """Has the bot read what Ubuntu and NuGet say of packages; Ubuntu tells of a CVE that it has no fix for."""
    world.feeds.publish_ubuntu_cve(OPENSSL_CVE, "openssl", severity="high", title=OPENSSL_TITLE)
    read = {"ubuntu": {"url": world.feeds.dump_address("Ubuntu")}, "nuget": {"api": world.feeds.url}}
    _set(config, vulnerabilities=read)


def _build_by_pipelines(fleet: MixedFleet, config: Path) -> None:
    """Has the bot start the pipeline of the repository that Azure DevOps builds, and look after the one there."""
    policy = yaml.safe_load(config.read_text())["policy"]
    azure = azure_devops_in(fleet.world, config.parent, f"{HOME}/*")
    _set(config, azure_devops=azure, policy=[fleet.rule(BESIDE), fleet.rule(THERE), *policy])


class _Story:
    def __init__(
        self, console: Console, clusters: FleetClusters, fleet: MixedFleet, bot: Bot, settings: Path
    ) -> None:
        self._console = console
        self._clusters = clusters
        self._fleet = fleet
        self._bot = bot
        self._settings = settings
        self._program = Path(sys.executable).with_name("freshness-bot")
        self._world = fleet.world
        self._wrong: list[str] = []

    async def tell(self) -> int:
        await self._settle()
        await self._patch()
        await self._quiet()
        await self._finish()
        await self._roll_out()
        await self._stuck()
        for line in self._wrong:
            self._console.print(Text(f"wrong: {line}", style="bold red"))
        return 1 if self._wrong else 0

    async def wait(self) -> None:
        """Says where everything is and what to try on it, and keeps it up until Ctrl-C."""
        ended = asyncio.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, ended.set)
        self._chapter("Left up until Ctrl-C", f"GitHub {self._world.github.url}, settings {self._settings}")
        to_copy = (f"export FRESHNESS_BOT_CONFIG={self._settings}", *(f"{self._program} {each}" for each in TO_TRY))
        for command in to_copy:
            self._console.print(Text(command), soft_wrap=True)
        await ended.wait()

    async def _settle(self) -> None:
        self._chapter(
            "The fleet",
            "Eight repositories on GitHub and one in Azure Repos; the bot reads them and remembers how their bases "
            "look.",
        )
        await self._pass()
        for base in (f"{ASPNET}:{RUNTIME_TAG}", f"{SDK}:{SDK_TAG}"):
            self._say(f"  {base}  {self._fleet.digests[base][:19]}  from the registry")
        self._expect(not self._world.traffic.writes(), "the first pass must not write anything")
        await self._expect_exposed("before", None)

    async def _patch(self) -> None:
        self._chapter("Patch day", "Microsoft pushes new images under the same tags and publishes the release.")
        pushed = await self._fleet.publish_runtime("10.0.1")
        await self._fleet.publish_sdk("10.0.1")
        self._fleet.announce("10.0.1", security=True, cves=tuple(CVES))
        for cve, (severity, title) in CVES.items():
            affected, patched = ">= 10.0.0, < 10.0.1", "10.0.1"
            self._world.feeds.publish_advisory(
                cve, severity=severity, package=RUNTIME_PACK, affected=affected, patched=patched, title=title
            )
        self._say(f"  {pushed.reference} is now {pushed.digest[:19]}")
        self._world.traffic.forget()
        outcomes = await self._pass()
        heads = self._world.traffic.requests(service="registry", method="HEAD", path="/dotnet/")
        tags = ", ".join(_TAG.sub(r"\1:\2", head.path) for head in heads)
        self._say(f"  {len(heads)} HEAD requests to the registry, one for each tag: {tags}")
        rebuilds = next(outcome for outcome in outcomes if outcome.stage == "plan").figures["rebuilds"]
        self._say(f"  {rebuilds} repositories must be rebuilt; website and handbook have nothing to do")
        await self._show_pull_requests()
        self._show_runs()
        await self._show_slack()
        await self._expect_exposed("published", len(SERVICES) * len(CLUSTERS))

    async def _quiet(self) -> None:
        self._chapter("Another pass", "Nothing new upstream: the bot looks, and leaves everything as it is.")
        self._world.traffic.forget()
        await self._pass()
        writes = self._world.traffic.writes()
        heads = self._world.traffic.requests(service="registry", method="HEAD", path="/dotnet/")
        self._say(f"  {len(heads)} HEAD requests for 2 distinct bases, {len(writes)} writes")
        self._expect(not writes, "a second pass must not write anything")

    async def _finish(self) -> None:
        self._chapter(
            "The proof",
            "A maintainer merges one pull request on each forge; the runs succeed, and push what they built.",
        )
        await self._show_images("before the builds")
        [request] = await self._world.github.pull_requests("payments-api")
        await self._world.github.merge("payments-api", request["number"])
        for run in self._world.github.runs():
            self._world.github.finish_run(run.id)
        for number in self._fleet.service.requests.rows:
            self._fleet.service.requests.complete(number)
        for number in self._fleet.service.builds:
            self._fleet.service.finish(number)
        await self._pass()
        await self._show_images("as the registry shows them now")
        await self._show_slack()
        merged = await self._world.github.read("payments-api", "Dockerfile")
        self._expect(
            self._fleet.digests[f"{ASPNET}:{RUNTIME_TAG}"] in merged, "main must name the digest of the registry"
        )
        images = [view.image for view in await self._bot.stores[ImageViewsStore].views()]
        proved = [image for image in images if image.strength is Strength.PROVED and image.behind_since is None]
        self._expect(len(proved) == len(self._fleet.built_on), "each image must be seen to stand on the new base")

    async def _roll_out(self) -> None:
        """What the answer is while the new builds are rolled out, and for the time before."""
        services = " and ".join(SERVICES)
        self._chapter(
            "Where it runs", f"Two clusters run {services}, each until the new build is rolled out there."
        )
        places = len(SERVICES) * len(CLUSTERS)
        await self._expect_exposed("proved, rolled out nowhere", places)
        proved_at = self._bot.clock.now()
        for number, name in enumerate(CLUSTERS, 1):
            self._clusters.roll_out(name)
            await self._pass()
            await self._expect_exposed(f"rolled out in {name}", places - number * len(SERVICES))
        await self._expect_exposed("asked of the time before", places, proved_at)
        await self._run(f"exposed {WORST_CVE}")

    async def _expect_exposed(self, when: str, wanted: int | None, at: datetime | None = None) -> None:
        """Says what is told of the worst CVE; None stands for one that nothing tells of."""
        asked = Asked(at or self._bot.clock.now())
        answer = await exposure_of(self._bot.stores, WORST_CVE, asked, Narrowed())
        self._say(f"  {when}: {WORST_CVE} {answer.verdict}")
        exposed = len(answer.of(PlaceState.EXPOSED)) if answer.is_told else None
        self._expect(exposed == wanted, f"{when}: {wanted} places must be exposed, told are {exposed}")

    async def _stuck(self) -> None:
        self._chapter(
            "Where a fix is stuck",
            f"Ubuntu fixes {OPENSSL_CVE} in openssl; no image of Microsoft's, whose registry this one stands for, "
            "has it yet.",
        )
        self._world.feeds.publish_ubuntu_cve(
            OPENSSL_CVE, "openssl", severity="high", title=OPENSSL_TITLE, fixed=OPENSSL_FIXED
        )
        await self._pass()
        for words in WHERE_STUCK:
            await self._run(words)

    async def _run(self, words: str) -> None:
        """Runs a command of the bot on the demo's store; what it writes is shown as it comes."""
        self._say(f"$ freshness-bot {words}")
        sys.stdout.flush()
        environment = {**os.environ, CONFIG_VARIABLE: str(self._settings)}
        process = await asyncio.create_subprocess_exec(self._program, *words.split(), env=environment)
        self._expect(await process.wait() == 0, f"`{words}` must know all of the fleet")

    async def _show_images(self, when: str) -> None:
        """What the layers of each image tell, whatever the runs say."""
        self._say(f"  images {when}:")
        now = self._bot.clock.now()
        for view in await self._bot.stores[ImageViewsStore].views():
            self._say(f"    {view.image.place}  {(view.image.digest or '')[:19]}")
            self._say(f"      stands on {stands_on(view.image, now)}")

    async def _pass(self) -> list[TickOutcome]:
        await bring_forward(self._bot.database, self._bot.clock.now())
        outcomes = await one_pass(self._bot)
        for outcome in outcomes:
            for problem in outcome.problems:
                self._console.print(Text(f"  {outcome.stage}: {problem}", style="yellow"))
        return outcomes

    async def _show_pull_requests(self) -> None:
        shown = False
        for name in self._fleet.repositories("10.0.0"):
            for request in await self._world.github.pull_requests(name):
                self._say(f"  pull request {request['html_url']}")
                self._say(f"    {request['title']}")
                if not shown:
                    shown = True
                    self._console.print(body_panel(request))
                    text = await self._world.github.read(name, "Dockerfile", request["head"]["ref"])
                    self._console.print(Syntax(text, "docker", background_color="default"))

        for number, row in self._fleet.service.requests.rows.items():
            self._say(f"  pull request {number} of {HOME}/{THERE}, in Azure Repos")
            self._say(f"    {row['title']}")

    def _show_runs(self) -> None:
        for run in self._world.github.runs():
            self._say(f"  run {run.id} of {run.workflow.path} in {run.workflow.repository}: {run.status}")
        for build in self._fleet.service.builds.values():
            name = self._fleet.service.definitions[build["definition"]["id"]]["name"]
            self._say(f"  build {build['id']} of the pipeline of {name}, at Azure DevOps: {build['status']}")

    async def _show_slack(self) -> None:
        messages = await self._world.slack.messages()
        self._expect(len(messages) == 1, f"Slack must have one message, it has {len(messages)}")
        for message in messages:
            self._console.print(message_panel(message))

    def _chapter(self, title: str, text: str) -> None:
        self._console.print()
        self._console.rule(Text(title, style="bold cyan"), align="left")
        self._console.print(text)

    def _say(self, text: str) -> None:
        self._console.print(Text(text))

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._wrong.append(otherwise)


def main() -> int:
    """Runs the demo with the arguments of `make demo`; the exit code."""
    parser = argparse.ArgumentParser(prog="sandbox.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running until Ctrl-C")
    try:
        return asyncio.run(show(keep=parser.parse_args().keep))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
