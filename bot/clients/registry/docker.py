"""Signing in to a registry as the person who called the bot: as Docker's own configuration says.

Sources: Docker CLI, `config.json` (`auths`, `credHelpers`, `credsStore`), and docker-credential-helpers' protocol.
"""

import asyncio
import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.clients.http.client import Http
from bot.clients.registry.challenge import SignIn, basic
from bot.domain.failure import Failure, Trouble

HELPER_SECONDS = 30.0
"""A helper may ask its user for a password, which takes as long as it takes; one that hangs is given up."""
_LARGEST_CONFIG = 1024 * 1024
_DOCKER_HUB = ("https://index.docker.io/v1/", "index.docker.io")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_IDENTITY_TOKEN = "<token>"  # noqa: S105 - what helpers call a refresh token  # nosec B105
_NOT_FOUND = "credentials not found"


@dataclass(frozen=True, slots=True)
class DockerLogin:
    """`registry` is a host; `config` is the document, and `path` where it was read, for messages."""

    registry: str
    config: Mapping[str, Any]
    path: Path

    async def sign_in(self, http: Http) -> SignIn:
        """Gives what `docker login` has kept for the host; nobody in particular where it has kept nothing.

        Raises `Failure` (denied) where a credential helper is named that is missing, fails or hangs.
        """
        registry = self.registry
        helpers = self.config.get("credHelpers")
        names = (registry, *_DOCKER_HUB) if registry == "docker.io" else (registry, f"https://{registry}")
        own = [helpers[name] for name in names if name in helpers] if isinstance(helpers, dict) else []
        helper = own[0] if own else self.config.get("credsStore")
        if isinstance(helper, str) and helper:
            # Docker Hub is kept under its old address alone.
            helper_sign_in = await _from_helper(helper, _DOCKER_HUB[0] if registry == "docker.io" else registry)
            if helper_sign_in.is_somebody:
                return helper_sign_in
        entries = self.config.get("auths")
        own_entries = [entries[name] for name in names if name in entries] if isinstance(entries, dict) else []
        return self._sign_in_of(own_entries[0]) if own_entries else SignIn()

    def _sign_in_of(self, entry: object) -> SignIn:
        if not isinstance(entry, dict):
            raise self._unreadable()
        if token := entry.get("identitytoken"):
            return SignIn(refresh_token=str(token))
        if not (encoded := entry.get("auth")):
            username, password = entry.get("username"), entry.get("password")
            return SignIn(basic=basic(str(username), str(password or ""))) if username else SignIn()
        try:
            username, colon, password = base64.b64decode(str(encoded), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise self._unreadable() from None
        if not colon:
            raise self._unreadable()
        return SignIn(basic=basic(username, password.rstrip("\0")))

    def _unreadable(self) -> Failure:
        fault = f"has no readable credentials for {self.registry}"
        return Failure(Trouble.MALFORMED, fault, where=str(self.path), advice=f"docker login {self.registry}")


def docker_config(environment: Mapping[str, str]) -> tuple[Mapping[str, Any], Path] | None:
    """Reads Docker's configuration of the person who calls, with its path; None where there is none.

    Raises `Failure` (malformed) where it is no JSON object.
    """
    home = environment.get("HOME")
    folder = environment.get("DOCKER_CONFIG") or (home and str(Path(home) / ".docker"))
    if not folder:
        return None
    path = Path(folder) / "config.json"
    try:
        text = path.read_bytes()
    except OSError:
        return None
    try:
        config = json.loads(text) if len(text) <= _LARGEST_CONFIG else None
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise Failure(Trouble.MALFORMED, "is no JSON object", where=str(path), advice="mend it or move it away")
    return config, path


async def _from_helper(helper: str, server: str) -> SignIn:
    if not _NAME.fullmatch(helper):
        raise Failure(Trouble.MALFORMED, f"{helper[:80]!r} is no name of a credential helper", where=server)
    program = f"docker-credential-{helper}"
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "get",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )
    except OSError as error:
        fault = f"its credentials are with {program}, which does not start ({error.strerror})"
        raise Failure(Trouble.DENIED, fault, where=server, advice=f"install {program}") from None
    try:
        async with asyncio.timeout(HELPER_SECONDS):
            output, complaint = await process.communicate(server.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Failure(Trouble.DENIED, f"{program} gave no answer in {HELPER_SECONDS:g} s", where=server) from None
    if process.returncode != 0:
        # Helpers say so on standard output, and what else ails them on either.
        helper_text = (output or complaint).decode(errors="replace").strip()
        if _NOT_FOUND in helper_text:
            return SignIn()
        raise Failure(Trouble.DENIED, f"{program} failed: {helper_text[:200]}", where=server)
    try:
        answer = json.loads(output)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise Failure(Trouble.MALFORMED, f"{program} answered with no credentials", where=server) from None
    return SignIn(refresh_token=secret) if username == _IDENTITY_TOKEN else SignIn(basic=basic(username, secret))
