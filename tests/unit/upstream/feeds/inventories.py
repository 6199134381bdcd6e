"""Image inventories as Microsoft writes them, made of the tags that they list."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

DIGEST = "sha256:" + "a" * 64


def document(repositories: Mapping[str, Sequence[str]], **overrides: Any) -> bytes:
    """An inventory with one image of Linux for each repository, or none where it has no tags."""
    repos = [{"repo": name, "images": [_image(tags)] if tags else []} for name, tags in repositories.items()]
    return json.dumps({"schemaVersion": "2.0", "repos": repos} | overrides).encode()


def _image(tags: Sequence[str]) -> dict[str, Any]:
    platform = {"osType": "Linux", "architecture": "amd64", "digest": DIGEST, "simpleTags": []}
    return {"manifest": {"digest": DIGEST, "sharedTags": list(tags)}, "platforms": [platform]}


def channel(number: str, count: int = 4) -> list[str]:
    systems = ("", "-noble", "-alpine3.22", "-azurelinux3.0", "-noble-chiseled", "-alpine")
    return [f"{number}{system}" for system in systems[:count]]
