"""An OCI layout in a folder."""

import hashlib
import json
from pathlib import Path

from bot.clients.folders.image import OciLayout


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def layout(folder: Path, *blobs: bytes, index: object = None) -> OciLayout:
    (folder / "blobs/sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps(index or {"schemaVersion": 2, "manifests": []}))
    for blob in blobs:
        (folder / "blobs/sha256" / digest(blob).partition(":")[2]).write_bytes(blob)
    return OciLayout(folder)
