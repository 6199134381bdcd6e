"""A registry with signatures in it, and the command that judges them."""

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.reference import Base
from sandbox.edges.edge import Surroundings
from sandbox.programs import parts
from sandbox.registry import Registry


class NothingKept:
    """In the place of what is known of images: no manifest was fetched before, and no base has shown anything."""

    async def manifests(self, digests: Collection[str]) -> Mapping[str, bytes]:
        return {}

    async def shown_digests(self, some: Collection[Base]) -> dict[Base, str]:
        return {}


@dataclass
class Kept:
    """A registry for the tests of a module, and `verify` as it judges what is in it."""

    registry: Registry
    runner: asyncio.Runner
    config: Path
    repositories: dict[tuple[Path, str], str] = field(default_factory=dict)

    def beside(self, digest: str, file: Path, artifact_type: str, media_type: str) -> str:
        """The image whose signature the file is, in a repository of its own."""
        repository = self.repositories.get((file, digest))
        if repository is None:
            repository = self.repositories[file, digest] = f"recorded/{len(self.repositories)}"
            layer = (media_type, file.read_bytes())
            self.runner.run(self.registry.attach(repository, digest, artifact_type, {}, layer))
        return f"{self.registry.host}/{repository}@{digest}"

    def verify(self, image: str, kind: str, *options: object) -> tuple[int, Any]:
        words = ["verify", image, "--kind", kind, *options, "-c", self.config, "-f", "json"]
        ran = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
        return ran.exit_code, json.loads(ran.output)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    if not parts.is_there("docker-registry"):
        pytest.skip(f"docker-registry is missing: {parts.HOW_TO_GET['docker-registry']}")
    folder = tmp_path_factory.mktemp("recorded")
    registry = Registry(folder, Surroundings())
    with asyncio.Runner() as runner:
        runner.run(registry.start())
        assert registry.edge is not None
        registry.edge.serve_referrers()
        config = folder / "registries.yaml"
        config.write_text(yaml.safe_dump({"registries": {registry.host: {"insecure": True}}, "bases": []}))
        yield Kept(registry, runner, config)
        registry.stop()
