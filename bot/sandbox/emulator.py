"""The npm emulator: stateful GitHub and Slack on loopback, seeded with one organisation."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import parts, processes

ORGANISATION = "contoso"
BOT = "freshness-bot"
OPERATOR = "operator"
BOT_TOKEN = "sandbox-bot-token"
OPERATOR_TOKEN = "sandbox-operator-token"
SLACK_TOKEN = "xoxb-sandbox-bot"
SLACK_CHANNEL = "base-images"
APP_ID = 12345
INSTALLATION_ID = 100
PERMISSIONS = {
    "actions": "write",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "workflows": "write",
}
SPARE_TOKENS = 20
"""The emulator allows each token 5,000 requests an hour and no more; the edge spreads its requests over these."""

ATTEMPTS = 3


def spare(token: str, number: int) -> str:
    return f"{token}.{number % SPARE_TOKENS}"


@dataclass(slots=True)
class Emulator:
    """`github` and `slack` are where it listens; the URLs that it writes into answers are those of the edges."""

    folder: Path
    github_url: str
    slack_url: str
    private_key: str = field(default_factory=lambda: _private_key())
    github: str = ""
    slack: str = ""
    _child: processes.Child | None = None

    async def start(self) -> None:
        """Raises `parts.MissingPart` or `processes.DidNotStart`."""
        parts.require("emulate")
        seed = self.folder / "seed.json"
        seed.write_text(json.dumps(self._seed()))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._start_on(processes.free_port(), seed)
            except processes.DidNotStart:
                if attempt == ATTEMPTS:  # it takes two neighbouring ports, and only one of them is known to be free
                    raise
            else:
                return

    async def _start_on(self, port: int, seed: Path) -> None:
        command: list[str | Path] = [
            parts.NODE,
            parts.EMULATE,
            "start",
            "--service",
            "github,slack",
            "--port",
            str(port),
        ]
        self._child = processes.start([*command, "--seed", seed], self.folder / "emulator.log")
        await self._child.ready(lambda: _all_accept(port, port + 1))
        self.github, self.slack = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def _seed(self) -> dict[str, Any]:
        tokens = {
            spare(token, number): {"login": login, "scopes": ["repo", "workflow", "admin:org"]}
            for token, login in ((BOT_TOKEN, BOT), (OPERATOR_TOKEN, OPERATOR))
            for number in range(SPARE_TOKENS)
        }
        members = [{"login": OPERATOR, "role": "admin"}, {"login": BOT, "role": "admin"}]
        installation = {
            "installation_id": INSTALLATION_ID,
            "account": ORGANISATION,
            "repository_selection": "all",
            "permissions": PERMISSIONS,
        }
        app = {
            "app_id": APP_ID,
            "slug": BOT,
            "name": "Freshness Bot",
            "private_key": self.private_key,
            "permissions": PERMISSIONS,
            "installations": [installation],
        }
        return {
            "tokens": {**tokens, SLACK_TOKEN: {"login": BOT}},
            "github": {
                "baseUrl": self.github_url,
                "users": [{"login": BOT, "name": "Freshness Bot"}, {"login": OPERATOR, "name": "Operator"}],
                "orgs": [{"login": ORGANISATION, "name": "Contoso", "members": members}],
                "apps": [app],
            },
            "slack": {
                "baseUrl": self.slack_url,
                "users": [{"name": BOT}],
                "channels": [{"name": SLACK_CHANNEL}],
                "tokens": [{"token": SLACK_TOKEN, "user": BOT, "scopes": ["chat:write", "channels:history"]}],
                "incoming_webhooks": [{"channel": SLACK_CHANNEL}],
            },
        }


async def _all_accept(*ports: int) -> bool:
    return all(await asyncio.gather(*(processes.accepts(port) for port in ports)))


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return encoded.decode()
