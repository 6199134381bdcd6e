"""The page, its health and metrics: where they are served, and who gets in."""

from pathlib import Path

from pydantic import Field

from bot.settings.section import Section
from bot.settings.values.addresses import Address, ListenAddress, Network
from bot.settings.values.texts import Name


class ProxySettings(Section):
    """A proxy that has people sign in, and names them in a header."""

    addresses: list[Network] = Field(
        min_length=1, description="Addresses or networks of the proxy; nobody else's header is believed."
    )
    user_header: str = Field(
        "X-Forwarded-User",
        pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$",
        examples=["X-Forwarded-User"],
        description="The header that names who signed in; the proxy must take it away from what clients send.",
    )
    acting: list[Name] = Field([], description="Globs over those names: who may act. All others read.")


class WebAuthSettings(Section):
    """Who gets in. Without an entry nobody does, and only health is told."""

    tokens_file: Path | None = Field(
        None, description="File with a line for each person or program: NAME RIGHTS TOKEN."
    )
    proxy: ProxySettings | None = Field(None, description="A proxy that has people sign in.")
    open_badges: bool = Field(False, description="Show badges to everybody, as a README on the forge needs.")


class HookSettings(Section):
    """Events that others send, each taken where its secret is set: things are looked at sooner."""

    github_secret_file: Path | None = Field(
        None, description="File with the secret of the webhook of the GitHub App or the organisation."
    )
    azure_devops_secret_file: Path | None = Field(
        None, description="File with the secret of service hooks, sent as Authorization: Bearer SECRET."
    )
    registry_secret_file: Path | None = Field(
        None, description="File with the secret that registries send as Authorization: Bearer SECRET."
    )
    registry_path_file: Path | None = Field(
        None, description="File with the last part of the path for registries that can send no header."
    )


class WebSettings(Section):
    """The page, its health and metrics."""

    listen: ListenAddress | None = Field(
        "127.0.0.1:8484", description="HOST:PORT to serve on; 0.0.0.0 for every address, null to serve nothing."
    )
    health_listen: ListenAddress | None = Field(
        None,
        description="HOST:PORT to serve health and metrics on as well; null where the page's own is enough.",
    )
    url: Address | None = Field(
        None,
        description="Where people reach the page: https://freshness.example.com; messages and commands link to it.",
    )
    auth: WebAuthSettings = WebAuthSettings()
    hooks: HookSettings = HookSettings()
