"""What is no fit YAML is refused with its line, whatever it would have said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import BadSettings, load
from tests.unit.settings.conftest import Refused, refusal


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text("# nothing set\n")
    assert load(path).bases == ["mcr.microsoft.com/dotnet/*"]


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_bytes(b"\xef\xbb\xbflog: text\n")
    assert load(path).log == "text"


def test_a_missing_file_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as error:
        load(tmp_path / "absent.yaml")
    assert error.value.lines == [
        f"{tmp_path}/absent.yaml: cannot be read: No such file or directory; give the file with --config"
    ]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="Is a directory"):
        load(tmp_path)


def test_a_file_without_end_is_read_up_to_the_bound() -> None:
    with pytest.raises(BadSettings, match="larger than 1 MiB"):
        load(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("log: text\ngithub: [", "2: no valid YAML: while parsing a flow node, expected the node content"),
        ("log: text\n\tgithub: {}", "2: no valid YAML: while scanning for the next token"),
        ("log: text\n---\nlog: json", "2: no valid YAML: expected a single document in the stream"),
        ("log: text\nbases: [\x01]", "2: no valid YAML: special characters are not allowed"),
        ("log: !!python/name:os.system x", "1: no valid YAML: could not determine a constructor"),
        ("log: text\nlog: json", "2: log is set here and in line 1; keep one of them"),
        ("store:\n  url: a\n  password_file: b\n  url: c", "4: url is set here and in line 2; keep one of them"),
        ("bases: &all ['*']\nlog: *all", "2: aliases (*all) are not allowed here; write the values out"),
        ("- github", "1: expected keys such as github: and registries:, found a list"),
        ("github", "1: expected keys such as github: and registries:, found a single value"),
        ("registries:\n  5000: {}", "2: key 5000 is no text; put it in quotes"),
        ("log: text\n? [a]\n: b", "2: key is no text; put it in quotes"),
        ("\nlog: 2024-13-45", "2: no such date or number; put text in quotes"),
        ("log: " + "9" * 5000, "1: no such date or number; put text in quotes"),
        ("[" * 100_000, "1: nested more than 32 levels deep; this is no settings file"),
    ],
)
def test_a_defect_is_named_with_its_line(refused: Refused, text: str, line: str) -> None:
    [found] = refused(text)
    assert found.startswith(line)


def test_other_encodings_are_named_with_the_line(refused: Refused) -> None:
    assert refused("log: text\nbases: ['ü']\n".encode("latin-1")) == [
        "2: no UTF-8 text (byte 19); save it as UTF-8"
    ]


def test_each_of_several_doubled_keys_is_named(refused: Refused) -> None:
    assert [line.split(":")[0] for line in refused("log: a\nlog: b\n" + "\n" * 8 + "log: c\n")] == ["2", "11"]


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    lines = refusal(path)
    assert all(line.strip() and "\n" not in line for line in lines)
