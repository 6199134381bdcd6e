"""One name for one thing, as CONTRIBUTING.md asks; read as text, since to parse all of the code takes seconds."""

import re
from collections import defaultdict
from pathlib import Path

BOT = Path(__file__).parents[3] / "bot"
_CLASS = re.compile(r"^class ([A-Z]\w*)(?:\((.*?)\))?:$", re.MULTILINE)


def test_no_two_classes_share_a_name_but_ports_and_what_stands_behind_them() -> None:
    classes: dict[str, list[str]] = defaultdict(list)
    ports = set()
    for path in sorted(BOT.rglob("*.py")):
        for name, bases in _CLASS.findall(path.read_text(encoding="utf-8")):
            classes[name].append(str(path.relative_to(BOT)))
            if "Protocol" in bases:
                ports.add(name)
    assert {name: paths for name, paths in classes.items() if len(paths) > 1 and name not in ports} == {}
