"""How fast and in how little memory a dump of vulnerabilities of a gigabyte is read."""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.bench.measured import Measured

RECORDS = 140_000
RECORD_BYTES = 10_000
WANTED = 100
AIM_MEMORY = 200_000_000

_READ = """
import sys, time
from datetime import UTC, datetime
from bot.domain.packages.cves.vulnerability import Ecosystem
from bot.upstream.osv.dump import read_dump
from bot.upstream.osv.record import WantedPackages
from tests.own_memory import most_memory
names = frozenset(f"package{number}" for number in range(int(sys.argv[2])))
began = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    wanted = WantedPackages(frozenset({"Ubuntu:24.04"}), names)
    found = read_dump(file, wanted, Ecosystem.UBUNTU, "all.zip", datetime.now(UTC))
seconds = time.perf_counter() - began
memory = most_memory()
print(seconds, memory, found.entries, len(found.vulnerabilities))
"""


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.zip"
        size = write_dump(path, RECORDS, RECORD_BYTES)
        asked = [sys.executable, "-c", _READ, str(path), str(WANTED)]
        answer = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()
    what = f"a dump of {RECORDS:,} records, {size / 1e9:.1f} GB unpacked, {answer[3]} of them kept"
    seconds, memory = float(answer[0]), int(answer[1])
    figure = f"{seconds:.1f} s, {memory // 1_000_000} MB"
    return [Measured(what, figure, f"under {AIM_MEMORY // 1_000_000} MB", memory < AIM_MEMORY)]


def write_dump(path: Path, records: int, record_bytes: int) -> int:
    """Each record is of a package of its own and mostly a list of versions, as real ones are; bytes unpacked."""
    versions = [f"1.{number}.0-0ubuntu{number % 7}" for number in range(record_bytes // 19)]
    size = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(records):
            record = {
                "id": f"UBUNTU-CVE-2026-{10_000 + number}",
                "published": "2026-03-04T05:06:07Z",
                "affected": [
                    {
                        "package": {"ecosystem": "Ubuntu:24.04:LTS", "name": f"package{number}"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0-1"}]}],
                        "versions": versions,
                    }
                ],
            }
            text = json.dumps(record)
            size += len(text)
            archive.writestr(f"{record['id']}.json", text)
    return size
