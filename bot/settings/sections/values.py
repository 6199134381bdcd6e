"""The kinds of values that operators write: durations, shares, windows, addresses, hosts."""

import ipaddress
import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.domain.cron import checked_cron
from bot.domain.rollouts.timing.windows import Window

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = timedelta(days=3650)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_LONGEST_HOST = 255
_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[ T](?P<time>\d{2}:\d{2})(?::00)?)?(?: (?P<zone>[A-Za-z_/+0-9-]{1,64}))?"
)
_BRANCH_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(?:[/.][A-Za-z0-9_-]+)*[/-]")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:/[A-Za-z0-9_][A-Za-z0-9_-]{0,99})?")
_LISTEN = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?):(?P<port>[0-9]{1,5})"
)
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9_.-]{1,100}")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"\s*([0-9]{1,10})\s*([smhd])\s*", str(value))
    if found is None:
        raise ValueError("write a number and a unit, for example 90s, 15m, 6h or 7d")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"longer than {_LONGEST.days} days; write a shorter time")
    return timedelta(seconds=seconds)


def _interval(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("write at least 1s; the bot would ask without a pause")
    return value


def _length(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("write at least 1s")
    return value


def _written(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next((name for name in "dhm" if seconds and seconds % _UNITS[name] == 0), "s")
    return f"{seconds // _UNITS[unit]}{unit}"


def _percent(value: Any) -> float:
    if isinstance(value, float):
        raise ValueError("write a percentage, for example 20%")
    found = re.fullmatch(r"\s*([0-9]{1,3})\s*%\s*", str(value))
    if found is None or int(found[1]) > 100:
        raise ValueError("write a percentage, for example 20%")
    return int(found[1]) / 100


def _moment(value: Any) -> datetime:
    """YAML has made a day or a moment of what stands there without quotes; a moment without a zone is in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    expected = ValueError("write for example 2026-12-20 or '2026-12-20 18:00 Europe/Berlin'")
    found = _MOMENT.fullmatch(str(value).strip().removesuffix("Z"))
    if found is None:
        raise expected
    try:
        there = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00'}")
        return there.replace(tzinfo=ZoneInfo(found["zone"] or "UTC")).astimezone(UTC)
    except (ValueError, KeyError, OSError, OverflowError):
        raise expected from None


def _branch_prefix(text: str) -> str:
    """Within what git takes as the beginning of a branch's name (git-check-ref-format)."""
    if not _BRANCH_PREFIX.fullmatch(text) or ".lock" in text:
        raise ValueError("no beginning of a branch's name; write for example freshness/")
    return text


def _commit_message(text: str) -> str:
    if not text.isprintable() or re.search(r"[{}]", text.replace("{bases}", "")):
        raise ValueError("write one line, in which {bases} stands for what moved")
    return text


def _label(text: str) -> str:
    if not text.isprintable() or "," in text or not text.strip():
        raise ValueError("no label; write it without commas, on one line")
    return text


def _person(text: str) -> str:
    bare = text.removeprefix("@")
    if not _PERSON.fullmatch(bare):
        raise ValueError("write a login such as octocat, or a team such as contoso/platform")
    return bare


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError("no such time zone; write for example Europe/Berlin") from error
    return name


def _repository(text: str) -> str:
    if not _REPOSITORY.fullmatch(text):
        raise ValueError("write owner/name")
    return text


def _listen(value: Any) -> str:
    """A host may be a name or an address, one of IPv6 within brackets; port 0 is any that is free."""
    found = _LISTEN.fullmatch(str(value))
    if found is None or int(found["port"]) > 65_535:
        raise ValueError("write HOST:PORT, for example 127.0.0.1:8484 or [::]:8484")
    return found[0]


def _network(value: Any) -> str:
    try:
        return str(ipaddress.ip_network(str(value)))
    except ValueError:
        raise ValueError("write an address or a network, for example 10.0.0.7 or 10.0.0.0/24") from None


def _window(value: Any) -> Window:
    return value if isinstance(value, Window) else Window.parse(str(value))


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


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_written, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,10}\s*[smhd]\s*$", "examples": ["15m", "6h"]}),
]
Interval = Annotated[Duration, AfterValidator(_interval)]
"""A duration between two times of doing something."""
Period = Annotated[Duration, AfterValidator(_length)]
"""A duration that is not nothing."""
Percent = Annotated[
    float,
    BeforeValidator(_percent),
    PlainSerializer(lambda value: f"{round(value * 100)}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,3}\s*%\s*$", "examples": ["20%"]}),
]
WindowText = Annotated[
    Window,
    BeforeValidator(_window),
    WithJsonSchema({"type": "string", "examples": ["always", "mon-fri 08:00-17:00 Europe/Berlin"]}),
]
Address = Annotated[str, AfterValidator(_address)]
GuardedAddress = Annotated[str, AfterValidator(_guarded_address)]
"""An address that a secret is sent to: https, or plain HTTP on this machine."""
StoreAddress = Annotated[str, AfterValidator(_store)]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
"""A name or glob; an empty one would match nothing, or everything."""
ShortName = Annotated[str, Field(min_length=1, max_length=64)]
"""A name that is stored beside each rebuild, such as a wave's or a step's."""
Sentence = Annotated[str, Field(min_length=1, max_length=200)]
WorkflowFile = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.ya?ml$")]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda at: f"{at:%Y-%m-%d %H:%M} UTC", return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2026-12-20", "2026-12-20 18:00 Europe/Berlin"]}),
]
"""A moment; where it has no zone, UTC."""
CronTime = Annotated[str, Field(max_length=100), AfterValidator(checked_cron)]
"""Five fields, as in cron."""
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]
"""A name of the time zone database, such as `Europe/Berlin`."""
BranchPrefix = Annotated[str, Field(max_length=64), AfterValidator(_branch_prefix)]
CommitMessage = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_commit_message)]
Label = Annotated[str, Field(max_length=50), AfterValidator(_label)]
"""GitHub takes no longer one."""
Mention = Annotated[str, Field(pattern=r"^(here|channel|[UWS][A-Z0-9]{2,30})$")]
"""Whom Slack calls: the id of a user (U…, W…) or of a user group (S…), or `here` or `channel`."""
Person = Annotated[str, AfterValidator(_person)]
"""A person's login, or a team with its organisation."""
ListenAddress = Annotated[
    str,
    BeforeValidator(_listen),
    WithJsonSchema({"type": "string", "examples": ["127.0.0.1:8484", "0.0.0.0:8484"]}),
]
Network = Annotated[
    str, BeforeValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.0.0.7", "10.0.0.0/24"]})
]
RepositoryName = Annotated[str, AfterValidator(_repository)]
PathGlob = Annotated[str, Field(min_length=1, max_length=256)]
