"""Stock images of others, mostly datastores and proxies: as whom they can run, and where they write.

Sources: their pages on Docker Hub and their Dockerfiles; for Kibana and Logstash `USER 1000` in those that Elastic
publishes for each release, for Elasticsearch the `chroot --userspec` of its entrypoint before version 8, for Loki
`USER 10001` in its own; for SQL Server, Caddy and pgAdmin the `setcap` of Microsoft's Dockerfile for its non-root
image and of the others' own, for pgAdmin's port its entrypoint. What they do not say is left out: advice is words
then.
"""

import re
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.domain.reference import InvalidReference, Reference

MOST_NAMES = 16_384
"""Of so many images it is kept what their names tell."""


@dataclass(frozen=True, slots=True)
class StockImage:
    """`uid` is the user that the image is made for; empty where it has none, and `instead` says what to take.

    `starts_as_root`: its entrypoint becomes that user, for which it needs rights that others do not. `writes` are
    the folders beside `/tmp` and its data that it writes in; None where that is not known here. `needs` is the
    capability that the file of its program carries: the kernel starts that for nobody who may not have it. Its
    entrypoint starts as root what is no `program`. `port_variable` names the variable of the environment that tells
    such a program its port, which is below 1024 without. Where `settings` is mounted, what starts goes by that, or
    makes other files of it. `uid_instead` is who the image runs as that `instead` names, `becomes_by` what root
    needs to become its user.
    """

    uid: str = ""
    starts_as_root: bool = True
    writes: tuple[str, ...] | None = None
    instead: str = ""
    uid_instead: str = ""
    becomes_by: str = "CHOWN, SETGID and SETUID"
    uid_on_alpine: str = ""
    needs: str = ""
    port_variable: str = ""
    program: str = ""
    settings: str = ""

    def stays_root(self, entrypoint: Items[str], command: Items[str]) -> bool:
        """Whether what is written in place of the image's own entrypoint or command runs as root for good."""
        if not self.starts_as_root or not self.program:
            return False
        if entrypoint and not any("entrypoint" in each for each in entrypoint):
            return True
        first = next((each for words in command for each in words.split()), "").rpartition("/")[2]
        is_started = first and not first.startswith("-") and not first.endswith(".conf") and "$" not in first
        return bool(is_started) and re.match(self.program, first) is None


_DOCKER = "docker.io/library/"
_UNPRIVILEGED = (
    "take nginxinc/nginx-unprivileged, which runs as UID 101, and by its own configuration listens on 8080 and"
    " writes only where that user may"
)
_BY_CHROOT = "CHOWN, SETGID, SETUID and SYS_CHROOT"
_PORTS_FIRST = "have it listen on ports from 1024 on, and "
_HIGH_PORTS = f"{_PORTS_FIRST}name a UID above 0 that may read its files"
_STOCK = {
    f"{_DOCKER}postgres": StockImage(
        "999", writes=("/var/run/postgresql",), uid_on_alpine="70", program=r"postgres$"
    ),
    f"{_DOCKER}mysql": StockImage("999", writes=("/var/run/mysqld",), program=r"mysqld$"),
    f"{_DOCKER}mariadb": StockImage("999", writes=("/run/mysqld",), program=r"(?:mysqld|mariadbd)$"),
    f"{_DOCKER}redis": StockImage("999", writes=(), program=r"redis-s(?:erver|entinel)$"),
    "docker.io/valkey/valkey": StockImage("999", writes=(), program=r"valkey-s(?:erver|entinel)$"),
    f"{_DOCKER}mongo": StockImage("999", program="mongo"),
    f"{_DOCKER}rabbitmq": StockImage("999", uid_on_alpine="100", program="rabbitmq"),
    f"{_DOCKER}memcached": StockImage("11211", starts_as_root=False, writes=()),
    f"{_DOCKER}haproxy": StockImage("99", starts_as_root=False),
    f"{_DOCKER}elasticsearch": StockImage("1000", becomes_by=_BY_CHROOT),
    "docker.elastic.co/elasticsearch/elasticsearch": StockImage("1000", becomes_by=_BY_CHROOT),
    f"{_DOCKER}kibana": StockImage("1000", starts_as_root=False),
    "docker.elastic.co/kibana/kibana": StockImage("1000", starts_as_root=False),
    f"{_DOCKER}logstash": StockImage("1000", starts_as_root=False),
    "docker.elastic.co/logstash/logstash": StockImage("1000", starts_as_root=False),
    "mcr.microsoft.com/mssql/server": StockImage("10001", starts_as_root=False, needs="NET_BIND_SERVICE"),
    "docker.io/dpage/pgadmin4": StockImage(
        "5050", starts_as_root=False, needs="NET_BIND_SERVICE", port_variable="PGADMIN_LISTEN_PORT"
    ),
    "docker.io/grafana/loki": StockImage("10001", starts_as_root=False),
    "docker.io/grafana/grafana": StockImage("472", starts_as_root=False),
    "docker.io/prom/prometheus": StockImage("65534", starts_as_root=False),
    "docker.io/prom/alertmanager": StockImage("65534", starts_as_root=False),
    "docker.io/prom/node-exporter": StockImage("65534", starts_as_root=False),
    "quay.io/prometheus/prometheus": StockImage("65534", starts_as_root=False),
    "quay.io/prometheus/alertmanager": StockImage("65534", starts_as_root=False),
    "quay.io/prometheus/node-exporter": StockImage("65534", starts_as_root=False),
    f"{_DOCKER}nginx": StockImage(
        writes=("/var/cache/nginx", "/var/run"),
        instead=_UNPRIVILEGED,
        uid_instead="101",
        settings=r"/etc/nginx(?:/?$|/nginx\.conf$|/templates(?:/|$))",
    ),
    f"{_DOCKER}httpd": StockImage(instead=_HIGH_PORTS),
    f"{_DOCKER}caddy": StockImage(instead=_HIGH_PORTS, needs="NET_BIND_SERVICE"),
    f"{_DOCKER}traefik": StockImage(writes=(), instead=_HIGH_PORTS),
}
_ROOT_BEFORE = {
    f"{_DOCKER}haproxy": ("1.", "2.0", "2.1", "2.2", "2.3"),
    "mcr.microsoft.com/mssql/server": ("2017",),
    "docker.io/dpage/pgadmin4": ("1.", "2.", "3.", "4."),
}
"""Tags of versions that ran as root still."""
_STARTED_AS_ROOT = {
    f"{_DOCKER}elasticsearch": ("1.", "2.", "5.", "6.", "7."),
    "docker.elastic.co/elasticsearch/elasticsearch": ("5.", "6.", "7."),
}
"""Tags of versions that started as root, where the image names its user today."""
_OTHER_USER_BEFORE = {f"{_DOCKER}redis": re.compile(r"[2-4](?:\.[\d.]+)?-alpine.*")}
"""Tags of versions whose user had another number, which is not known here."""

_TAG_FILLED_IN = re.compile(r"(?P<name>[\w.-]+(?::\d+)?(?:/[\w.-]+)*)(?=[:@])[^/\s$<{#%]*[$<{#%]")


@lru_cache(maxsize=MOST_NAMES)
def stock_image(image: str) -> StockImage | None:
    """What is known of a stock image by its name; None for all others. Several checks ask, and each trial again."""
    name, tag = _name_and_tag(image)
    stock = _STOCK.get(name)
    if stock is None or tag is None:
        return replace(stock, uid="", instead=_which_of(stock)) if stock and stock.uid_on_alpine else stock
    other = _OTHER_USER_BEFORE.get(name)
    if tag.startswith(_ROOT_BEFORE.get(name, ("\0",))) or (other is not None and other.fullmatch(tag)):
        return None
    if name in _STARTED_AS_ROOT and not tag.startswith(_STARTED_AS_ROOT[name]):
        return replace(stock, starts_as_root=False)
    return replace(stock, uid=stock.uid_on_alpine) if stock.uid_on_alpine and "alpine" in tag else stock


def _name_and_tag(image: str) -> tuple[str, str | None]:
    """The name as the table has it, and the tag: None where only a run tells. Both are empty for what is none."""
    filled_in = _TAG_FILLED_IN.match(image)
    try:
        reference = Reference.parse(filled_in["name"] if filled_in is not None else image)
    except InvalidReference:
        return "", ""
    tag = None if filled_in is not None else reference.tag or ""
    return reference.base.name, tag


def _which_of(stock: StockImage) -> str:
    """Advice where the tag, which tells the variant, is not known."""
    return (
        f"have it run as the user that the image has for this: UID {stock.uid}, or {stock.uid_on_alpine} on Alpine"
    )


def taking_the_user(stock: StockImage, setting: str) -> str:
    """Advice on who a stock image should run as; `setting` is the one to write, with a place for the UID."""
    if not stock.uid:
        return stock.instead
    advice = setting.format(uid=stock.uid)
    return f"{advice}, the user that the image has for this; its files on volumes must belong to that one"


def instead_of(stock: StockImage, *, is_run_in: bool, listens_high: bool = False) -> str:
    """Advice for a build that stands on a stock image; `is_run_in` where it runs commands, as root so far, and
    `listens_high` where it has set ports above those that are root's."""
    instead = stock.instead.removeprefix(_PORTS_FIRST) if listens_high else stock.instead
    if not is_run_in or not stock.uid_instead:
        return instead
    return f"{instead}; with USER root before the first RUN, and USER {stock.uid_instead} behind the last"


def first_as_its_user(stock: StockImage, then: str) -> str:
    """Advice on rights that a stock image needs for as long as it starts as root."""
    if not stock.uid:
        return f"{stock.instead}; {then} then"
    return f"{then} once it runs as UID {stock.uid}: as root it needs {stock.becomes_by} to become that one"
