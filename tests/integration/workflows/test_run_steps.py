"""Every command of our workflows, run as a runner would, against a registry on this machine.

A key stands in for the identity that GitHub gives a run: cosign takes it from its environment, so that the commands
are those that are written.
"""

import asyncio
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
from tests.integration.workflows.written import run_steps

SYFT = Path(sys.executable).parent / "syft"
NEEDS_GITHUB = {("verify.yml", "Verify how it was built"): "gh asks GitHub for the attestation"}
KEYLESS = {"COSIGN_TLOG_UPLOAD": "false", "COSIGN_ALLOW_HTTP_REGISTRY": "true", "COSIGN_PASSWORD": ""}

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

    async def run(self, file: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        """As GitHub does it where no shell is named: `bash -e`, with what the job and the step write down."""
        step = run_steps()[file, name]
        known = {
            "IMAGE": self.image,
            "DIGEST": self.digest,
            "SIGNER": "contoso/pipelines",
            "SYFT": str(SYFT),
            **more,
        }
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "GITHUB_OUTPUT": str(self.folder / "output"),
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
    yield Runner(tmp_path, f"{registry.host}/contoso/shop", pushed.digest)
    registry.stop()


def test_each_command_is_run_here_or_says_why_not() -> None:
    tried = {
        ("build.yml", "Write the name as registries take it"),
        ("sign.yml", "Sign the image"),
        ("sign.yml", "List what is in it"),
        ("sign.yml", "Sign the list"),
        ("verify.yml", "Verify the signature"),
        ("verify.yml", "Verify the SBOM"),
    }
    assert set(run_steps()) == tried | set(NEEDS_GITHUB)


async def test_the_name_is_in_lower_case(runner: Runner) -> None:
    await runner.passes("build.yml", "Write the name as registries take it", IMAGE="ghcr.io/Contoso/Shop")
    assert (runner.folder / "output").read_text() == "image=ghcr.io/contoso/shop\n"


async def test_what_is_signed_is_verified_and_nothing_else(runner: Runner) -> None:
    public = {"COSIGN_KEY": "cosign.pub", "COSIGN_INSECURE_IGNORE_TLOG": "true"}
    assert (await runner.run("verify.yml", "Verify the signature", **public)).returncode != 0
    await runner.passes("sign.yml", "Sign the image", COSIGN_KEY="cosign.key")
    await runner.passes("verify.yml", "Verify the signature", **public)

    assert (await runner.run("verify.yml", "Verify the SBOM", **public)).returncode != 0
    await runner.passes("sign.yml", "List what is in it", SYFT=str(SYFT))
    await runner.passes("sign.yml", "Sign the list", COSIGN_KEY="cosign.key")
    await runner.passes("verify.yml", "Verify the SBOM", **public)
