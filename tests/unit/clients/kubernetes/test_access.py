"""How a cluster is reached from within it, and by a token in a file."""

from pathlib import Path

import pytest

from bot.clients.kubernetes.access import ClientCertificate, ClusterAccess, by_token, in_cluster
from bot.domain.failure import Failure

WITHIN = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "ca.crt").write_text("PEM")
    return tmp_path


def test_a_pod_asks_its_own_cluster_by_its_service_account(folder: Path) -> None:
    access = in_cluster(WITHIN, folder)
    assert access == ClusterAccess("https://10.0.0.1", "abc", "PEM")
    assert access.headers == {"Authorization": "Bearer abc"}
    assert "abc" not in repr(access)


def test_an_address_of_ipv6_stands_in_brackets(folder: Path) -> None:
    assert in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, folder).server == "https://[fd00::1]"


def test_a_token_that_was_exchanged_counts_at_the_next_list(folder: Path) -> None:
    assert by_token("https://k8s.example/", folder / "token", None).token == "abc"
    (folder / "token").write_text("def")
    assert by_token("https://k8s.example", folder / "token", None).token == "def"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "this is no pod of a cluster; name the server or a kubeconfig"),
        ({"KUBERNETES_SERVICE_HOST": "a b"}, "KUBERNETES_SERVICE_HOST and _PORT are no address"),
    ],
)
def test_outside_of_a_cluster_there_is_none(folder: Path, environment: dict[str, str], said: str) -> None:
    with pytest.raises(Failure, match=said):
        in_cluster(environment, folder)


def test_a_pod_without_a_token_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot read the cluster's certificate authority"):
        in_cluster(WITHIN, tmp_path)


def test_a_file_with_more_than_a_token_is_refused_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a secret of several words")
    with pytest.raises(Failure, match="holds no token") as caught:
        by_token("https://k8s.example", file, None)
    assert "secret" not in str(caught.value).replace(str(tmp_path), "")


def test_what_is_no_certificate_is_refused(folder: Path) -> None:
    with pytest.raises(Failure, match="its certificate authority is no certificate in PEM"):
        ClusterAccess("https://k8s.example", "abc", "PEM").rules()
    with pytest.raises(Failure, match="its client certificate and key are no pair in PEM"):
        ClusterAccess("https://k8s.example", certificate=ClientCertificate("PEM", "PEM")).rules()
