"""Addresses as operators write them: of services, the store, networks, and hosts of registries."""

import ipaddress
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_LONGEST_HOST = 255
_LISTEN = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})"
)


def _listen(value: Any) -> str:
    """A host may be a name or an address, one of IPv6 within brackets; port 0 is any that is free."""
    address = _LISTEN.fullmatch(str(value))
    if address is None or int(address["port"]) > 65_535:
        raise ValueError("write HOST:PORT, for example 127.0.0.1:8484 or [::]:8484")
    return address[0]


_WIDEST = {4: 8, 6: 16}
"""Bits of a network of one organisation, by the version of the protocol."""


def _network(value: Any) -> str:
    try:
        network = ipaddress.ip_network(str(value))
    except ValueError:
        raise ValueError("write an address or a network, for example 10.0.0.7 or 10.0.0.0/24") from None
    if network.prefixlen < _WIDEST[network.version]:
        raise ValueError(
            "takes in so many that anybody could say who they are; write the addresses of your proxy alone, "
            "for example 10.0.0.7 or 10.0.0.0/24"
        )
    return str(network)


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def address_defect(url: str) -> str | None:
    """What keeps `url` from being an http(s) address that may stand in a file for all to read."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "no address; write https://HOST/PATH"
    if parts.scheme not in ("http", "https") or not host or any(letter.isspace() for letter in url):
        return "no address; write https://HOST/PATH"
    if parts.username is not None or parts.password is not None:
        return "has credentials in it; take them out, secrets belong in files"
    return None


def _address(url: str) -> str:
    defect = address_defect(url)
    if defect is not None:
        raise ValueError(defect)
    return url


def _guarded_address(url: str) -> str:
    parts = urlsplit(_address(url))
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("a token would cross the network in the clear; write https://")
    return url


def _store(url: str) -> str:
    """Checks the form of `store.url` and that it holds no password; whether the database is there shows later."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise ValueError("write sqlite:///PATH or postgresql://USER@HOST/NAME") from None
    if parts.scheme not in ("sqlite", "postgresql", "postgres") or "://" not in url:
        raise ValueError("write sqlite:///PATH or postgresql://USER@HOST/NAME")
    if parts.scheme == "sqlite" and (parts.netloc or parts.path.strip("/") in ("", ":memory:")):
        raise ValueError("names no file; write sqlite:///PATH")
    if parts.scheme == "sqlite" and (parts.query or parts.fragment):
        raise ValueError("nothing behind the path of a SQLite file has an effect; write sqlite:///PATH")
    if password is not None or re.search(r"[?&]password=", url):
        raise ValueError("has a password in it; put it into a file and name that in store.password_file")
    return url


def host_defect(host: str) -> str | None:
    """What keeps the key of a registry from being `host` or `host:port`."""
    if len(host) <= _LONGEST_HOST and _HOST.fullmatch(host):
        return None
    bare = re.sub(r"^[a-z]+://", "", host.lower()).split("/")[0]
    fits = len(bare) <= _LONGEST_HOST and _HOST.fullmatch(bare)
    return f"no registry host; write {bare if fits else 'HOST or HOST:PORT, such as mcr.microsoft.com'}"


Address = Annotated[str, Field(max_length=2000), AfterValidator(_address)]
GuardedAddress = Annotated[str, Field(max_length=2000), AfterValidator(_guarded_address)]
"""An address that a secret is sent to: https, or plain HTTP on this machine."""
StoreAddress = Annotated[str, Field(max_length=2000), AfterValidator(_store)]
ListenAddress = Annotated[
    str,
    BeforeValidator(_listen),
    WithJsonSchema({"type": "string", "examples": ["127.0.0.1:8484", "0.0.0.0:8484"]}),
]
Network = Annotated[
    str, BeforeValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.0.0.7", "10.0.0.0/24"]})
]
