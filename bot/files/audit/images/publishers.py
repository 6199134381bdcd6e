"""Which tags the publishers of bases keep up to date beside those of one patch or day, as far as that is known.

Sources: the pages of Docker's official images with their lists of tags, those of Eclipse Temurin, Amazon Corretto,
SapMachine and Semeru (whose tags have a major version of Java or a single update, and nothing between), of Google's
distroless images, Red Hat's catalogue, and what Chainguard says of its free images. What is not here is not known.
"""

import re

from bot.domain.bases.dotnet import MICROSOFT
from bot.domain.reference import DEFAULT_REGISTRY, Reference
from bot.domain.tags.words import names_system

_WITH_MINOR = frozenset(
    {"alpine", "arangodb", "bash", "busybox", "caddy", "cassandra", "composer", "consul", "couchdb"}
    | {"docker", "drupal", "eclipse-mosquitto", "elixir", "erlang", "flink", "ghost", "golang"}
    | {"gradle", "groovy", "haproxy", "haskell", "httpd", "influxdb", "jetty", "joomla", "julia"}
    | {"kong", "mariadb", "matomo", "maven", "mediawiki", "memcached", "mongo", "mysql", "nats"}
    | {"neo4j", "nextcloud", "nginx", "node", "openjdk", "perl", "php", "postgres", "pypy", "python"}
    | {"rabbitmq", "redis", "registry", "ruby", "rust", "solr", "storm", "swift", "telegraf", "tomcat"}
    | {"traefik", "vault", "wordpress", "zookeeper"}
)
"""Docker's own images that have a tag for each minor version, of each variant."""
_OF_JAVA = frozenset({"eclipse-temurin", "amazoncorretto", "sapmachine", "ibm-semeru-runtimes"})
_UPDATE_OF_JAVA = re.compile(r"^(?P<open>open-)?(?P<major>\d+)(?:u\d+(?:-b\d+)?|(?:\.\d+)+(?:_\d+)?)(?=-|$)")
_PATCH = re.compile(r"(?P<minor>\d+\.\d+)(?:\.\d+)+")
_PREVIEW = re.compile(
    r"v?\d+(?:\.\d+)*[-.]?(?:a|b|alpha|beta|rc|m|dev|preview|pre|milestone)[-.]?\d+(?=[-.]|$)", re.IGNORECASE
)
_UNDATED = frozenset({"debian", "ubuntu", "odoo", "archlinux", "almalinux", "rockylinux", "photon"})
_DATE = re.compile(r"[-.]20\d{6}(?:\.\d+)*(?=-|$)")
_AMAZON_LINUX = re.compile(r"^(?P<release>202\d|2)\.\d+(?:\.\d+)*(?=-|$)")
_DISTROLESS = "gcr.io/distroless/"
_RED_HAT = ("registry.access.redhat.com/", "registry.redhat.io/", "docker.io/redhat/")
_CHAINGUARD = ("cgr.dev/chainguard/", "docker.io/chainguard/")
_RELEASE_IN_NAME = re.compile(r"-debian\d+$")
_MAJOR_IN_NAME = re.compile(r"(?:^|/)(?:ubi|rhel)\d+")


def official_name(reference: Reference) -> str:
    """What one of Docker's own images is called; empty for all others."""
    name = reference.repository.removeprefix("library/")
    return name if reference.registry == DEFAULT_REGISTRY and "/" not in name else ""


def is_known_official(reference: Reference) -> bool:
    """Whether an image is known to be one of Docker's own."""
    name = official_name(reference)
    return name in _WITH_MINOR | _OF_JAVA | _UNDATED or (bool(name) and names_system(name))


def is_update_of_java(reference: Reference) -> bool:
    """Whether a tag is of one update of a Java that has tags for major versions alone beside these."""
    return official_name(reference) in _OF_JAVA and _java(reference) not in {"", reference.tag}


def tag_with_fixes(reference: Reference) -> str:
    """The tag that gets the fixes which one of a patch does not; empty where none is known."""
    if official_name(reference) in _OF_JAVA:
        return _java(reference)
    if is_preview(reference):
        return ""
    return _PATCH.sub(r"\g<minor>", str(reference.tag), count=1) if has_minor_tags(reference) else ""


def is_preview(reference: Reference) -> bool:
    """Whether a tag is of a release candidate or another preview of a version."""
    return _PREVIEW.match(str(reference.tag)) is not None


def has_minor_tags(reference: Reference) -> bool:
    """Whether an image is known to have a tag for each minor version."""
    return official_name(reference) in _WITH_MINOR


def _java(reference: Reference) -> str:
    update = _UPDATE_OF_JAVA.match(str(reference.tag))
    return f"{update['open'] or ''}{update['major']}{str(reference.tag)[update.end() :]}" if update else ""


def tag_without_date(reference: Reference) -> str:
    """The tag that follows the days of which another one is; empty where none is known."""
    name, tag = official_name(reference), str(reference.tag)
    if name == "amazonlinux":
        return _AMAZON_LINUX.sub(r"\g<release>", tag) if _AMAZON_LINUX.match(tag) else ""
    is_known = name in _UNDATED or str(reference).startswith(
        (f"{MICROSOFT}/azurelinux/", f"{MICROSOFT}/cbl-mariner/")
    )
    return _DATE.sub("", tag) if is_known and _DATE.search(tag) else ""


def keeps_to_its_name(reference: Reference) -> bool:
    """Whether the name of the repository tells the version that its moving tags follow."""
    name = reference.base.name
    if name.startswith(_DISTROLESS):
        return _RELEASE_IN_NAME.search(name) is not None
    return name.startswith(_RED_HAT) and _MAJOR_IN_NAME.search(reference.repository) is not None


def is_of_red_hat(reference: Reference) -> bool:
    """Whether it is an image of Red Hat's own registries."""
    return reference.base.name.startswith(_RED_HAT)


def versioned(reference: Reference) -> str:
    """What to write in place of `latest`, in the terms of who publishes the image."""
    name = reference.base.name
    if name.startswith(_CHAINGUARD):
        return "pin it by digest, and keep that up to date: tags of versions are for Chainguard's customers"
    if name.startswith(_DISTROLESS):
        return "write the repository that names its Debian, such as …-debian13"
    if name.startswith(f"{MICROSOFT}/dotnet/"):
        return "write the minor version that the program targets"
    if has_minor_tags(reference):
        return "write its minor version"
    if any(map(names_system, reference.repository.split("/"))):
        return "write the release that the program is made for"
    return "write a version: the minor one where its publisher has a tag for that"
