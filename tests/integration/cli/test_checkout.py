"""`scan` and `update` on a checkout, without a network and against a real registry."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.images import dotnet_image
from sandbox.world import World
from tests.integration.cli.conftest import Command

OLD = f"sha256:{'0' * 64}"
NEW = f"sha256:{'1' * 64}"
ASPNET = "mcr.microsoft.com/dotnet/aspnet:10.0"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "Dockerfile").write_bytes(
        b"# the shop\r\nFROM " + f"{ASPNET}@{OLD}".encode() + b" AS run\r\n"
    )
    (folder / "compose.yaml").write_text("services:\n  db:\n    image: postgres:18\n")
    (folder / "README.md").write_text(f"FROM {ASPNET}\n")
    return folder


class TestWithoutANetwork:
    def test_scan_lists_every_reference(self, bot: Command, checkout: Path) -> None:
        ran = bot("scan", checkout, "--offline", "--format", "json")
        rows = json.loads(ran.out)
        assert ran.code == 0
        assert [(row["file"], row["line"], row["watched"], row["freshness"]) for row in rows] == [
            ("compose.yaml", 3, False, "unwatched"),
            ("src/Dockerfile", 2, True, "unknown"),
        ]
        assert rows[1]["reference"] == f"{ASPNET}@{OLD}"

    def test_scan_shows_a_table_to_people(self, bot: Command, checkout: Path) -> None:
        out = bot("scan", checkout, "--offline").out
        assert out.startswith("2 references in 2 files: 1 unknown, 1 unwatched\n")
        assert "src/Dockerfile" in out

    def test_scan_tells_what_is_out_of_support_and_fails_for_it_where_asked(
        self, bot: Command, tmp_path: Path
    ) -> None:
        (tmp_path / "Dockerfile").write_text("FROM mcr.microsoft.com/dotnet/aspnet:6.0\n")
        ran = bot("scan", tmp_path, "--offline")
        assert ran.code == 0
        assert "1 reference: .NET 6.0 is out of support for " in ran.out
        [row] = json.loads(bot("scan", tmp_path, "--offline", "-f", "json").out)
        assert row["supported_until"] == "2024-11-12"
        assert bot("scan", tmp_path, "--offline", "--fail-on", "ended").code == 1

    def test_scan_takes_a_single_file(self, bot: Command, checkout: Path) -> None:
        [row] = json.loads(bot("scan", checkout / "compose.yaml", "--offline", "-f", "json").out)
        assert row["reference"] == "postgres:18"

    def test_scan_of_what_is_not_there_is_one_line(self, bot: Command, tmp_path: Path) -> None:
        ran = bot("scan", tmp_path / "absent", "--offline")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == f"{tmp_path}/absent: there is no such file or folder\n"

    def test_scan_of_nothing_is_an_empty_list(self, bot: Command, tmp_path: Path) -> None:
        ran = bot("scan", tmp_path, "--offline", "-f", "json")
        assert (ran.code, json.loads(ran.out)) == (0, [])

    def test_a_broken_file_leaves_standard_output_fit_for_scripts(self, bot: Command, checkout: Path) -> None:
        (checkout / "Dockerfile").write_text("FROM\n")
        (checkout / "docker-compose.yml").write_text("services:\n  a: {image: nginx\n  b\n")
        ran = bot("scan", checkout, "--offline", "-f", "json")
        assert len(json.loads(ran.out)) == 2
        assert "Dockerfile:1: " in ran.err
        assert "docker-compose.yml:" in ran.err

    def test_what_the_fleet_does_not_read_is_not_read_here_and_told(self, bot: Command, checkout: Path) -> None:
        (checkout / "src" / "bin").mkdir()
        (checkout / "src" / "bin" / "Dockerfile").write_text("FROM a:1\n")
        (checkout / "Dockerfile").symlink_to("src/Dockerfile")
        (checkout / "large.Dockerfile").write_bytes(b"#" * 3_000_000)
        ran = bot("scan", checkout, "--offline", "-f", "json")
        assert {row["file"] for row in json.loads(ran.out)} == {"compose.yaml", "src/Dockerfile"}
        assert "src/bin/Dockerfile:1: this one was not read: files under bin/ and obj/" in ran.err
        assert "Dockerfile:1: a symbolic link is not followed" in ran.err
        assert "large.Dockerfile:1: larger than 1024 KiB (3,000,000 bytes)" in ran.err

    def test_images_of_dotnet_that_nobody_watches_are_told_with_the_line_to_add(
        self, bot: Command, checkout: Path
    ) -> None:
        (checkout / "Dockerfile").write_text(
            "FROM mcr.microsoft.com/dotnet/framework/aspnet:4.8\n"
            "FROM mcr.microsoft.com/windows/nanoserver:ltsc2022\n"
            "FROM mcr.microsoft.com/devcontainers/dotnet:10.0\n"
        )
        lines = bot("scan", checkout, "--offline").out.splitlines()
        assert "among them: 1 .NET Framework, 1 Windows" in lines
        assert (
            "mcr.microsoft.com/devcontainers/dotnet (.NET, 1 reference) is not watched; to watch it, add "
            "mcr.microsoft.com/devcontainers/dotnet to bases"
        ) in lines

    def test_a_file_name_cannot_drive_the_terminal(self, bot: Command, tmp_path: Path) -> None:
        (tmp_path / "a\x1b[31m.Dockerfile").write_text("FROM\n")
        ran = bot("scan", tmp_path, "--offline")
        assert "a\N{REPLACEMENT CHARACTER}[31m.Dockerfile:1: " in ran.err
        assert "\x1b[31m" not in ran.err

    def test_update_rewrites_in_place_and_leaves_every_other_byte(self, bot: Command, checkout: Path) -> None:
        before = (checkout / "src" / "Dockerfile").read_bytes()
        ran = bot("update", checkout, "--set", f"{ASPNET}@{OLD}={ASPNET}@{NEW}")
        assert (ran.code, ran.out) == (0, "src/Dockerfile: 1 place rewritten\n")
        assert (checkout / "src" / "Dockerfile").read_bytes() == before.replace(OLD.encode(), NEW.encode())

    def test_a_refused_file_cannot_drive_the_terminal(self, bot: Command, tmp_path: Path) -> None:
        text = "ARG TAG=1\nFROM x.io/a:${TAG} AS a\nFROM x.io/b:${TAG}\n"
        (tmp_path / "a\x1b[31m.Dockerfile").write_text(text)
        ran = bot("update", tmp_path, "--set", "x.io/a:1=x.io/a:2")
        assert ran.code == 1
        assert "a\N{REPLACEMENT CHARACTER}[31m.Dockerfile" in ran.err
        assert "\x1b" not in ran.err

    def test_update_names_the_nearest_reference_where_the_old_one_occurs_nowhere(
        self, bot: Command, checkout: Path
    ) -> None:
        ran = bot("update", checkout, "--set", "postgres:17=postgres:18")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == (f"--set: postgres:17 occurs nowhere below {checkout}; the nearest is postgres:18\n")

    def test_update_answers_scripts(self, bot: Command, checkout: Path) -> None:
        ran = bot("update", checkout, "--set", f"{ASPNET}@{OLD}={ASPNET}@{NEW}", "--format", "json")
        assert json.loads(ran.out) == [{"file": "src/Dockerfile", "edits": 1, "refused": []}]

    @pytest.mark.parametrize("change", ["aspnet:10.0", "=b", "a:1=", "Not A Reference=b"])
    def test_update_takes_whole_references_only(self, bot: Command, checkout: Path, change: str) -> None:
        ran = bot("update", checkout, "--set", change)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("--set: ")
        assert ran.err.endswith("; write OLD=NEW with whole references\n")


PLACE = "cli/dotnet/aspnet"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A floating tag that moved from 10.0.0 to 10.0.1, and settings that watch it."""

    settings: Path
    base: str
    digest: str


@pytest_asyncio.fixture
async def upstream(shared_world: World, tmp_path: Path) -> Upstream:
    shared_world.faults.clear()
    for version in ("10.0.0", "10.0.1"):
        image = dotnet_image("aspnet", version)
        await shared_world.registry.push(PLACE, version, image)
        pushed = await shared_world.registry.push(PLACE, "10.0", image)
    host = shared_world.registry.host
    path = tmp_path / "freshness.yaml"
    path.write_text(f"registries: {{'{host}': {{insecure: true}}}}\nbases: ['{host}/cli/dotnet/*']\n")
    shared_world.traffic.forget()
    return Upstream(path, f"{host}/cli/dotnet/aspnet:10.0", pushed.digest)


def checkout_of(folder: Path, *references: str) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text("".join(f"FROM {reference}\n" for reference in references))
    return folder


class TestAgainstARegistry:
    def test_a_registry_that_cannot_tell_makes_exit_code_3_unless_something_is_stale(
        self, bot: Command, upstream: Upstream, tmp_path: Path
    ) -> None:
        missing = upstream.base.replace("aspnet:10.0", "absent:10.0")
        unknown = checkout_of(tmp_path / "unknown", f"{missing}@{OLD}")
        both = checkout_of(tmp_path / "both", f"{missing}@{OLD}", f"{upstream.base}@{OLD}")
        assert bot("scan", unknown, "-c", upstream.settings).code == 3
        assert bot("scan", both, "-c", upstream.settings).code == 1

    @pytest.mark.parametrize("is_stale", [False, True], ids=["fresh", "stale"])
    def test_pins_by_digest_cost_one_request_each(
        self, bot: Command, upstream: Upstream, tmp_path: Path, shared_world: World, *, is_stale: bool
    ) -> None:
        pins = checkout_of(tmp_path / "pins", f"{upstream.base}@{OLD if is_stale else upstream.digest}")
        assert bot("scan", pins, "-c", upstream.settings).code == is_stale
        assert [request.method for request in shared_world.traffic.requests(service="registry")] == ["HEAD"]

    def test_scan_tells_stale_from_fresh(
        self, bot: Command, upstream: Upstream, tmp_path: Path, shared_world: World
    ) -> None:
        base, digest = upstream.base, upstream.digest
        folder = checkout_of(tmp_path / "shop", f"{base}@{OLD}", f"{base}@{digest}", base, f"{base}.0")
        rows = json.loads(bot("scan", folder, "-c", upstream.settings, "-f", "json").out)
        assert [(row["freshness"], row["becomes"]) for row in rows] == [
            ("stale", f"{base}@{digest}"),
            ("fresh", None),
            ("floating", None),
            ("stale", f"{base}.1"),
        ]
        heads = shared_world.traffic.requests(service="registry", method="HEAD")
        assert len(heads) == 2, "one request for each distinct base, and one for each tag that is to be written"

    def test_a_stale_reference_makes_exit_code_1(self, bot: Command, upstream: Upstream, tmp_path: Path) -> None:
        stale = checkout_of(tmp_path / "stale", f"{upstream.base}@{OLD}")
        fresh = checkout_of(tmp_path / "fresh", f"{upstream.base}@{upstream.digest}")
        assert bot("scan", stale, "-c", upstream.settings).code == 1
        assert bot("scan", fresh, "-c", upstream.settings).code == 0

    def test_update_brings_a_checkout_up_to_date(self, bot: Command, upstream: Upstream, tmp_path: Path) -> None:
        folder = checkout_of(tmp_path / "shop", f"{upstream.base}@{OLD}", f"{upstream.base}.0", "nginx:1.29")
        ran = bot("update", folder, "-c", upstream.settings)
        assert (ran.code, ran.out) == (0, "Dockerfile: 2 places rewritten\n")
        assert (folder / "Dockerfile").read_text() == (
            f"FROM {upstream.base}@{upstream.digest}\nFROM {upstream.base}.1\nFROM nginx:1.29\n"
        )

    @pytest_asyncio.fixture
    async def taken_back(self, upstream: Upstream, shared_world: World) -> tuple[Upstream, str]:
        """The floating tag shows 10.0.1 again; the digest is that of 10.0.2, which it showed before."""
        pushed = await shared_world.registry.push(PLACE, "10.0.2", dotnet_image("aspnet", "10.0.2"))
        shared_world.traffic.forget()
        return upstream, pushed.digest

    @pytest.mark.parametrize(
        "text",
        [
            "FROM {name}:10.0.2\n",
            "FROM {name}:10.0.2@{digest}\n",
            "FROM {name}:10.0@{digest}\n",
            "ARG VERSION=10.0.2\nFROM {name}:${{VERSION}}\n",
        ],
        ids=["tag", "tag and digest", "digest", "argument"],
    )
    def test_update_takes_nothing_back(
        self, bot: Command, taken_back: tuple[Upstream, str], tmp_path: Path, text: str
    ) -> None:
        upstream, digest = taken_back
        folder = tmp_path / "shop"
        folder.mkdir()
        written = text.format(name=upstream.base.removesuffix(":10.0"), digest=digest)
        (folder / "Dockerfile").write_text(written)
        ran = bot("update", folder, "-c", upstream.settings)
        assert (ran.code, (folder / "Dockerfile").read_text()) == (3, written)
        assert "shows the older 10.0.1" in ran.err

    @pytest_asyncio.fixture
    async def of_others(self, upstream: Upstream, shared_world: World) -> Upstream:
        """A mirror that has a floating tag and not yet that of its release, and monitor with its own numbers."""
        await shared_world.registry.push("cli/late/dotnet/aspnet", "10.0", dotnet_image("aspnet", "10.0.1"))
        for tag in ("10.0", "10.0.3"):
            await shared_world.registry.push("cli/dotnet/monitor", tag, dotnet_image("aspnet", "10.0.11"))
        text = upstream.settings.read_text()
        upstream.settings.write_text(text.replace("/cli/dotnet/*", "/cli/*"))
        return upstream

    def test_update_writes_no_tag_that_the_registry_does_not_show(
        self, bot: Command, of_others: Upstream, tmp_path: Path
    ) -> None:
        name = of_others.base.replace("cli/dotnet", "cli/late/dotnet")
        folder = checkout_of(tmp_path / "shop", f"{name}.0")
        ran = bot("update", folder, "-c", of_others.settings)
        assert (ran.code, (folder / "Dockerfile").read_text()) == (3, f"FROM {name}.0\n")
        assert f"the registry was not seen to show {name}.1" in ran.err

    def test_the_dotnet_inside_monitor_is_no_release_of_monitor(
        self, bot: Command, of_others: Upstream, tmp_path: Path
    ) -> None:
        name = of_others.base.replace("aspnet:10.0", "monitor:10.0.3")
        folder = checkout_of(tmp_path / "shop", name)
        assert bot("update", folder, "-c", of_others.settings).code == 0
        assert (folder / "Dockerfile").read_text() == f"FROM {name}\n"

    def test_a_base_that_cannot_be_looked_at_is_unknown_with_the_reason(
        self, bot: Command, upstream: Upstream, tmp_path: Path
    ) -> None:
        folder = checkout_of(tmp_path / "shop", f"{upstream.base.replace('aspnet', 'absent')}@{OLD}")
        before = (folder / "Dockerfile").read_bytes()
        [row] = json.loads(bot("scan", folder, "-c", upstream.settings, "-f", "json").out)
        assert row["freshness"] == "unknown"
        assert "cli/dotnet/absent" in row["note"]
        assert "Dockerfile:1: " in bot("update", folder, "-c", upstream.settings).err
        assert (folder / "Dockerfile").read_bytes() == before


SHARED = "<Project><PropertyGroup>\n<AspNetVersion>10.0.1</AspNetVersion>\n</PropertyGroup></Project>\n"
NAMING = f"""<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup>
<ContainerBaseImage>{ASPNET.removesuffix(":10.0")}:$(AspNetVersion)@{OLD}</ContainerBaseImage>
</PropertyGroup></Project>
"""


class TestAVersionInAnotherFile:
    """A base whose version Directory.Build.props holds and whose digest stands in the project."""

    @pytest.fixture
    def solution(self, tmp_path: Path) -> Path:
        folder = tmp_path / "shop"
        (folder / "src").mkdir(parents=True)
        (folder / "Directory.Build.props").write_text(SHARED)
        (folder / "src" / "Api.csproj").write_text(NAMING)
        return folder

    def test_scan_shows_where_the_version_stands_and_who_names_it(self, bot: Command, solution: Path) -> None:
        [row] = json.loads(bot("scan", solution, "--offline", "-f", "json").out)
        assert (row["file"], row["line"], row["named_at"]) == ("Directory.Build.props", 2, "src/Api.csproj:2")
        assert SHARED[row["start"] : row["end"]] == row["tag"] == "10.0.1"

    def test_update_edits_both_files_and_tells_what_moved(self, bot: Command, solution: Path) -> None:
        ran = bot("update", solution, "--set", f"{ASPNET}.1@{OLD}={ASPNET}.2@{NEW}")
        assert ran.code == 0
        assert (solution / "Directory.Build.props").read_text() == SHARED.replace("10.0.1", "10.0.2")
        assert (solution / "src" / "Api.csproj").read_text() == NAMING.replace(OLD, NEW)
        assert f"moves {ASPNET}.1@{OLD} of src/Api.csproj:2 to {ASPNET}.2@{NEW}" in ran.out.replace("\n", " ")

    def test_update_refuses_what_would_move_another_image_and_exits_with_1(
        self, bot: Command, solution: Path
    ) -> None:
        other = NAMING.replace("dotnet/aspnet", "dotnet/runtime")
        (solution / "src" / "Worker.csproj").write_text(other)
        ran = bot("update", solution, "--set", f"{ASPNET}.1@{OLD}={ASPNET}.2@{NEW}")
        assert ran.code == 1
        assert "in src/Worker.csproj:2 too; change both alike" in ran.err
        assert (solution / "Directory.Build.props").read_text() == SHARED

    def test_update_of_the_project_alone_refuses_and_exits_with_1(self, bot: Command, solution: Path) -> None:
        ran = bot("update", solution / "src" / "Api.csproj", "--set", f"{ASPNET}.1@{OLD}={ASPNET}.2@{NEW}")
        assert ran.code == 1
        assert "$(AspNetVersion) is not set here" in ran.err


def test_an_update_that_could_not_look_does_not_say_that_there_is_nothing_to_do(
    bot: Command, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM localhost:1/dotnet/aspnet:10.0@{OLD}\n")
    config = tmp_path / "freshness.yaml"
    config.write_text("registries: {'localhost:1': {insecure: true}}\nbases: ['localhost:1/dotnet/*']\n")
    ran = bot("update", tmp_path, "-c", config)
    assert (ran.code, ran.out) == (3, "Nothing was rewritten: of 1 reference no registry could tell.\n")
    assert "Dockerfile:1: " in ran.err


class TestWhy:
    """`scan --why` tells what stale pins lack; nothing else of `scan` asks for that."""

    @pytest_asyncio.fixture
    async def pinned(self, upstream: Upstream, shared_world: World) -> tuple[Upstream, str]:
        """The feeds have 10.0.1 as a security release of 40 days ago; a pin holds the digest of 10.0.0."""
        feeds, day = shared_world.feeds, datetime.now(UTC).date()
        feeds.publish_release("10.0", "10.0.0", sdks=["10.0.100"], on=day - timedelta(days=90))
        fixed = ("CVE-2026-31001", "CVE-2026-31002")
        feeds.publish_release("10.0", "10.0.1", sdks=["10.0.101"], cves=fixed, on=day - timedelta(days=40))
        feeds.publish_advisory(
            fixed[0],
            severity="high",
            package="Microsoft.NETCore.App.Runtime.linux-x64",
            affected=">= 10.0.0, < 10.0.1",
            patched="10.0.1",
        )
        addresses = {name: {"url": url} for name, url in feeds.addresses.items()}
        text = upstream.settings.read_text()
        upstream.settings.write_text(f"{text}feeds: {json.dumps(addresses)}\n")
        old = await shared_world.registry.push(PLACE, "10.0.0", dotnet_image("aspnet", "10.0.0"))
        shared_world.traffic.forget()
        return upstream, old.digest

    def test_it_says_of_each_stale_pin_what_lies_between(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path
    ) -> None:
        upstream, old = pinned
        base = upstream.base
        folder = checkout_of(tmp_path / "shop", f"{base}@{old}", f"{base}.0", f"{base}@{upstream.digest}")
        ran = bot("scan", folder, "-c", upstream.settings, "--why")
        line = "10.0.0 → 10.0.1: 1 security release, 2 CVEs (1 HIGH), oldest fix out for 4"
        assert (ran.code, ran.out.count(line), ran.err) == (1, 2, "")

    def test_scripts_get_it_under_names_of_its_own(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path
    ) -> None:
        upstream, old = pinned
        folder = checkout_of(tmp_path / "shop", f"{upstream.base}@{old}", f"{upstream.base}@{upstream.digest}")
        words = ("scan", folder, "-c", upstream.settings, "-f", "json")
        plain = json.loads(bot(*words).out)
        stale, fresh = json.loads(bot(*words, "--why").out)
        own_names = {
            "why",
            "cause",
            "from_version",
            "to_version",
            "security_releases",
            "cves",
            "severity",
            "oldest_fix",
        }
        assert stale.keys() - plain[0].keys() == own_names
        assert (stale["cause"], stale["security_releases"]) == ("dotnet-security", ["10.0.1"])
        assert (stale["cves"], stale["severity"]) == (["CVE-2026-31001", "CVE-2026-31002"], "high")
        assert (fresh["why"], fresh["cves"]) == (None, [])

    def test_it_reads_each_digest_and_each_feed_once(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path, shared_world: World
    ) -> None:
        upstream, old = pinned
        folder = checkout_of(tmp_path / "shop", *[f"{upstream.base}@{old}"] * 3)
        bot("scan", folder, "-c", upstream.settings, "--why")
        asked = shared_world.traffic.requests
        assert [len(asked("registry", method)) for method in ("HEAD", "GET")] == [1, 6]
        assert len(asked("feeds")) == 3

    def test_without_it_no_feed_is_read_and_nothing_but_the_head(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path, shared_world: World
    ) -> None:
        upstream, old = pinned
        bot("scan", checkout_of(tmp_path / "shop", f"{upstream.base}@{old}"), "-c", upstream.settings)
        assert [request.method for request in shared_world.traffic.requests()] == ["HEAD"]

    def test_a_feed_that_is_not_there_is_told_and_the_rest_counts(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path, shared_world: World
    ) -> None:
        upstream, old = pinned
        text = upstream.settings.read_text()
        upstream.settings.write_text(text.replace("/advisories", "/nowhere"))
        ran = bot(
            "scan", checkout_of(tmp_path / "shop", f"{upstream.base}@{old}"), "-c", upstream.settings, "--why"
        )
        assert "10.0.0 → 10.0.1: 1 security release, 2 CVEs, oldest fix" in ran.out
        assert "what pins lack may be more than is told: " in ran.err

    def test_a_digest_that_is_not_there_is_told(
        self, bot: Command, pinned: tuple[Upstream, str], tmp_path: Path
    ) -> None:
        upstream, _ = pinned
        ran = bot(
            "scan", checkout_of(tmp_path / "shop", f"{upstream.base}@{OLD}"), "-c", upstream.settings, "--why"
        )
        assert (ran.code, "what it lacks cannot be told" in ran.out) == (1, True)
        assert OLD[:19] in ran.err

    def test_offline_nothing_can_be_told_of_it(self, bot: Command, tmp_path: Path) -> None:
        ran = bot("scan", tmp_path, "--offline", "--why")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == "--offline --why: what a pin lacks is told by feeds; leave one of the two out\n"
