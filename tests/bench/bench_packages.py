"""How fast and in how little memory the packages of a base are read from its layers."""

import gzip
import hashlib
import io
import json
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from backports import zstd

from tests.bench.measured import Measured

FILES = 6_000
PACKAGES = 400
PACKED_BYTES = 100_000_000
AIM_SECONDS = 3.0
AIM_MEMORY = 100_000_000

_STATUS = "var/lib/dpkg/status"


def run() -> list[Measured]:
    plain = _archive()
    aim = f"{AIM_SECONDS} s, {AIM_MEMORY // 1_000_000} MB"
    rows = []
    for form, packed in (("gzip", gzip.compress(plain, 6)), ("zstd", zstd.compress(plain))):
        with tempfile.TemporaryDirectory() as folder:
            seconds, memory = _measured(_layout(Path(folder), packed))
        what = (
            f"packages of a base of {len(packed) // 1_000_000} MB ({form}, {FILES} files), with the start of Python"
        )
        is_met = seconds < AIM_SECONDS and memory < AIM_MEMORY
        rows.append(Measured(what, f"{seconds:.2f} s, {memory // 1_000_000} MB", f"under {aim}", is_met))
    return rows


def _archive() -> bytes:
    """Half of each file is text that shrinks, half is not, so that the whole packs to about `PACKED_BYTES`."""
    source = random.Random(13)
    size = PACKED_BYTES // FILES
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for number in range(FILES):
            content = source.randbytes(int(size * 0.97)) + b"some text " * (size // 10)
            _add(tar, f"usr/lib/folder{number % 97}/file{number}", content)
        form = (
            "Package: p{0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:{0}.2-3\nSource: s{0}\n\n"
        )
        _add(tar, _STATUS, "".join(form.format(number) for number in range(PACKAGES)).encode())
    return packed.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _layout(folder: Path, layer: bytes) -> Path:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(content: bytes, media_type: str) -> dict[str, object]:
        name = hashlib.sha256(content).hexdigest()
        (blobs / name).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)}

    config = put(b"{}", "application/vnd.oci.image.config.v1+json")
    layers = [put(layer, "application/vnd.oci.image.layer.v1.tar+gzip")]
    manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
    listed = put(manifest, "application/vnd.oci.image.manifest.v1+json")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [listed]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


_COMMAND = """
import sys
from bot.cli import main
from tests.own_memory import most_memory
try:
    main()
finally:
    print(most_memory(), file=sys.stderr)
"""


def _measured(layout: Path) -> tuple[float, int]:
    """Seconds, and the most memory that the process had, of the command that an operator would run."""
    words = (sys.executable, "-c", _COMMAND, "packages", "list", str(layout), "--format", "json")
    begun = time.perf_counter()
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    assert len(json.loads(done.stdout)) == PACKAGES
    return seconds, int(done.stderr.split()[-1])
