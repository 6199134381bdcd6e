"""The npm emulator: stateful GitHub and Slack on loopback, seeded with one organisation."""

import atexit
import json
import shutil
import signal
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.programs import parts, processes

ORGANISATION = "contoso"
BOT = "freshness-bot"
OPERATOR = "operator"
BOT_TOKEN = "sandbox-bot-token"
OPERATOR_TOKEN = "sandbox-operator-token"
SLACK_TOKEN = "xoxb-sandbox-bot"
SLACK_CHANNEL = "base-images"
SLACK_TEAM_CHANNEL = "payments"
APP_ID = 12345
INSTALLATION_ID = 100
PERMISSIONS = {
    "actions": "write",
    "checks": "read",
    "contents": "write",
    "issues": "write",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
    "workflows": "write",
}
SPARE_TOKENS = 20
"""The emulator allows each token 5,000 requests an hour and no more; the edge spreads its requests over these."""


def spare(token: str, number: int) -> str:
    return f"{token}.{number % SPARE_TOKENS}"


PLAYED_BY = Path(__file__).with_suffix(".mjs")
WISH = "wish.json"
_kept: list["Program"] | None = None
"""Programs that wait for the next world; None where each ends with its own."""


def keep_programs() -> None:
    """From now on the emulator's program outlives its world, and plays for a later one of this process.

    It begins anew each time, and is quick where a new one has its code to read and to compile first.
    """
    global _kept
    if _kept is None:
        _kept = []
        atexit.register(_stop_all, _kept)


def _stop_all(programs: list["Program"]) -> None:
    while programs:
        programs.pop().stop()


class Program:
    """A process that plays GitHub on `port` and Slack on the next, and does one wish after the other: what they
    are is told in `emulator.mjs`."""

    def __init__(self, child: processes.Child, port: int, folder: Path) -> None:
        self.port = port
        self.child = child
        self._folder = folder
        self._done = 1
        self._lasts = threading.current_thread() is threading.main_thread()
        """The kernel ends it with the thread that started it; the main one lives as long as this process."""

    @classmethod
    async def playing(cls, wish: object) -> Self:
        """One that was kept, or else a new one. Raises `parts.MissingPart` or `processes.DidNotStart`."""
        while _kept:
            program = _kept.pop()
            if await program.does(wish):
                assert isinstance(program, cls)
                return program
        parts.require("emulate", "openapi", "graphql")
        folder = Path(tempfile.mkdtemp(prefix="freshness-emulator-"))
        try:
            (folder / WISH).write_text(json.dumps(wish))

            def command(port: int) -> list[str | Path]:  # Slack takes the port after GitHub's
                return [parts.NODE, PLAYED_BY, parts.EMULATE, folder / WISH, str(port)]

            child, port = await processes.start_on_free_port(command, folder / "log", "Ready 1.", ports=2)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return cls(child, port, folder)

    async def does(self, wish: object) -> bool:
        """Whether it did; one that has ended is stopped."""
        self._done += 1
        (self._folder / WISH).write_text(json.dumps(wish))
        try:
            self.child.process.send_signal(signal.SIGHUP)
            await self.child.ready(f"Ready {self._done}.")
        except processes.DidNotStart:
            self.stop()
            return False
        return True

    def leave(self) -> None:
        """Ends it, or keeps it for the next world."""
        if _kept is not None and self._lasts:
            _kept.append(self)
        else:
            self.stop()

    def stop(self) -> None:
        self.child.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def _private_key() -> str:
    """That of the App in every world of this process: making one takes as long as a hundred requests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return encoded.decode()


@dataclass(slots=True)
class Emulator:
    """`github` and `slack` are where it listens; the URLs that it writes into answers are those of the edges."""

    github_url: str
    slack_url: str
    organisations: Sequence[str] = (ORGANISATION,)
    """The App is installed in each."""
    private_key: str = field(default_factory=_private_key)
    github: str = ""
    slack: str = ""
    _program: Program | None = None

    def __deepcopy__(self, _: object) -> "Emulator":
        """A copy has no program yet."""
        return replace(self, _program=None)

    @property
    def installations(self) -> dict[int, str]:
        """Number of each installation → its organisation."""
        return dict(enumerate(self.organisations, INSTALLATION_ID))

    async def start(self, kept: Path | None = None) -> None:
        """Goes on with what was kept there, or else begins anew. Raises `parts.MissingPart` or
        `processes.DidNotStart`."""
        self._program = await Program.playing({"seed": self._seed(), **({"from": str(kept)} if kept else {})})
        port = self._program.port
        self.github, self.slack = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"

    async def keep(self, path: Path) -> None:
        """Puts down there what GitHub and Slack hold now. Raises `processes.DidNotStart` where it has ended."""
        assert self._program is not None, "the emulator is not running"
        if not await self._program.does({"keep": str(path)}):
            raise processes.DidNotStart(f"the emulator has ended: {self._program.child.tail()}")

    def stop(self) -> None:
        """A second call does nothing."""
        if self._program is not None:
            self._program.leave()
            self._program = None

    def _seed(self) -> dict[str, Any]:
        tokens = {
            spare(token, number): {"login": login, "scopes": ["repo", "workflow", "admin:org"]}
            for token, login in ((BOT_TOKEN, BOT), (OPERATOR_TOKEN, OPERATOR))
            for number in range(SPARE_TOKENS)
        }
        members = [{"login": OPERATOR, "role": "admin"}, {"login": BOT, "role": "admin"}]
        installations = [
            {
                "installation_id": number,
                "account": name,
                "repository_selection": "all",
                "permissions": PERMISSIONS,
            }
            for number, name in self.installations.items()
        ]
        app = {
            "app_id": APP_ID,
            "slug": BOT,
            "name": "Freshness Bot",
            "private_key": self.private_key,
            "permissions": PERMISSIONS,
            "installations": installations,
        }
        return {
            "tokens": {**tokens, SLACK_TOKEN: {"login": BOT}},
            "github": {
                "baseUrl": self.github_url,
                "users": [{"login": BOT, "name": "Freshness Bot"}, {"login": OPERATOR, "name": "Operator"}],
                "orgs": [
                    {"login": name, "name": name.capitalize(), "members": members} for name in self.organisations
                ],
                "apps": [app],
            },
            "slack": {
                "baseUrl": self.slack_url,
                "users": [{"name": BOT}],
                "channels": [{"name": SLACK_CHANNEL}, {"name": SLACK_TEAM_CHANNEL}],
                "tokens": [{"token": SLACK_TOKEN, "user": BOT, "scopes": ["chat:write", "channels:history"]}],
                "incoming_webhooks": [{"channel": SLACK_CHANNEL}],
            },
        }
