"""What a kubeconfig says is done as it says, or refused in one line."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bot.clients.kubernetes.access import ClusterAccess
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.domain.failure import Failure

SERVER = {"server": "https://k8s.example:6443/"}
USER = {"token": "abc"}


def written(tmp_path: Path, cluster: Any = SERVER, user: Any = USER, **more: Any) -> Path:
    document = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(document | more))
    return path


def refusal(path: Path, context: str | None = None) -> str:
    with pytest.raises(Failure) as caught:
        by_kubeconfig(path, context)
    return str(caught.value)


def test_server_and_token_are_those_of_the_current_context(tmp_path: Path) -> None:
    assert by_kubeconfig(written(tmp_path), None) == ClusterAccess("https://k8s.example:6443", "abc")


def test_another_context_may_be_named(tmp_path: Path) -> None:
    contexts = [{"name": "two", "context": {"cluster": "c", "user": "u"}}]
    assert by_kubeconfig(written(tmp_path, contexts=contexts), "two").token == "abc"


def test_files_are_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    (tmp_path / "ca.pem").write_text("PEM")
    cluster = SERVER | {"certificate-authority": "ca.pem"}
    access = by_kubeconfig(written(tmp_path, cluster, {"tokenFile": "token"}), None)
    assert (access.token, access.authority) == ("from-a-file", "PEM")


def test_certificates_may_stand_in_it(tmp_path: Path) -> None:
    data = {f"client-{part}-data": base64.b64encode(part.encode()).decode() for part in ("certificate", "key")}
    certificate = by_kubeconfig(written(tmp_path, user=data), None).certificate
    assert certificate is not None
    assert (certificate.certificate, certificate.key) == ("certificate", "key")
    assert "key='key'" not in repr(certificate)


@pytest.mark.parametrize(
    ("cluster", "user", "said"),
    [
        (SERVER, {"exec": {"command": "aws"}}, "has a user that runs a program for its token"),
        (SERVER, USER | {"as": "admin"}, "has a user that asks as somebody else"),
        (SERVER, {"auth-provider": {"name": "azure"}}, "leans on a provider"),
        (SERVER, {"username": "a", "password": "b"}, "which no cluster takes any more"),
        (SERVER, {}, "has a user without a token, tokenFile or client certificate"),
        (SERVER, {"client-certificate-data": "YQ=="}, "a client certificate and no key"),
        (SERVER, {"client-certificate-data": "?", "client-key-data": "?"}, "that is no PEM in base64"),
        (SERVER, {"token": "two words"}, "has a token that is none"),
        (SERVER | {"insecure-skip-tls-verify": True}, USER, "trusts whoever answers"),
        (SERVER | {"proxy-url": "http://p"}, USER, "is reached by a proxy of its own"),
        ({"server": "http://k8s.example"}, USER, "has a server that would send the token in the clear"),
        ({"server": "k8s.example"}, USER, "has a server that is no address"),
        ({}, USER, "has no cluster 'c'"),
    ],
)
def test_what_would_be_done_otherwise_is_refused(tmp_path: Path, cluster: Any, user: Any, said: str) -> None:
    path = written(tmp_path, cluster or None, user)
    line = refusal(path)
    assert said in line
    assert line.startswith(f"{path}: the kubeconfig ")
    assert "\n" not in line


@pytest.mark.parametrize("text", ["[]", "a: [", "- " * 3000 + "a", "{" * 3000, ""])
def test_what_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    assert "the kubeconfig " in refusal(path)


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "has no context 'west'" in refusal(written(tmp_path), "west")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'absent'}: cannot read the kubeconfig: No such file or directory" in refusal(
        tmp_path / "absent"
    )
