"""Whether GitHub's container registry takes the token that it is given, which shows by how that begins."""

import re

from bot.views.doctor import Check, Verdict

HOST = "ghcr.io"
_CLASSIC = re.compile(r"ghp_\w+|[0-9a-f]{40}")
_WAY_OUT = (
    "put a classic token with read:packages into registries.ghcr.io.password_file, and its account into username"
)


def of_token(token: str | None) -> Check:
    """GHCR takes classic tokens alone; every other kind signs in and is then denied private packages."""
    if token is None:
        told = "asked without a token, so it shows public packages alone"
        return Check("registries", f"{HOST}: token", Verdict.NOTE, told, _WAY_OUT)
    if _CLASSIC.fullmatch(token):
        return Check("registries", f"{HOST}: token", Verdict.FINE, "a classic token, as GHCR wants it")
    kind = "an App's token" if token.startswith("ghs_") else "a fine-grained token"
    if not token.startswith(("ghs_", "github_pat_")):
        told = "it does not look like a classic token, the only kind that GHCR takes"
        return Check("registries", f"{HOST}: token", Verdict.NOTE, told, _WAY_OUT)
    told = f"{kind}, which signs in and is denied private packages: GHCR takes classic tokens alone"
    return Check("registries", f"{HOST}: token", Verdict.WRONG, told, _WAY_OUT)
