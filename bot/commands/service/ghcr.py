"""Whether GitHub's container registry takes the token that it is given, which shows by how that begins."""

import re

from bot.views.doctor import Health, HealthCheck

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
    kind = "an App's token" if token.startswith("ghs_") else "a fine-grained token"
    if not token.startswith(("ghs_", "github_pat_")):
        state = "it does not look like a classic token, the only kind that GHCR takes"
        return HealthCheck("registries", f"{HOST}: token", Health.NOTE, state, _WAY_OUT)
    state = f"{kind}, which signs in and is denied private packages: GHCR takes classic tokens alone"
    return HealthCheck("registries", f"{HOST}: token", Health.WRONG, state, _WAY_OUT)
