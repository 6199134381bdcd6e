"""Child processes that end with us, by their own id."""

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

STOP_WITHIN = 5.0
START_WITHIN = 60.0
ATTEMPTS = 5
PORTS = range(20_000, 32_000)
"""Below the range from which Linux takes the ports of outgoing connections (32768 and above): a connection that was
closed a minute ago still keeps a server from its port."""

ANY_PORT = "127.0.0.1:0"
"""Where a page listens in a world: each on a port that the system gives it, so that several run at once."""


class DidNotStart(RuntimeError):
    """A program ended early or never became ready; the message carries the end of its output."""


def free_ports(count: int = 1) -> int:
    """The first of `count` neighbouring ports of 127.0.0.1 that nobody used a moment ago. Raises `DidNotStart`."""
    for first in random.sample(PORTS, min(100, len(PORTS))):
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise DidNotStart(f"no {count} neighbouring ports of 127.0.0.1 are free from {PORTS.start} to {PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


@dataclass(slots=True)
class Child:
    """A running program; its output goes to `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    async def ready(self, text: str, within: float = START_WITHIN) -> None:
        """Waits until the program has written `text`. Raises `DidNotStart`, and leaves nothing running."""
        deadline = asyncio.get_running_loop().time() + within
        try:
            while text not in self.log.read_text(errors="replace"):
                if self.process.poll() is not None:
                    raise DidNotStart(f"{self.name} ended with code {self.process.returncode}: {self.tail()}")
                if asyncio.get_running_loop().time() > deadline:
                    raise DidNotStart(f"{self.name} was not ready after {within:.0f} s: {self.tail()}")
                await asyncio.sleep(0.02)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends this process, and no other; a second call does nothing."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def tail(self, characters: int = 600) -> str:
        return self.log.read_text(errors="replace")[-characters:].strip()


def start(
    command: Sequence[str | Path],
    log: Path,
    *,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
) -> Child:
    """Starts `command` in `folder`, as `user` where one is named.

    Where `setpriv` exists (Linux), the kernel ends the child when the thread that called this ends, however
    abruptly: call it from a thread that lives as long as the child should.
    """
    arguments = [str(part) for part in command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_bound_to_us(user, stop_signal), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for us: we end our children in order
        )
    return Child(Path(arguments[0]).name, process, log, stop_signal)


def _bound_to_us(user: str | None, stop_signal: signal.Signals) -> list[str]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        if user is not None:
            raise DidNotStart(f"setpriv (util-linux) is needed to run a program as {user}")
        return []
    identity = [f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    return [setpriv, f"--pdeathsig={stop_signal.name.removeprefix('SIG')}", *identity]


async def start_on_free_port(
    command: Callable[[int], Sequence[str | Path]],
    log: Path,
    ready: str,
    *,
    ports: int = 1,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
) -> tuple[Child, int]:
    """Starts the program that `command` names for the first of its `ports`, and waits until it has written `ready`.

    A port that was free a moment ago may be taken by now, so others are tried before `DidNotStart` is raised.
    """
    for attempt in range(1, ATTEMPTS + 1):
        port = free_ports(ports)
        child = start(command(port), log, user=user, stop_signal=stop_signal, folder=folder)
        try:
            await child.ready(ready)
        except DidNotStart:
            if attempt == ATTEMPTS:
                raise
        else:
            return child, port
    raise AssertionError("unreachable")
