"""What an App's installation, a Slack app and the token of GitHub's container registry may do, against what is
needed."""

import re
from collections.abc import Collection

from bot.clients.forges.github.connection.installations import PERMISSIONS, Installation
from bot.clients.notifiers.slack_scopes import SCOPES, SignedIn
from bot.domain.forge.tokens import is_of_app
from bot.settings import Settings
from bot.views.doctor import Health, HealthCheck


def of_installation(
    installation: Installation, *, is_used: bool, wished: Collection[str] = ()
) -> list[HealthCheck]:
    """One check for the installation, and one for each permission where it is used; those that are `wished` are
    needed as well."""
    name = installation.account
    if not is_used:
        return [HealthCheck("GitHub", name, Health.NOTE, "the App is installed there and not used")]
    if installation.is_suspended:
        state = "the App's installation there is suspended"
        return [HealthCheck("GitHub", name, Health.WRONG, state, "its owner can end that")]
    reach = "all repositories" if installation.sees_all else "the repositories that its owner chose"
    checks = [HealthCheck("GitHub", name, Health.FINE, f"the App is installed there and sees {reach}")]
    for permission in PERMISSIONS:
        subject = f"{name}: {permission.name}: {permission.level}"
        if permission.is_in(installation.permissions):
            checks.append(HealthCheck("permissions", subject, Health.FINE, f"there, to {permission.purpose}"))
        else:
            is_needed = permission.is_needed or permission.name in wished
            verdict = Health.WRONG if is_needed else Health.NOTE
            way_out = "grant it to the App, and have the owner accept that"
            checks.append(
                HealthCheck("permissions", subject, verdict, f"missing, to {permission.purpose}", way_out)
            )
    return checks


def wished_by(settings: Settings) -> frozenset[str]:
    """The permissions without which something that the settings turn on does nothing."""
    return frozenset({"artifact_metadata"} if settings.running.tells_forge else ())


def of_slack_app(signed_in: SignedIn) -> list[HealthCheck]:
    """One check for the token, and one for each thing that it must be granted for."""
    checks = [HealthCheck("messages", "Slack", Health.FINE, f"signed in as {signed_in}")]
    if signed_in.scopes is None:
        doubt = "Slack does not say which scopes the token has"
        return [
            *checks,
            HealthCheck("messages", "Slack: scopes", Health.UNKNOWN, doubt, "see the app's OAuth page"),
        ]
    for scope in SCOPES:
        subject = f"Slack: {' or '.join(scope.names)}"
        if scope.is_in(signed_in.scopes):
            scopes = ", ".join(name for name in scope.names if name in signed_in.scopes)
            checks.append(HealthCheck("messages", subject, Health.FINE, f"{scopes} is there, to {scope.purpose}"))
        else:
            way_out = "grant it to the app, and install that anew"
            checks.append(HealthCheck("messages", subject, Health.WRONG, f"missing, to {scope.purpose}", way_out))
    return checks


HOST = "ghcr.io"
_CLASSIC = re.compile(r"ghp_\w+|[0-9a-f]{40}")
_WAY_OUT = (
    "put a classic token with read:packages into registries.ghcr.io.password_file, and its account into username"
)


def of_token(token: str | None) -> HealthCheck:
    """GHCR takes classic tokens alone; every other kind signs in and is then denied private packages."""
    if token is None:
        state = "asked without a token, so it shows public packages alone"
        return HealthCheck("registries", f"{HOST}: token", Health.NOTE, state, _WAY_OUT)
    if _CLASSIC.fullmatch(token):
        return HealthCheck("registries", f"{HOST}: token", Health.FINE, "a classic token, as GHCR wants it")
    kind = "an App's token" if is_of_app(token) else "a fine-grained token"
    if not is_of_app(token) and not token.startswith("github_pat_"):
        state = "it does not look like a classic token, the only kind that GHCR takes"
        return HealthCheck("registries", f"{HOST}: token", Health.NOTE, state, _WAY_OUT)
    state = f"{kind}, which signs in and is denied private packages: GHCR takes classic tokens alone"
    return HealthCheck("registries", f"{HOST}: token", Health.WRONG, state, _WAY_OUT)
