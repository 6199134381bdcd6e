"""Every command of the workflows to call, run as a runner would, against a registry on this machine. Those of a
release are run by test_release.py.

A key stands in for the identity that GitHub gives a run: cosign takes it from its environment, so that the commands
are those that are written.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.edges.edge import Surroundings
from sandbox.images import Image
from sandbox.programs import parts
from sandbox.registry import Registry
from tests.integration.workflows.written import run_steps, workflows

SYFT = Path(sys.executable).parent / "syft"
NEEDS_GITHUB = {("verify.yml", "Verify how it was built"): "gh asks GitHub for the attestation"}
OF_RELEASES = ("release.yml", "image.yml")
PLATFORMS = ("linux/amd64", "linux/arm64")
KEYLESS = {"COSIGN_TLOG_UPLOAD": "false", "COSIGN_ALLOW_HTTP_REGISTRY": "true", "COSIGN_PASSWORD": ""}
BUILDX = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode == 0

pytestmark = pytest.mark.skipif(
    not all(parts.is_there(part) for part in ("docker-registry", "cosign")) or not SYFT.exists(),
    reason="docker-registry, cosign or syft is missing",
)


@dataclass(slots=True)
class Runner:
    """A folder to work in, and an image that was pushed."""

    folder: Path
    image: str
    digest: str
    registry: Registry

    async def run(self, file: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        """As GitHub does it where no shell is named: `bash -e`, with what the job and the step write down."""
        step = run_steps()[file, name]
        known = {
            "IMAGE": self.image,
            "DIGEST": self.digest,
            "SIGNER": "contoso/pipelines",
            "SYFT": str(SYFT),
            "TAGS": "main",
            **more,
        }
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "GITHUB_OUTPUT": str(self.folder / "output"),
            "DOCKER_CONFIG": str(self.folder / "docker"),
            **{name: known[name] for name in step.environment},
            **KEYLESS,
            **{name: value for name, value in more.items() if name.startswith("COSIGN_")},
        }
        script = self.folder / "step.sh"
        script.write_text(step.script)
        return await asyncio.to_thread(
            subprocess.run,
            ["bash", "-e", str(script)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def passes(self, file: str, name: str, **more: str) -> None:
        done = await self.run(file, name, **more)
        assert done.returncode == 0, done.stderr


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Runner]:
    registry = Registry(tmp_path, Surroundings())
    await registry.start()
    pushed = await registry.push("contoso/shop", "main", Image((b"what was built\n",), platforms=("linux/amd64",)))
    key = ["cosign", "generate-key-pair"]
    subprocess.run(key, cwd=tmp_path, env={**os.environ, "COSIGN_PASSWORD": ""}, check=True, capture_output=True)
    yield Runner(tmp_path, f"{registry.host}/contoso/shop", pushed.digest, registry)
    registry.stop()


def test_each_command_is_run_here_or_says_why_not() -> None:
    tried = {
        ("build.yml", "Write the name as registries take it"),
        ("scan.yml", "Write them as a list"),
        ("tag.yml", "Give the digest its tags"),
        ("sign.yml", "Sign the image"),
        ("sign.yml", "List what is in it"),
        ("sign.yml", "Sign the lists"),
        ("verify.yml", "List its platforms"),
        ("verify.yml", "Verify the signatures"),
        ("verify.yml", "Verify the SBOMs"),
    }
    others = {("test.yml", "Run what must hold")} | {key for key in run_steps() if key[0] in OF_RELEASES}
    assert set(run_steps()) == tried | set(NEEDS_GITHUB) | others


async def test_the_name_is_in_lower_case(runner: Runner) -> None:
    await runner.passes("build.yml", "Write the name as registries take it", IMAGE="ghcr.io/Contoso/Shop")
    assert (runner.folder / "output").read_text() == "image=ghcr.io/contoso/shop\n"


@pytest.mark.parametrize("platforms", [["linux/amd64"], ["linux/amd64", "linux/arm64"]])
async def test_each_platform_is_scanned(runner: Runner, platforms: list[str]) -> None:
    await runner.passes("scan.yml", "Write them as a list", PLATFORMS=",".join(platforms))
    name, _, written = (runner.folder / "output").read_text().partition("=")
    assert (name, json.loads(written)) == ("list", platforms)
    job = workflows()["scan.yml"]["jobs"]["scan"]
    assert job["strategy"]["matrix"] == {"platform": "${{ fromJSON(needs.platforms.outputs.list) }}"}
    assert job["steps"][0]["env"]["TRIVY_PLATFORM"] == "${{ matrix.platform }}"


PUBLIC = {"COSIGN_KEY": "cosign.pub", "COSIGN_INSECURE_IGNORE_TLOG": "true"}


async def signed(runner: Runner) -> None:
    await runner.passes("sign.yml", "Sign the image", COSIGN_KEY="cosign.key")
    await runner.passes("sign.yml", "List what is in it")
    await runner.passes("sign.yml", "Sign the lists", COSIGN_KEY="cosign.key")


@pytest.mark.skipif(not BUILDX, reason="docker-buildx is missing")
async def test_what_is_signed_is_verified_and_nothing_else(runner: Runner) -> None:
    await runner.passes("verify.yml", "List its platforms")
    for step in ("Verify the signatures", "Verify the SBOMs"):
        assert (await runner.run("verify.yml", step, **PUBLIC)).returncode != 0
    await signed(runner)
    for step in ("Verify the signatures", "Verify the SBOMs"):
        await runner.passes("verify.yml", step, **PUBLIC)


@pytest.mark.long
@pytest.mark.skipif(not BUILDX, reason="docker-buildx is missing")
async def test_each_platform_has_a_signature_and_an_sbom_of_its_own(runner: Runner) -> None:
    pushed = await runner.registry.push("contoso/shop", "main", Image((b"built\n",), platforms=PLATFORMS))
    runner.digest = pushed.digest
    await signed(runner)
    await runner.passes("verify.yml", "List its platforms")
    listed = {f"sha256:{line}" for line in (runner.folder / "hashes").read_text().split()}
    assert listed == {*pushed.platforms.values(), pushed.digest}
    for step in ("Verify the signatures", "Verify the SBOMs"):
        await runner.passes("verify.yml", step, **PUBLIC)
    for digest in pushed.platforms.values():
        sbom = json.loads((runner.folder / f"{digest.removeprefix('sha256:')}.spdx.json").read_text())
        assert digest in json.dumps(sbom)


async def digest_of(runner: Runner, tag: str) -> str | None:
    """What a tag of the image stands on."""
    asked = ["oras", "resolve", "--plain-http", f"{runner.image}:{tag}"]
    ended = await asyncio.to_thread(subprocess.run, asked, capture_output=True, text=True, check=False)
    return ended.stdout.strip() or None


@pytest.mark.skipif(not BUILDX, reason="docker-buildx is missing")
async def test_tags_stand_on_the_digest_itself(runner: Runner) -> None:
    for content in (b"built\n", b"built anew\n"):
        pushed = await runner.registry.push("contoso/shop", "built", Image((content,), platforms=PLATFORMS))
        await runner.passes("tag.yml", "Give the digest its tags", DIGEST=pushed.digest, TAGS=" 1.2.3 1.2")
        assert [await digest_of(runner, tag) for tag in ("1.2.3", "1.2")] == [pushed.digest] * 2


@pytest.mark.skipif(not BUILDX, reason="docker-buildx is missing")
async def test_what_is_not_there_or_would_not_keep_its_digest_gets_no_tag(runner: Runner) -> None:
    asked = ["oras", "manifest", "fetch", "--plain-http", f"{runner.image}@{runner.digest}"]
    index = await asyncio.to_thread(subprocess.run, asked, capture_output=True, check=True)
    [manifest] = json.loads(index.stdout)["manifests"]
    for digest in (f"sha256:{'0' * 64}", manifest["digest"]):
        ended = await runner.run("tag.yml", "Give the digest its tags", DIGEST=digest, TAGS="1.2.3")
        assert ended.returncode != 0
        assert await digest_of(runner, "1.2.3") is None
