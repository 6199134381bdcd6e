"""The vocabulary of image tags."""

import pytest

from bot.domain.tags.choice import is_newer
from bot.domain.tags.tag import Tag
from bot.domain.tags.words import (
    DEBIAN,
    UBUNTU,
    names_architecture,
    names_commit,
    names_product,
    names_system,
)

SYSTEMS = [
    "windowsservercore",
    "nanoserver",
    "servercore",
    "windows",
    "iotcore",
    "alpine",
    "ubuntu",
    "debian",
    "fedora",
    "centos",
    "rockylinux",
    "almalinux",
    "amazonlinux",
    "oraclelinux",
    "photon",
    "busybox",
    "leap",
    "opensuse",
    "ubi",
    "wolfi",
    "azurelinux",
    "cbl",
    "mariner",
    "ltsc",
]
DEBIANS = ["wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke"]
UBUNTUS = [
    "precise",
    "trusty",
    "xenial",
    "artful",
    "bionic",
    "cosmic",
    "disco",
    "eoan",
    "focal",
    "groovy",
    "hirsute",
    "impish",
    "jammy",
    "kinetic",
    "lunar",
    "mantic",
    "noble",
    "oracular",
    "plucky",
    "questing",
    "resolute",
]
ARCHITECTURES = [
    "amd64",
    "arm64",
    "arm64v8",
    "arm32v5",
    "arm32v6",
    "arm32v7",
    "arm32v8",
    "armv5",
    "armv6l",
    "armv7",
    "armv8",
    "armhf",
    "armel",
    "arm",
    "aarch64",
    "x86_64",
    "x86",
    "x64",
    "i386",
    "386",
    "ppc64le",
    "s390x",
    "riscv64",
    "loong64",
    "mips64le",
]
PRODUCTS = [
    "jdk",
    "jre",
    "openjdk",
    "java",
    "temurin",
    "corretto",
    "amazoncorretto",
    "semeru",
    "ibmjava",
    "ibm",
    "sapmachine",
    "graalvm",
    "liberica",
    "zulu",
    "kotlin",
    "scala",
    "node",
    "nodejs",
    "python",
    "py",
    "php",
    "ruby",
    "go",
    "golang",
    "rust",
    "dotnet",
    "cuda",
    "cudnn",
    "postgres",
    "pg",
    "mysql",
    "mariadb",
]


@pytest.mark.parametrize("word", [*SYSTEMS, *DEBIANS, *UBUNTUS, "sid"])
def test_a_word_names_a_system(word: str) -> None:
    assert names_system(word)
    assert Tag.parse(f"1.2-{word}").system == word
    assert not names_architecture(word)


@pytest.mark.parametrize("word", SYSTEMS)
def test_the_release_of_a_system_may_be_glued_to_it(word: str) -> None:
    assert names_system(f"{word}3.22")
    assert not names_system(f"{word}x")


@pytest.mark.parametrize("word", ["slim", "chiseled", "noble2", "xnoble", "", "#"])
def test_other_words_name_none(word: str) -> None:
    assert not names_system(word)


def test_releases_of_debian_and_ubuntu_stand_in_their_order() -> None:
    assert (list(DEBIAN), list(UBUNTU)) == (DEBIANS, UBUNTUS)


@pytest.mark.parametrize("word", ARCHITECTURES)
def test_a_word_names_an_architecture(word: str) -> None:
    assert names_architecture(word)
    assert word.isdigit() or Tag.parse(f"1.2-{word}").architecture == word


@pytest.mark.parametrize("word", ["arm32v4", "amd6", "arm65", "x32", "slim"])
def test_other_words_name_no_architecture(word: str) -> None:
    assert not names_architecture(word)


@pytest.mark.parametrize("word", PRODUCTS)
def test_a_number_behind_another_product_is_its_version_and_no_counter(word: str) -> None:
    assert names_product(word)
    assert Tag.parse(f"3.9-{word}-17").words == (word, "17")
    assert not is_newer(f"3.9-{word}-17", f"3.9-{word}-18")


def test_a_number_behind_any_other_word_counts() -> None:
    assert not names_product("master")
    assert Tag.parse("3.10-master-777").builds == ((777,),)


@pytest.mark.parametrize("prefix", ["sha", "git", "commit", "SHA"])
def test_digits_behind_a_word_for_commits_are_one(prefix: str) -> None:
    assert names_commit(prefix)
    assert not names_commit(f"{prefix}s")
