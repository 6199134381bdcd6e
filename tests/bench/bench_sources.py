"""What reading the recommended sources of CVEs costs: all of them cold, then a day's change, then nothing new.

The documents are made here. Their sizes are those that others have recorded, as far as anybody did:
- Ubuntu: 60,000 records (gost counted 55,269 CVEs in March 2025, notices come beside them) in the 680 MB that
  `bot.upstream.traffic` takes it to have;
- NuGet: 2.5 MB, EPSS: 300,000 rows in some 2.5 MB, CISA: 1.3 MB (likewise; CISA's as it was read);
- Azure Linux: an OVAL of 2.2 MB for each of two releases, the size of that of October 2024;
- Debian and Alpine: nobody has recorded a size; 45,000 records in 60 MB and 4,000 in 6 MB are guesses.
How many records change in a day is a guess as well: 1,000 of Ubuntu's, 500, 50 and 20, and all scores of EPSS.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.bench.dumps import DumpSize, write_dump
from tests.bench.measured import Measured
from tests.unit.upstream.osv import ovals

MEGABYTE = 1_000_000
AIM_SECONDS, AIM_DISK, AIM_MEMORY = 120, 400, 300
DUMPS = {
    "ubuntu": (DumpSize("Ubuntu", "Ubuntu:24.04:LTS", "UBUNTU-CVE-2026-", 60_000, 11_300), 1_000),
    "debian": (DumpSize("Debian", "Debian:13", "DEBIAN-CVE-2026-", 45_000, 1_300), 500),
    "alpine": (DumpSize("Alpine", "Alpine:v3.22", "ALPINE-CVE-2026-", 4_000, 1_500), 50),
    "nuget": (DumpSize("NuGet", "NuGet", "GHSA-", 1_500, 1_600), 20),
}
OVALS = {"azure_linux_3_oval": ".azl3", "azure_linux_2_oval": ".cm2"}
DEFINITIONS = 1_700
SCORES, EXPLOITED = 300_000, 1_400
DAYS = ("all cold", "a day's change", "nothing new")


def run() -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        served = _Served()
        with served:
            command = [sys.executable, "-m", "tests.bench.sources_read", served.address, str(folder)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                for day, what in enumerate(DAYS):
                    if day < 2:
                        _publish(served, folder, day)
                    served.sent = served.requests = 0
                    print(day, file=process.stdin, flush=True)
                    read = json.loads(process.stdout.readline())
                    yield from _figures(what, read, served, is_cold=day == 0)
                process.stdin.close()


def _figures(what: str, read: dict[str, Any], served: "_Served", *, is_cold: bool) -> Iterator[Measured]:
    seconds, disk, memory = read["seconds"], read["disk"] / MEGABYTE, read["memory"] / MEGABYTE
    sent = f"{served.sent / MEGABYTE:,.1f} MB in {served.requests:,} requests"
    yield Measured(f"{what}: records written, and fetched", f"{read['written']:,}, {sent}")
    figure = f"{seconds:.1f} s ({read['each']})"
    if is_cold:
        yield Measured(f"{what}: processor time", figure, f"at most {AIM_SECONDS} s", seconds <= AIM_SECONDS)
    else:
        yield Measured(f"{what}: processor time", figure)
    on_disk = f"{disk:,.0f} MB, and no archive beside it"
    yield Measured(f"{what}: on disk", on_disk, f"at most {AIM_DISK} MB", disk <= AIM_DISK)
    yield Measured(f"{what}: memory", f"{memory:.0f} MB", f"at most {AIM_MEMORY} MB", memory <= AIM_MEMORY)


def _publish(served: "_Served", folder: Path, day: int) -> None:
    for key, (size, changing) in DUMPS.items():
        changed = frozenset(range(0, size.records, size.records // changing)) if day else frozenset()
        served.files[f"/{key}.zip"] = path = folder / f"{key}-{day}.zip"
        write_dump(path, size, changed)
    for key, ending in OVALS.items():
        served.files[f"/{key}"] = path = folder / f"{key}-{day}.xml"
        path.write_bytes(_oval(ending, day))
    served.files["/epss"] = path = folder / f"epss-{day}.csv.gz"
    rows = (f"CVE-2026-{each},0.{(each * 7 + day) % 10_000:04}0,0.5" for each in range(1_000, SCORES + 1_000))
    header = f"#model_version:v2025.03.14,score_date:2026-03-{10 + day}T00:00:00+0000"
    path.write_bytes(gzip.compress("\n".join((header, "cve,epss,percentile", *rows)).encode(), 6))
    served.files["/known_exploited"] = path = folder / f"kev-{day}.json"
    exploited = [
        {"cveID": f"CVE-2026-{each}", "dateAdded": "2026-03-01", "shortDescription": "x" * 800}
        for each in range(1_000, 1_000 + EXPLOITED + day)
    ]
    path.write_text(json.dumps({"count": len(exploited), "vulnerabilities": exploited}))


def _oval(ending: str, day: int) -> bytes:
    definitions = [
        ovals.definition(
            f"{number}",
            packages=[f"package{number % 300}"],
            states=[ovals.state(ovals.BELOW, f"0:1.{day if number < 20 else 0}.1-1{ending}")],
            advised="2026-03-01T00:00:00Z",
        )
        for number in range(10_000, 10_000 + DEFINITIONS)
    ]
    return ovals.document(*definitions, written=f"2026-03-{10 + day}T00:00:00Z")


class _Served:
    """Serves files on loopback with their names as validators, and counts what it sends."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}
        self.sent = self.requests = 0
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = served.files[self.path]
                served.requests += 1
                etag = f'"{path.name}"'
                if self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.send_header("ETag", etag)
                    self.end_headers()
                    return
                size = path.stat().st_size
                first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
                begin = int(first) if first else max(size - int(last), 0)
                end = int(last) + 1 if first and last else size
                self.send_response(206 if "Range" in self.headers else 200)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", f"{end - begin}")
                self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{size}")
                self.end_headers()
                with path.open("rb") as file:
                    file.seek(begin)
                    self.wfile.write(file.read(end - begin))
                served.sent += end - begin

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
