import json
import lzma
import re
from collections import Counter

import pytest

from bot.fleet.watch.registry.distribution import distribution
from tests.conftest import SHARED

UBUNTU = {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "24.04"}
ALPINE = ("ADD alpine-minirootfs-3.22.1-x86_64.tar.gz / # buildkit", 'CMD ["/bin/sh"]')
FAMILY_ALONE = re.compile("alpine|cbl-mariner(-distroless)?")
DEBIAN = ("# debian.sh --arch 'amd64' out/ 'bookworm' '@1733702400'",)


@pytest.mark.parametrize(
    ("tag", "system"),
    [
        ("10.0-noble", "noble"),
        ("10.0.4-1-noble-chiseled-extra", "noble-chiseled"),
        ("8.0-bookworm-slim-arm64v8", "bookworm-slim"),
        ("8.0-alpine3.22-composite", "alpine3.22"),
        ("8.0-azurelinux3.0-distroless-extra", "azurelinux3.0-distroless"),
        ("8.0-cbl-mariner2.0", "cbl-mariner2.0"),
        ("10.0-nanoserver-ltsc2025", "nanoserver-ltsc2025"),
    ],
)
def test_a_tag_that_names_a_release_says_it(tag: str, system: str) -> None:
    assert distribution(tag, {}, ()) == system


def test_a_name_of_the_base_says_it() -> None:
    labels = {"org.opencontainers.image.base.name": "docker.io/library/debian:bookworm-slim"}
    assert distribution("8.0", labels, ()) == "bookworm-slim"


def test_ubuntus_labels_say_it() -> None:
    assert distribution("10.0", UBUNTU, ()) == "noble"
    assert distribution("latest", {**UBUNTU, "org.opencontainers.image.version": "99.04"}, ()) == "ubuntu99.04"


def test_the_first_step_says_it() -> None:
    assert distribution("8.0-alpine", {}, ALPINE) == "alpine3.22"
    assert distribution("8.0", {}, DEBIAN) == "bookworm"


def test_a_tag_that_names_a_family_is_better_than_nothing() -> None:
    assert distribution("8.0-alpine", {}, ()) == "alpine"
    assert distribution("8.0-cbl-mariner-distroless", {}, ()) == "cbl-mariner-distroless"


@pytest.mark.parametrize(
    "labels",
    [
        {"org.opencontainers.image.base.name": "Not A Reference"},
        {"org.opencontainers.image.base.name": "scratch"},
        {"org.opencontainers.image.ref.name": "ubuntu", "org.opencontainers.image.version": "../../"},
    ],
)
def test_what_tells_nothing_is_unknown(labels: dict[str, str]) -> None:
    assert distribution("latest", labels, ("RUN make",)) is None


@pytest.mark.skipif(not SHARED.exists(), reason=f"the public history is not at {SHARED}")
def test_three_years_of_tags_that_name_a_release_are_read_as_the_inventory_has_them() -> None:
    differing: Counter[tuple[str, str | None, str]] = Counter()
    compared = 0
    with lzma.open(SHARED / "observations-2023-2025.jsonl.xz", "rt") as lines:
        for row in map(json.loads, lines):
            found = distribution(row["tag"], {}, ())
            if found is None or FAMILY_ALONE.fullmatch(found):
                continue
            for platform in row.get("platforms", ()):
                compared += 1
                if found != platform["os"]:
                    differing[row["tag"], found, platform["os"]] += 1
    # Two tags stood on another system than they said, for as long as Microsoft took to notice.
    assert set(differing) == {
        ("8.0-preview-alpine3.17-composite", "alpine3.17", "alpine3.18"),
        ("9.0-preview-azurelinux3.0", "azurelinux3.0", "noble-chiseled"),
    }
    assert compared > 20_000
