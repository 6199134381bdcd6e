"""Where the App is installed, what each installation may do, and the tokens that it gave out.

The emulator is asked with full rights; what an installation may do is decided here.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import jwt

from bot.domain.clock import Clock
from sandbox.github.refusals import Refused
from sandbox.programs.emulator import APP_ID, PERMISSIONS

LIFE = timedelta(hours=1)
RANKS = {"read": 1, "write": 2}
SUSPENDED = "This installation has been suspended"
TOKEN_PREFIX = "ghs_"


@dataclass(slots=True)
class Installation:
    """An App's installation at an account; `repository_ids` is None where it was given all repositories."""

    id: int
    account: str
    permissions: dict[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    repository_ids: frozenset[int] | None = None
    """None: all of the account's."""
    suspended_at: datetime | None = None
    is_removed: bool = False

    @property
    def selection(self) -> str:
        return "all" if self.repository_ids is None else "selected"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an installation token may do."""

    installation: Installation
    permissions: Mapping[str, str]
    repository_ids: frozenset[int] | None
    expires_at: datetime

    @property
    def account(self) -> str:
        return self.installation.account

    def may(self, permission: str, level: str) -> bool:
        """What was taken from the installation since is gone from its tokens too."""
        granted = [
            RANKS.get(held.get(permission, ""), 0) for held in (self.permissions, self.installation.permissions)
        ]
        return permission == "metadata" or min(granted) >= RANKS[level]


@dataclass(slots=True)
class Installations:
    """All installations of the App, and the tokens that they were given."""

    clock: Clock
    all: dict[int, Installation] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)

    def of(self, account: str) -> Installation:
        """Raises `KeyError`."""
        for installation in self.all.values():
            if installation.account == account and not installation.is_removed:
                return installation
        raise KeyError(account)

    def issue(
        self, number: int, permissions: Mapping[str, str] | None, repository_ids: frozenset[int] | None
    ) -> tuple[str, Grant]:
        """A token with at most these rights. Raises `Refused`."""
        installation = self.all.get(number)
        if installation is None or installation.is_removed:
            raise Refused(404, "Not Found")
        if installation.suspended_at is not None:
            raise Refused(403, SUSPENDED)
        wanted = dict(permissions or installation.permissions)
        for name, level in wanted.items():
            if RANKS.get(level, 9) > RANKS.get(installation.permissions.get(name, ""), 0):
                raise Refused(422, "The permissions requested are not granted to this installation.")
        own = installation.repository_ids
        if repository_ids is not None and own is not None and not repository_ids <= own:
            raise Refused(422, "There is at least one repository that does not exist or is not accessible.")
        grant = Grant(installation, wanted, repository_ids or own, self.clock.now() + LIFE)
        token = _token()
        self.grants[token] = grant
        return token, grant

    def grant(self, token: str) -> Grant | None:
        """What this token may do; None for one that is no installation's. Raises `Refused`."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= self.clock.now() or grant.installation.is_removed:
            raise Refused(401, "Bad credentials")
        if grant.installation.suspended_at is not None:
            raise Refused(403, SUSPENDED)
        return grant

    def expire(self) -> None:
        """Every token given out so far is refused from now on, as after its hour."""
        self.grants.clear()


def _token() -> str:
    """Opaque, long and with dots, as GitHub makes them since 2026."""
    pieces = [secrets.token_urlsafe(size) for size in (96, 192, 64)]
    return f"{TOKEN_PREFIX}{APP_ID}_{'.'.join(pieces)}"


def app_token(private_key: str) -> str:
    """A JSON web token of the App itself, for the emulator."""
    now = int(time.time())
    return jwt.encode({"iat": now - 60, "exp": now + 300, "iss": str(APP_ID)}, private_key, "RS256")


def check_app_token(token: str) -> None:
    """Whether the claims are such as GitHub takes; the emulator checks the signature. Raises `Refused`."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        remaining = int(claims["exp"]) - time.time()
    except (jwt.PyJWTError, KeyError, ValueError):
        raise Refused(401, "A JSON web token could not be decoded") from None
    if remaining > 600:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
