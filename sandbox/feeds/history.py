"""A clone of dotnet/versions as it would be, had Microsoft published what the sandbox has."""

import os
import subprocess
from datetime import datetime
from pathlib import Path

DOCUMENT = "build-info/docker/image-info.dotnet-dotnet-docker-main.json"


class VersionsClone:
    """A git repository in `folder` to which the published inventory is committed each time it changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, inventory: bytes, at: datetime) -> None:
        """Publishes the inventory at that time."""
        file = self.folder / DOCUMENT
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(inventory)
        self._git("add", ".")
        self._git("commit", "--quiet", "--allow-empty", "--message=Publish", at=at)

    def _git(self, *words: str, at: datetime | None = None) -> None:
        names = {
            f"GIT_{who}_{what}": "sandbox@localhost"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        times = {f"GIT_{who}_DATE": at.isoformat() for who in ("AUTHOR", "COMMITTER")} if at is not None else {}
        command = ["git", "-C", str(self.folder), *words]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | names | times)
