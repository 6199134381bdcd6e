"""What the service works before it answers: processor time from its start to `/healthz`, on a new store and on one
that is there."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from sandbox.programs.processes import free_ports
from tests.bench.measured import Measured

TRIES = 3
_TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        config, address = _settings(Path(folder))
        new, *others = [_processor_time(config, address) for _ in range(TRIES + 1)]
    return [
        Measured("start of the service to /healthz, new store", f"{new:.2f} s of processor time"),
        Measured("start of the service to /healthz, store that is there", f"{min(others):.2f} s of processor time"),
    ]


def _settings(folder: Path) -> tuple[Path, str]:
    address = f"127.0.0.1:{free_ports()}"
    (folder / "token").write_text("x" * 40)
    config = folder / "freshness.yaml"
    config.write_text(
        f"github: {{repositories: {{include: ['contoso/*']}}, api_url: 'http://127.0.0.1:9', "
        f"token_file: '{folder}/token'}}\n"
        f"store: {{url: 'sqlite:///{folder}/start.db'}}\nweb: {{health_listen: '{address}'}}\n"
    )
    return config, address


def _processor_time(config: Path, address: str) -> float:
    """Seconds of the process and its threads until it answers; what compiles its modules is compiled before."""
    program = Path(sys.executable).with_name("freshness-bot")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command: list[str | Path] = [program, "run", "--config", config]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            while not _lives(address):
                if process.poll() is not None:
                    raise RuntimeError(f"the service has ended with {process.returncode}")
                time.sleep(0.02)
            used = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(used[11]) + int(used[12])) / _TICKS
        finally:
            process.terminate()


def _lives(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=20) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
