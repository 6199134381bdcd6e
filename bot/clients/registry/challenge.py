"""How a registry asks for credentials, what its token service answered, and who the bot is to it.

Sources: RFC 9110 section 11 (challenges); CNCF Distribution, "Token Authentication" and "OAuth2"; Docker,
"credential stores"; Azure Container Registry, "AAD-OAuth".
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from bot.clients.http.client import Http
from bot.domain.failure import Failure, Trouble

DEFAULT_LIFETIME = timedelta(seconds=60)
LEEWAY = timedelta(seconds=5)
"""A token is given up this long before it expires, so that it does not expire on its way."""
LONGEST_TOKEN = 16 * 1024

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_SCHEME = re.compile(rf"[\s,]*({_WORD})(?=[\s,]|$)\s*")
_PARAMETER = re.compile(rf'[\s,]*({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))\s*(?=,|$)')
_TOKEN68 = re.compile(r"[0-9A-Za-z._~+/-]+=*\s*(?=,|$)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that a host offers. `scheme` and the names of `parameters` are in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryToken:
    """A token that a registry takes until `expires_at`."""

    value: str = field(repr=False)
    expires_at: datetime

    def is_good(self, now: datetime) -> bool:
        return now < self.expires_at


def challenges(header: str) -> tuple[Challenge, ...]:
    """Every challenge of a WWW-Authenticate header; what follows something unreadable is left out."""
    return tuple(_challenges(header[:8192]))


def _challenges(header: str) -> Iterator[Challenge]:
    position = 0
    while scheme := _SCHEME.match(header, position):
        position = scheme.end()
        if blob := _TOKEN68.match(header, position):
            position = blob.end()
        parameters: dict[str, str] = {}
        while parameter := _PARAMETER.match(header, position):
            position = parameter.end()
            name, quoted, bare = parameter.groups()
            parameters.setdefault(name.lower(), bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        yield Challenge(scheme.group(1).lower(), parameters)


def token_url(challenge: Challenge, scope: str, place: str) -> str:
    """Returns where to fetch a token for `scope`. What the challenge itself asks for is not granted blindly."""
    address = challenge.parameters.get("realm", "")
    if not _is_address(address):
        raise Failure(Trouble.MALFORMED, "asks for a token without saying where to get it", where=place, status=401)
    realm = urlsplit(address)
    query = {"scope": scope}
    if service := challenge.parameters.get("service"):
        query["service"] = service
    joined = "&".join(part for part in (realm.query, urlencode(query)) if part)
    return urlunsplit((realm.scheme, realm.netloc, realm.path, joined, ""))


def _is_address(text: str) -> bool:
    """Whether both parsers that the text meets, ours and the HTTP client's, read a host and a port out of it."""
    try:
        realm, url = urlsplit(text), httpx.URL(text)
        usable = bool(url.host) and realm.port != 0
    except (ValueError, httpx.InvalidURL):
        return False
    return usable and realm.scheme in ("http", "https") and bool(realm.hostname) and "@" not in realm.netloc


def is_related(registry: str, realm: str) -> bool:
    """Whether credentials for the host `registry` may be shown to the token service `realm`.

    They may on the same host, or within the domain that the registry's own name stands in: `auth.docker.io` for
    `registry-1.docker.io`, `gitlab.com` for `registry.gitlab.com`.
    """
    ours, theirs = (urlsplit(f"//{host}").hostname or "" for host in (registry, realm))
    if ours == theirs:
        return True
    domain = ours.partition(".")[2]
    is_address = ours.replace(".", "").isdigit() or ":" in ours
    return "." in domain and not is_address and (theirs == domain or theirs.endswith(f".{domain}"))


def read_token(body: bytes, now: datetime, place: str) -> RegistryToken:
    """The token service's answer. Raises `Failure` (malformed) where it holds no usable token."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Failure(Trouble.MALFORMED, "answered a token request with something else", where=place)
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value) or len(value) > LONGEST_TOKEN:
        raise Failure(Trouble.MALFORMED, "answered a token request without a usable token", where=place)
    seconds = answer.get("expires_in")
    if isinstance(seconds, int | float) and 0 < seconds < 86400 * 365:
        lifetime = timedelta(seconds=seconds)
    else:
        lifetime = DEFAULT_LIFETIME
    return RegistryToken(value, now + max(lifetime - LEEWAY, timedelta(0)))


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a token service is shown: `basic` is an Authorization header, `refresh_token` goes into a form.

    At most one of them is set; with neither, the bot is nobody in particular. Good until `expires_at`; None: as
    long as the process runs.
    """

    basic: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    @property
    def is_somebody(self) -> bool:
        return self.basic is not None or self.refresh_token is not None

    def is_good(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


class Login(Protocol):
    """One way to sign in to one registry."""

    async def sign_in(self, http: Http) -> SignIn:
        """Gives what the registry's token service is shown. Raises `Failure`, DENIED above all."""
        ...


@dataclass(frozen=True, slots=True)
class KnownLogin:
    """A sign-in that is known from the start, such as a name with its password."""

    known: SignIn

    async def sign_in(self, http: Http) -> SignIn:
        return self.known
