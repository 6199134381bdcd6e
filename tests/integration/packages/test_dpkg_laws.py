"""Whatever a status file says that dpkg takes, the bot lists what dpkg lists."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.images.packages.databases.dpkg import read_status

pytestmark = pytest.mark.long

FORM = "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"
NAMES = st.sampled_from(("libc6", "a0", "g++-12", "lib.x", "perl-base", "python3.11"))
VERSIONS = st.sampled_from(("1.0", "1:2.3-4", "2.0~rc1-1ubuntu2", "1.2.3+dfsg-5+b1", "9:1-1-1", "20240203"))
SOURCES = (
    st.none()
    | NAMES
    | st.sampled_from(("{} ({})", "{}  ({})", "{} ( {} )", "{} ({}", "{} ({}) x")).flatmap(
        lambda form: st.builds(form.format, NAMES, VERSIONS)
    )
)
STATES = st.sampled_from(
    (
        *["install ok installed"] * 4,
        *("deinstall ok installed", "hold ok installed", "install ok unpacked", "install ok half-configured"),
        *("install ok half-installed", "install reinstreq half-installed"),
        *(
            "deinstall ok config-files",
            "purge ok config-files",
            "purge ok not-installed",
            "unknown ok not-installed",
        ),
    )
)
OTHERS = st.sampled_from(
    (
        "Description: x\n y\n .\n Package: nope\n\tVersion: 3",
        "Conffiles:\n /etc/x d41d8cd98f00b204e9800998ecf8427e\n /etc/y d41d8cd98f00b204e9800998ecf8427e obsolete",
        "Maintainer: M\xe9 <x@y>",
        "Depends: a (>= 1), b | c",
        "Provides: foo (= 2)",
        "X-Blank: a\n \xa0\n b",
        "X-Unknown: a: b:c",
        "Installed-Size: 3",
    )
)
GAPS = st.sampled_from((" ", "  ", "\t", ""))


@st.composite
def paragraphs(draw: st.DrawFn) -> tuple[str, str]:
    """A package's name, and its paragraph with the fields in any order, case and spacing."""
    name = draw(NAMES)
    fields = {"Package": name, "Status": draw(STATES), "Version": draw(VERSIONS)}
    fields["Architecture"] = draw(st.sampled_from(("amd64", "all", "i386")))
    if (source := draw(SOURCES)) is not None:
        fields["Source"] = source
    cases: st.SearchStrategy[Callable[[str], str]] = st.sampled_from((str, str.lower, str.upper))
    written = [f"{draw(cases)(key)}{draw(GAPS)}:{draw(GAPS)}{value}{draw(GAPS)}" for key, value in fields.items()]
    others = draw(st.lists(OTHERS, unique=True, max_size=3))
    return name, "\n".join(draw(st.permutations([*written, *others])))


FILES = st.builds(
    lambda told, gap, end, encoding: (gap.join(text for _, text in told) + end).encode(encoding),
    st.lists(paragraphs(), min_size=1, max_size=4),
    st.sampled_from(("\n\n", "\n\n\n")),
    st.sampled_from(("", "\n", "\n\n")),
    st.sampled_from(("utf-8", "latin-1")),
)


@settings(max_examples=150, deadline=None)
@given(FILES)
def test_dpkg_lists_the_same_of_any_status_that_it_takes(status: bytes) -> None:
    if shutil.which("dpkg-query") is None:
        pytest.skip("dpkg is not installed")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "status").write_bytes(status)
        for name in ("updates", "info"):
            Path(folder, name).mkdir()
        words = ("dpkg-query", f"--admindir={folder}", "-W", "-f", FORM)
        ended = subprocess.run(words, capture_output=True, timeout=60, check=False)
    assume(ended.returncode == 0)
    lines = [tuple(line.split("\t")) for line in ended.stdout.decode("utf-8", "replace").splitlines()]
    listed = {line[1:] for line in lines if line[0] not in ("config-files", "not-installed")}
    found = read_status(status, "status")
    assert found.problems == ()
    assert {
        (each.name, each.version, each.architecture, each.source, each.source_version) for each in found.packages
    } == listed
