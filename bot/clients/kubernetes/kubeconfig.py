"""A kubeconfig, as far as it names a server and who asks by files, tokens and certificates.

Whatever would run a program, ask somebody else for a token or trust anybody is refused: what it names is not done
in silence in another way.
"""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bot.clients.kubernetes.access import ClientCertificate, ClusterAccess, checked_server, read_text, read_token
from bot.domain.failure import Failure, Trouble

_NOT_OF_USERS: Mapping[str, str] = {
    "exec": "runs a program for its token; make a service account, and give its token in a file",
    "auth-provider": "leans on a provider that Kubernetes has taken out; give a token in a file",
    "username": "has a user name and password, which no cluster takes any more; give a token in a file",
    "as": "asks as somebody else; give the token of whom it is to be",
}
_NOT_OF_CLUSTERS: Mapping[str, str] = {
    "insecure-skip-tls-verify": "trusts whoever answers; name its certificate-authority",
    "proxy-url": "is reached by a proxy of its own, which is not done; name a server that is reached directly",
    "tls-server-name": "is held against another name, which is not done; name the server as its certificate does",
}


def by_kubeconfig(path: Path, context: str | None) -> ClusterAccess:
    """The cluster and user of a context, the current one where none is named. Raises `Failure`, naming the file,
    where it cannot be used as it is."""
    text = read_text(path, "the kubeconfig")
    try:
        return _access(yaml.safe_load(text), context, path.parent)
    except (yaml.YAMLError, RecursionError):
        fault = "is no YAML"
    except ValueError as error:
        fault = str(error)
    raise Failure(Trouble.DENIED, f"the kubeconfig {fault}", where=str(path))


def _access(document: Any, context: str | None, folder: Path) -> ClusterAccess:
    if not isinstance(document, dict):
        raise ValueError("has no clusters, users and contexts")
    name = context or document.get("current-context")
    if not name:
        raise ValueError("has no current-context; name one under context")
    chosen = _named(document, "context", name)
    cluster = _named(document, "cluster", chosen.get("cluster"))
    user = _named(document, "user", chosen.get("user"))
    for part, of, refused in (("cluster", cluster, _NOT_OF_CLUSTERS), ("user", user, _NOT_OF_USERS)):
        if found := next((key for key in refused if of.get(key)), None):
            raise ValueError(f"has a {part} that {refused[found]}")
    try:
        server = checked_server(str(cluster.get("server", "")))
    except ValueError as error:
        raise ValueError(f"has a server that {error}") from None
    authority = _pem(cluster, "certificate-authority", folder)
    token, certificate = _token(user, folder), _certificate(user, folder)
    if token is None and certificate is None:
        raise ValueError("has a user without a token, tokenFile or client certificate")
    return ClusterAccess(server, token, authority, certificate)


def _named(document: Mapping[str, Any], part: str, name: object) -> Mapping[str, Any]:
    """The cluster, user or context of that name."""
    entries = document.get(f"{part}s")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(part), dict):
            found: Mapping[str, Any] = entry[part]
            return found
    raise ValueError(f"has no {part} {str(name)[:100]!r}")


def _token(user: Mapping[str, Any], folder: Path) -> str | None:
    """The file wins, as it does for kubectl."""
    if user.get("tokenFile"):
        return read_token(folder / str(user["tokenFile"]))
    token = user.get("token")
    if token is None:
        return None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("has a token that is none")
    return token


def _certificate(user: Mapping[str, Any], folder: Path) -> ClientCertificate | None:
    certificate, key = _pem(user, "client-certificate", folder), _pem(user, "client-key", folder)
    if (certificate is None) != (key is None):
        raise ValueError("has a user with a client certificate and no key, or a key and no certificate")
    return None if certificate is None or key is None else ClientCertificate(certificate, key)


def _pem(part: Mapping[str, Any], key: str, folder: Path) -> str | None:
    """What stands under `KEY-data` in base64, or in the file under `KEY`; the first wins, as for kubectl."""
    if data := part.get(f"{key}-data"):
        try:
            return base64.b64decode(str(data), validate=True).decode()
        except (binascii.Error, UnicodeError):
            raise ValueError(f"has a {key}-data that is no PEM in base64") from None
    return read_text(folder / str(part[key]), f"its {key}") if part.get(key) else None
