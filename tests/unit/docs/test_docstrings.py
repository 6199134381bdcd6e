"""What CONTRIBUTING.md asks of docstrings is kept; read as text, since to parse all of the code takes seconds."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_CLASS = re.compile(r"^class ([A-Z]\w*)(?:\((.*?)\))?:\n(.*)", re.MULTILINE)


def test_a_public_class_says_what_it_is_for() -> None:
    """A sole class may leave that to its module; the members of an enumeration say it themselves."""
    silent = [
        f"{path.relative_to(ROOT)}: {name}"
        for room in ("bot", "sandbox")
        for path in sorted((ROOT / room).rglob("*.py"))
        for text in [path.read_text(encoding="utf-8")]
        for classes in [_CLASS.findall(text)]
        for name, bases, next_line in classes
        if not next_line.startswith('    """')
        and not (len(classes) == 1 and text.startswith('"""'))
        and not bases.endswith("Enum")
    ]
    assert silent == []
