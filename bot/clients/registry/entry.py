"""How the bot is let in by registries: each host's access, its challenge, and the tokens for its repositories."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

from bot.clients.http.answers import Answer, Streamed
from bot.clients.http.client import HostRules, Http
from bot.clients.registry.challenge import (
    Challenge,
    KnownLogin,
    Login,
    RegistryToken,
    SignIn,
    basic,
    challenges,
    is_related,
    read_token,
    token_url,
)
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble

LARGEST_TOKEN_ANSWER = 64 * 1024
CLIENT = "freshness-bot"
_SERVED_FROM = {"docker.io": "registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How one registry host is spoken to.

    `token_host` names a token service outside the registry's own domain that may be shown the password. `login` is
    how to sign in where there is no name with a password.
    """

    host: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    insecure: bool = False
    token_host: str | None = None
    login: Login | None = None

    @property
    def served_from(self) -> str:
        return _SERVED_FROM.get(self.host, self.host)

    @property
    def address(self) -> str:
        """The registry's address, without a path."""
        return f"{'http' if self.insecure else 'https'}://{self.served_from}"

    @property
    def rules(self) -> HostRules:
        return HostRules(self.ca_file, self.insecure)

    @property
    def way_in(self) -> Login | None:
        """How the bot signs in there; None where it is nobody in particular."""
        if self.username is None:
            return self.login
        return KnownLogin(SignIn(basic=basic(self.username, self.password or "")))


def host_rules(accesses: Iterable[RegistryAccess]) -> dict[str, HostRules]:
    """Returns the rules of the registries' hosts, for `Http(hosts=…)`."""
    return {access.served_from: access.rules for access in accesses}


@dataclass(slots=True)
class RegistryEntry:
    """What hosts have asked for, and what the bot got for it. One sign-in a host, one token a repository."""

    http: Http
    clock: Clock
    _challenges: dict[str, Challenge] = field(default_factory=dict)
    _sign_ins: dict[str, SignIn] = field(default_factory=dict)
    _tokens: dict[tuple[str, str], RegistryToken] = field(default_factory=dict)
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    async def authorization(self, access: RegistryAccess, repository: str) -> str | None:
        """The Authorization header that the host's last challenge asks for; None before the first one.

        Raises `Failure`, DENIED above all, where no token is to be had.
        """
        challenge = self._challenges.get(access.host)
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return (await self._sign_in(access)).basic
        key = (access.host, repository)
        async with self._locks.setdefault(key, asyncio.Lock()):
            token = self._tokens.get(key)
            if token is None or not token.is_good(self.clock.now()):
                token = self._tokens[key] = await self._token(access, repository, challenge)
        return f"Bearer {token.value}"

    def is_challenged(
        self, access: RegistryAccess, repository: str, answer: Answer | Streamed, authorization: str | None
    ) -> bool:
        """Notes what a 401 asks for, gives up a token that was shown to no avail; False where it asks nothing."""
        challenge = _choose(answer, access)
        if challenge is None:
            return False
        self._challenges[access.host] = challenge
        token = self._tokens.get((access.host, repository))
        if token is not None and authorization == f"Bearer {token.value}":
            del self._tokens[(access.host, repository)]
        return True

    async def _sign_in(self, access: RegistryAccess) -> SignIn:
        way = access.way_in
        if way is None:
            return SignIn()
        async with self._locks.setdefault((access.host, ""), asyncio.Lock()):
            sign_in = self._sign_ins.get(access.host)
            if sign_in is None or not sign_in.is_good(self.clock.now()):
                sign_in = self._sign_ins[access.host] = await way.sign_in(self.http)
        return sign_in

    async def _token(self, access: RegistryAccess, repository: str, challenge: Challenge) -> RegistryToken:
        place = f"{access.host}/{repository}"
        url = token_url(challenge, f"repository:{repository}:pull", place)
        if urlsplit(url).scheme == "http" and not access.insecure:
            raise Failure(Trouble.DENIED, "sends its visitors to a token service without TLS", where=place)
        sign_in = await self._sign_in(access)
        if sign_in.is_somebody:
            _expect_own(access, urlsplit(url).netloc, place)
        answer = await self._ask(url, sign_in)
        if answer.status in (400, 401) and sign_in.refresh_token is not None:
            # Taken back before its time, as after a change of rights: one more, and no third.
            self._sign_ins.pop(access.host, None)
            answer = await self._ask(url, await self._sign_in(access))
        if answer.status != 200:
            raise _no_token(answer.status, place, urlsplit(url).netloc)
        return read_token(answer.body, self.clock.now(), answer.where)

    async def _ask(self, url: str, sign_in: SignIn) -> Answer:
        """With a name and a password or with neither, a GET; with a refresh token, OAuth2's form."""
        headers = {"Accept": "application/json"}
        if sign_in.refresh_token is None:
            if sign_in.basic is not None:
                headers["Authorization"] = sign_in.basic
            return await self.http.request("GET", url, headers=headers, max_bytes=LARGEST_TOKEN_ANSWER)
        target = urlsplit(url)
        form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": sign_in.refresh_token}
        return await self.http.request(
            "POST",
            urlunsplit((target.scheme, target.netloc, target.path, "", "")),
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
            content=f"{urlencode(form)}&{target.query}".encode(),
            max_bytes=LARGEST_TOKEN_ANSWER,
            retry=True,
        )


def _expect_own(access: RegistryAccess, token_service: str, place: str) -> None:
    if not (is_related(access.served_from, token_service) or token_service == access.token_host):
        raise Failure(
            Trouble.DENIED,
            f"wants its password shown to {token_service[:100]}",
            where=place,
            advice=f"set `token_host` for {access.host} if that is right",
        )


def _choose(answer: Answer | Streamed, access: RegistryAccess) -> Challenge | None:
    offered: Mapping[str, Challenge] = {
        challenge.scheme: challenge for challenge in challenges(answer.headers.get("www-authenticate", ""))
    }
    if "bearer" in offered:
        return offered["bearer"]
    return offered.get("basic") if access.way_in is not None else None


def _no_token(status: int, place: str, service: str) -> Failure:
    """Whatever a token service says, it is not that the image is gone."""
    fault = f"gets no token from {service[:100]} ({status})"
    if status in (401, 403):
        return Failure(Trouble.DENIED, fault, where=place, advice="check username and password", status=status)
    return Failure(Trouble.MALFORMED, fault, where=place, advice="it is tried again later", status=status)
