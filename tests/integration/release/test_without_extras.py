"""What is an extra on some machine is loaded by nothing but what needs it."""

import subprocess
import sys

import pytest

_LOADS_ALL = """
import sys
for name in {names!r}:
    sys.modules[name] = None
import importlib, pkgutil, bot
for module in pkgutil.walk_packages(bot.__path__, "bot."):
    importlib.import_module(module.name)
"""


@pytest.mark.long
@pytest.mark.parametrize("extra", [("cbor2",), ("apprise",), ("azure", "msal"), ("psycopg",)])
def test_every_module_is_loaded_without_it(extra: tuple[str, ...]) -> None:
    code = _LOADS_ALL.format(names=extra)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
