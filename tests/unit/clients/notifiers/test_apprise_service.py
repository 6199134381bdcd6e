"""Services of apprise: which are taken, held to apprise's own code, and what is never told of their addresses."""

import ast
import inspect
import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from apprise.manager_plugins import NotificationManager

from bot.clients.notifiers.apprise_service import AppriseService
from bot.domain.failure import Failure
from bot.settings.values.services import SERVICES

SECRET = "2f1c0b7d"
VOCABULARIES = ("http://schemas.xmlsoap.org/", "http://www.w3.org/")
"""Names in documents, which nobody is asked at."""
NO_MORE_REDIRECTS_THAN_WE_ALLOW = {"self.redirects", "False if credentials else self.redirects"}
OTHER_WAYS = {"asyncio", "http", "smtplib", "socket", "ssl", "subprocess", "urllib3", "websocket", "websockets"}
_VERBS = {"delete", "get", "head", "patch", "post", "put", "request"}


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def plugin(service: str) -> Any:
    return NotificationManager()[service]  # type: ignore[no-untyped-call]


@pytest.fixture
def module(plugin: Any) -> ModuleType:
    return sys.modules[plugin.__module__]


def words(protocol: str | tuple[str, ...] | None) -> set[str]:
    return {protocol} if isinstance(protocol, str) else set(protocol or ())


def requests_of(module: ModuleType) -> Iterator[ast.Call]:
    """What waits for an answer has a time-out; what is called of `requests` itself is looked at without one too."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call):
            has_time_out = any(keyword.arg == "timeout" for keyword in node.keywords)
            if has_time_out or ast.unparse(node.func) in {f"requests.{verb}" for verb in _VERBS}:
                yield node


def texts_of(module: ModuleType) -> Iterator[str]:
    tree = ast.parse(inspect.getsource(module))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


class TestAServiceThatIsTaken:
    def test_is_apprises_secure_one(self, service: str, plugin: Any) -> None:
        assert service in words(plugin.secure_protocol) - words(plugin.protocol)

    def test_ends_as_apprise_tells_secure_from_plain(self, service: str, plugin: Any, module: ModuleType) -> None:
        """Where both are spoken, apprise looks at the last letter."""
        if words(plugin.protocol) or any(text in ("http", "http://") for text in texts_of(module)):
            assert service.endswith("s")

    def test_is_sent_to_by_requests_alone(self, module: ModuleType) -> None:
        tree = ast.parse(inspect.getsource(module))
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        imported |= {
            node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level
        }
        roots = {name.partition(".")[0] for name in imported}
        assert "requests" in roots
        assert not roots & OTHER_WAYS

    def test_checks_certificates_and_leaves_redirects_to_us(self, module: ModuleType) -> None:
        calls = list(requests_of(module))
        assert calls
        for call in calls:
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            assert said.get("allow_redirects") in NO_MORE_REDIRECTS_THAN_WE_ALLOW, ast.unparse(call)
            assert said.get("verify") == "self.verify_certificate", ast.unparse(call)

    def test_has_no_address_in_the_clear(self, module: ModuleType) -> None:
        for text in texts_of(module):
            for vocabulary in VOCABULARIES:
                text = text.replace(vocabulary, "")
            assert "http://" not in text


@pytest.mark.parametrize(
    "service", ["json", "dbus", "macosx", "syslog", "mailtos", "mqtts", "pushdeers", "dapnet", "vapid"]
)
def test_what_is_local_or_no_https_or_follows_redirects_is_none_of_them(service: str) -> None:
    assert service not in SERVICES


def test_without_apprise_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(Failure) as caught:
        AppriseService("jsons", f"jsons://hooks.example/{SECRET}")
    assert str(caught.value) == (
        "apprise jsons: cannot be sent to without apprise; pip install freshness-bot[apprise]"
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (f"jsons://hooks.example/{SECRET}?verify=no", "leaves certificates unchecked"),
        (f"jsons://hooks.example/{SECRET}?method={SECRET}", "is not written as apprise wants it"),
        (f"discord://{SECRET}", "is not written as apprise wants it"),
        (f"json://hooks.example/{SECRET}", "is not written as apprise wants it"),
        (f"syslog://{SECRET}", "is not written as apprise wants it"),
    ],
)
def test_a_wrong_address_is_named_without_its_secrets(
    url: str, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.NOTSET)
    with pytest.raises(Failure, match=fault) as caught:
        AppriseService(url.partition(":")[0], url)
    assert SECRET not in str(caught.value) + repr(caught.value) + caplog.text + "".join(capfd.readouterr())


def test_the_address_is_never_shown() -> None:
    assert SECRET not in repr(AppriseService("jsons", f"jsons://hooks.example/{SECRET}"))
