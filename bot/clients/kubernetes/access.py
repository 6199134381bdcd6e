"""How a cluster is reached: its address, whom it is trusted by, and who asks.

It is opened for each list, since tokens in files are exchanged every hour and authorities now and then.
"""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import httpx

from bot.clients.http.bounds import address, host_of
from bot.clients.http.client import HostRules
from bot.domain.failure import Failure, Trouble

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token of its service account, and the authority of its cluster."""
_LARGEST = 256 * 1024


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Who asks, in PEM."""

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """`server` is an address without a slash at its end; `authority` is in PEM, and the machine's own are trusted
    without it."""

    server: str
    token: str | None = field(default=None, repr=False)
    authority: str | None = None
    certificate: ClientCertificate | None = None

    @property
    def host(self) -> str:
        return host_of(httpx.URL(self.server))

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}

    def rules(self) -> HostRules:
        """How its host is spoken to. Raises `Failure` for an authority or certificate that is none."""
        if self.server.startswith("http://"):
            return HostRules(insecure=True)
        try:
            tls = ssl.create_default_context(cadata=self.authority)
        except (ssl.SSLError, ValueError):
            raise self._unusable("its certificate authority is no certificate in PEM") from None
        if self.certificate is not None:
            self._show(self.certificate, tls)
        return HostRules(tls=tls)

    def _show(self, certificate: ClientCertificate, tls: ssl.SSLContext) -> None:
        """Python takes the pair from files alone."""
        with NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{certificate.certificate}\n{certificate.key}\n")
            file.flush()
            try:
                tls.load_cert_chain(file.name, password=_no_password)
            except (ssl.SSLError, ValueError):
                raise self._unusable("its client certificate and key are no pair in PEM") from None

    def _unusable(self, what: str) -> Failure:
        return Failure(Trouble.DENIED, what, where=self.host, advice="write them anew")


SignIn = Callable[[], Awaitable[str]]
"""Gives the token where no file does."""


async def reached(opened: Callable[[], ClusterAccess], signed_in: SignIn | None) -> ClusterAccess:
    """Reads anew how a cluster, or Azure, is reached, and signs in where no file has a token. Raises `Failure`."""
    access = opened()
    return access if signed_in is None else replace(access, token=await signed_in())


def trouble_of(status: int) -> Trouble:
    """What is the matter where such a server answers with another status than the wanted one."""
    return {401: Trouble.DENIED, 403: Trouble.DENIED, 404: Trouble.MISSING}.get(status, Trouble.MALFORMED)


def _no_password() -> str:
    raise ValueError("the key asks for a password")


def checked_server(server: str) -> str:
    """The address without a slash at its end. Raises `ValueError` where a token may not be sent there."""
    url = address(server)
    is_spaced = any(letter.isspace() for letter in server)
    if url is None or is_spaced or not url.host or url.userinfo or url.query or url.fragment:
        raise ValueError("is no address of a server; write https://HOST:PORT")
    if url.scheme != "https" and not (url.scheme == "http" and url.host in ("localhost", "127.0.0.1", "::1")):
        raise ValueError("would send the token in the clear; write https://")
    return str(url).rstrip("/")


def by_token(server: str, token_file: Path | None, ca_file: Path | None) -> ClusterAccess:
    """A server with the token in a file, or without one. Raises `Failure` for a file that cannot be used."""
    authority = None if ca_file is None else read_text(ca_file, "its certificate authority")
    token = None if token_file is None else read_token(token_file)
    return ClusterAccess(server.rstrip("/"), token, authority)


def in_cluster(environment: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> ClusterAccess:
    """The cluster that this pod runs in, by its service account. Raises `Failure` outside of one, and in a pod that
    is given no token."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        advice = "name the server or a kubeconfig"
        raise Failure(Trouble.DENIED, "this is no pod of a cluster", advice=advice)
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    with suppress(ValueError):
        authority = read_text(folder / "ca.crt", "the cluster's certificate authority")
        return ClusterAccess(checked_server(server), read_token(folder / "token"), authority)
    raise Failure(
        Trouble.DENIED, "KUBERNETES_SERVICE_HOST and _PORT are no address", advice="let the kubelet set them"
    )


def read_token(path: Path) -> str:
    """The token in a file. Raises `Failure` where it holds none."""
    token = read_text(path, "its token").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Failure(Trouble.DENIED, f"{path} holds no token", advice="write the token alone into the file")
    return token


def read_text(path: Path, purpose: str) -> str:
    """A file that the way in leans on. Raises `Failure` (denied) where it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ValueError("it is larger than 256 KiB")
        return content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or ("it is no text" if isinstance(error, UnicodeError) else error)
        raise Failure(
            Trouble.DENIED, f"{path}: cannot read {purpose}: {reason}", advice="mount it there"
        ) from error
