"""The npm emulator: stateful GitHub and Slack on loopback, seeded with one organisation."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(slots=True)
class Emulator:
    """`github` and `slack` are where it listens; the URLs that it writes into answers are those of the edges."""

    folder: Path
    github_url: str
    slack_url: str
    organisations: Sequence[str] = (ORGANISATION,)
    """The App is installed in each."""
    private_key: str = field(default_factory=lambda: _private_key())
    github: str = ""
    slack: str = ""
    _child: processes.Child | None = None

    @property
    def installations(self) -> dict[int, str]:
        """Number of each installation → its organisation."""
        return dict(enumerate(self.organisations, INSTALLATION_ID))

    async def start(self) -> None:
        """Raises `parts.MissingPart` or `processes.DidNotStart`."""
        parts.require("emulate", "openapi", "graphql")
        seed = self.folder / "seed.json"
        seed.write_text(json.dumps(self._seed()))

        def command(port: int) -> list[str | Path]:  # Slack takes the port after GitHub's
            services = ["--service", "github,slack", "--port", str(port)]
            return [parts.NODE, parts.EMULATE, "start", *services, "--seed", seed]

        log = self.folder / "emulator.log"
        self._child, port = await processes.start_on_free_port(command, log, "Ready.", ports=2)
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


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return encoded.decode()
