"""Package URLs as they are written and read."""

import pytest

from bot.domain.packages.package import Distribution, Package
from bot.images.sbom.package_url import distribution_named, is_image_url, package_url, read_package_url

NOBLE, AZURE, BARE = Distribution("ubuntu", "24.04"), Distribution("azurelinux", "3.0"), Distribution("debian", "")


@pytest.mark.parametrize(
    ("package", "distribution", "url"),
    [
        (
            Package("deb", "libc6", "2.39-0", "amd64", "glibc", "2.39-0"),
            NOBLE,
            "pkg:deb/ubuntu/libc6@2.39-0?arch=amd64&distro=ubuntu-24.04&upstream=glibc",
        ),
        (
            Package("deb", "libgcc-s1", "14.2-1", None, "gcc-defaults", "1.220"),
            BARE,
            "pkg:deb/debian/libgcc-s1@14.2-1?distro=debian&upstream=gcc-defaults%401.220",
        ),
        (Package("deb", "bash", "5.2", "amd64", "bash", "5.2"), None, "pkg:deb/bash@5.2?arch=amd64"),
        (Package("deb", "bash", "5.2-1", "amd64", "bash", "5.2"), None, None),
        (Package("deb", "bash", "1:5.2", None), None, "pkg:deb/bash@1:5.2"),
        (
            Package("rpm", "openssl", "1:3.3-1", "x86_64", "openssl", "3.3-1"),
            AZURE,
            "pkg:rpm/azurelinux/openssl@3.3-1?arch=x86_64&distro=azurelinux-3.0&epoch=1&upstream=openssl-3.3-1.src.rpm",
        ),
        (Package("rpm", "filesystem", "3.3-1"), AZURE, "pkg:rpm/azurelinux/filesystem@3.3-1?distro=azurelinux-3.0"),
        (Package("nuget", "Json", "13.0.1", None, "x", "1"), NOBLE, "pkg:nuget/Json@13.0.1"),
        (Package("npm", "left-pad", ""), NOBLE, "pkg:npm/left-pad"),
        (Package("maven", "org.x:y", "1"), None, "pkg:maven/org.x/y@1"),
        (Package("generic", "a:b", "1"), None, "pkg:generic/a:b@1"),
        (Package("", "x", "1"), NOBLE, None),
    ],
)
def test_a_package_is_written_as_scanners_write_it_and_read_as_it_was(
    package: Package, distribution: Distribution | None, url: str | None
) -> None:
    written = package_url(package, distribution)
    if url is not None:
        assert written is not None
        assert written.replace("%3A", ":") == url
    if written is None or package.type in ("npm", "maven", "nuget"):
        return
    told = read_package_url(written, "")
    assert told is not None
    read, of = told
    assert (read.name, read.version, read.architecture) == (package.name, package.version, package.architecture)
    assert of == distribution
    if (package.source, package.source_version) != (package.name, package.version):
        assert (read.source, read.source_version) == (package.source, package.source_version)


@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("pkg:deb/debian/x@1.0?epoch=1", "1:1.0"),
        ("pkg:rpm/fedora/x@1.0-1?epoch=2", "2:1.0-1"),
        ("pkg:rpm/fedora/x@1.0-1?epoch=0", "1.0-1"),
        ("pkg:rpm/fedora/x@2:1.0-1?epoch=2", "2:1.0-1"),
        ("pkg:apk/alpine/x@1.0?epoch=1", "1.0"),
        ("pkg:nuget/x@1.0?epoch=1", "1.0"),
    ],
)
def test_an_epoch_stands_before_the_version_once_and_where_the_type_has_one(url: str, version: str) -> None:
    told = read_package_url(url, "")
    assert told is not None
    assert told[0].version == version


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("pkg:deb/debian/x@2?upstream=y", ("y", "2")),
        ("pkg:apk/alpine/x@2?upstream=y", ("y", "2")),
        ("pkg:rpm/fedora/x@2-1?upstream=y", ("y", None)),
        ("pkg:rpm/fedora/x@2-1?upstream=y-z-2-1.nosrc.rpm", ("y-z", "2-1")),
        ("pkg:deb/debian/x@2?upstream=y%40", ("y", "2")),
        ("pkg:deb/debian/x@2", (None, None)),
    ],
)
def test_a_source_has_the_version_of_its_package_where_it_names_none(
    url: str, source: tuple[str | None, str | None]
) -> None:
    told = read_package_url(url, "")
    assert told is not None
    assert (told[0].source, told[0].source_version) == source


@pytest.mark.parametrize(
    ("text", "namespace", "distribution"),
    [
        ("debian-12.9", "debian", Distribution("debian", "12.9")),
        ("3.22.0", "alpine", Distribution("alpine", "3.22.0")),
        ("3.22.0", "", Distribution("3.22.0", "")),
        ("noble", "ubuntu", Distribution("noble", "")),
        ("", "ubuntu", None),
    ],
)
def test_a_distribution_is_named_with_its_version_or_beside_its_namespace(
    text: str, namespace: str, distribution: Distribution | None
) -> None:
    assert distribution_named(text, namespace) == distribution


@pytest.mark.parametrize("url", ["pkg:oci/shop@sha256:a", " PKG:Docker/shop ", "pkg://oci/shop", "oci/shop"])
def test_an_image_is_no_package_however_its_url_is_written(url: str) -> None:
    assert is_image_url(url)
    assert not is_image_url(url.replace("oci", "deb").replace("Docker", "deb"))


def test_a_url_longer_than_any_is_none() -> None:
    start = "pkg:deb/debian/x@1?arch="
    assert read_package_url(start + "a" * (2048 - len(start)), "") is not None
    assert read_package_url(start + "a" * (2049 - len(start)), "") is None


def test_the_document_names_a_package_whose_type_has_a_namespace_within_the_name() -> None:
    for url, name, read in (
        ("pkg:npm/%40angular/core@1", "@angular/core", "@angular/core"),
        ("pkg:npm/core@1", "", "core"),
        ("pkg:deb/debian/x@1", "y", "x"),
    ):
        told = read_package_url(url, name)
        assert told is not None
        assert told[0].name == read
