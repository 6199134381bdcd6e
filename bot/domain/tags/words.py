"""The vocabulary of image tags: which words name an operating system, an architecture or another product."""

import re

WINDOWS = frozenset({"windowsservercore", "nanoserver", "servercore", "windows", "iotcore"})

_FAMILIES = (
    *sorted(WINDOWS),
    *("alpine", "ubuntu", "debian", "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "oraclelinux"),
    *("photon", "busybox", "leap", "opensuse", "ubi", "wolfi", "azurelinux", "cbl", "mariner", "ltsc"),
)
DEBIAN = ("wheezy", "jessie", "stretch", "buster", "bullseye", "bookworm", "trixie", "forky", "duke")
UBUNTU = (
    *("precise", "trusty", "xenial", "artful", "bionic", "cosmic", "disco", "eoan", "focal", "groovy", "hirsute"),
    *("impish", "jammy", "kinetic", "lunar", "mantic", "noble", "oracular", "plucky", "questing", "resolute"),
)
"""The code names of releases, the oldest first."""
_OPERATING_SYSTEM = re.compile(rf"(?:(?:{'|'.join(_FAMILIES)})[0-9.]*|{'|'.join((*DEBIAN, 'sid', *UBUNTU))})")
_ARCHITECTURE = re.compile(
    r"amd64|arm64(?:v8)?|arm32v[5-8]|armv[5-8]l?|armhf|armel|arm|aarch64|x86_64|x86|x64|i386|386"
    r"|ppc64le|s390x|riscv64|loong64|mips64le"
)

_PRODUCTS = frozenset(
    (
        *("jdk", "jre", "openjdk", "java", "temurin", "corretto", "amazoncorretto", "semeru", "ibmjava", "ibm"),
        *("sapmachine", "graalvm", "liberica", "zulu", "kotlin", "scala", "node", "nodejs", "python", "py"),
        *("php", "ruby", "go", "golang", "rust", "dotnet", "cuda", "cudnn", "postgres", "pg", "mysql", "mariadb"),
    )
)


def names_system(word: str) -> bool:
    """`noble`, `alpine3.22`, `ltsc2022`, `cbl`: an operating system, with its release where it is glued on."""
    return _OPERATING_SYSTEM.fullmatch(word) is not None


def names_architecture(word: str) -> bool:
    return _ARCHITECTURE.fullmatch(word) is not None


def names_product(word: str) -> bool:
    """A number behind it is the version of that product (`3.9-eclipse-temurin-17`), so a variant and no counter."""
    return word in _PRODUCTS


def names_commit(prefix: str) -> bool:
    """What stands behind such a prefix is a source revision even where it has digits only: `sha-1234567`."""
    return prefix.lower() in ("sha", "git", "commit")
