"""What is taken out of the image: nothing that a command reads."""

import importlib.util
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[3]
SLIM = runpy.run_path(str(ROOT / "deploy/slim.py"))
is_left_out: Callable[[PurePosixPath], bool] = SLIM["is_left_out"]
without_symbols: Callable[[bytes], bytes] = SLIM["without_symbols"]
LOADED = ("sqlalchemy.util._collections_cy", "yaml._yaml", "greenlet._greenlet", "regex._regex", "_cffi_backend")
"""Modules of shared objects, most of which come with their symbols."""


def place_of(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


@pytest.mark.parametrize(
    ("path", "is_out"),
    [
        ("greenlet/tests/test_gc.py", True),
        ("securesystemslib/_vendor/ed25519/test_data/ed25519", True),
        ("sqlalchemy/util/_collections_cy.pxd", True),
        ("cryptography/x509.pyi", True),
        ("apprise/i18n/de/LC_MESSAGES/apprise.po", True),
        ("pygments/lexers/lisp.py", True),
        ("pygments/lexers/python.py", False),
        ("apprise/plugins/slack.py", False),
        ("sqlalchemy/testing/util.py", False),
        ("greenlet-3.2.0.dist-info/tests/LICENSE", False),
        ("tests.py", False),
        ("certifi/cacert.pem", False),
    ],
)
def test_tests_types_and_sources_of_what_is_compiled_stay_behind(path: str, is_out: bool) -> None:
    assert is_left_out(PurePosixPath(path)) == is_out


@pytest.mark.parametrize("module", LOADED)
def test_a_shared_object_without_its_symbols_is_smaller_and_loads(module: str, tmp_path: Path) -> None:
    place = place_of(module)
    slim = without_symbols(place.read_bytes())
    assert len(slim) <= place.stat().st_size
    assert without_symbols(slim) == slim, "a second time leaves nothing out"
    copied = tmp_path / place.name
    copied.write_bytes(slim)
    loads = "import importlib.util as u, sys; s = u.spec_from_file_location(*sys.argv[1:]); u.module_from_spec(s)"
    command = [sys.executable, "-c", loads, module, str(copied)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf on this machine")
@pytest.mark.parametrize("module", LOADED)
def test_all_other_sections_keep_their_numbers_and_contents(module: str, tmp_path: Path) -> None:
    place = place_of(module)
    copied = tmp_path / place.name
    copied.write_bytes(without_symbols(place.read_bytes()))
    assert sections(copied) == {
        number: each
        for number, each in sections(place).items()
        if each[0] not in (".symtab", ".strtab") and not each[0].startswith(".debug")
    }
    told = subprocess.run(["readelf", "--all", copied], capture_output=True, text=True, timeout=60, check=True)
    assert "Error" not in told.stderr


def sections(path: Path) -> dict[str, tuple[str, ...]]:
    """Name, type and size of each by its number."""
    told = subprocess.run(
        ["readelf", "--section-headers", "--wide", path], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    found: dict[str, tuple[str, ...]] = {}
    for line in told.splitlines():
        number, bracket, rest = line.partition("]")
        if bracket and number.strip("[ ").isdigit() and rest.split()[:1] != ["NULL"]:
            name, kind, _, _, size, *_ = rest.split()
            found[number.strip("[ ")] = (name, kind, size)
    return found


def test_what_is_no_shared_object_stays_as_it_is() -> None:
    for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(60), b"MZ"):
        assert without_symbols(data) == data


def test_the_bot_colours_no_code_whose_lexer_stays_behind() -> None:
    """Neither by itself nor by what draws its tables."""
    for path in (ROOT / "bot").rglob("*.py"):
        text = path.read_text()
        assert "pygments" not in text, path
        assert not {"rich.syntax", "rich.markdown"} & set(text.split()), path
