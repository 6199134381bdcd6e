"""Where the bot may see what runs: one way in for each cluster, and nothing that could not work."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.settings.sections.running import SourceKind
from tests.unit.settings.conftest import Refused, refusal

ASKED = "name: a, environment: production, kind: kubernetes"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
OF_AZURE = "name: a, environment: production, kind: azure"
TOLD = "name: a, environment: production, kind: push"
OF_LISTS = "is no longer than every; each list would be stale before the next"


def sources(*written: str) -> str:
    listed = ", ".join(f"{{{each}}}" for each in written)
    return f"running: {{sources: [{listed}]}}"


def test_nothing_is_asked_unless_it_is_set() -> None:
    assert Settings().running.sources == []
    assert Settings().running.keep == timedelta(days=730)


@pytest.mark.parametrize(
    "source",
    [
        f"{ASKED}, in_cluster: true, exclude: ['kube-*']",
        f"{ASKED}, kubeconfig_file: /k, context: west, namespaces: [shop, billing]",
        f"{ASKED}, server: 'https://k8s.example:6443', token_file: /t, ca_file: /c",
        f"{ASKED}, server: 'https://k8s.example', azure: workload_identity, client_id: a, ca_file: /c",
        f"{TOLD}, token_file: /t, stale_after: 1h",
        f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}], azure: managed_identity, exclude: ['test-*']",
        f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}], token_file: /t",
    ],
)
def test_each_way_in_is_taken(tmp_path: Path, source: str) -> None:
    path = tmp_path / "freshness.yaml"
    path.write_text(sources(source))
    assert refusal(path) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (ASKED, "kind: kubernetes needs one of in_cluster, kubeconfig_file and server"),
        (
            f"{ASKED}, in_cluster: true, kubeconfig_file: /k",
            "kind: kubernetes needs one of in_cluster, kubeconfig_file and server",
        ),
        (f"{ASKED}, server: 'https://k8s.example'", "server needs one of token_file and azure beside it"),
        (
            f"{ASKED}, server: 'https://k8s.example', token_file: /t, azure: managed_identity",
            "server needs one of token_file and azure beside it",
        ),
        (f"{ASKED}, in_cluster: true, token_file: /t", "token_file goes with server; leave it out"),
        (f"{ASKED}, in_cluster: true, azure: managed_identity", "azure goes with server; leave it out"),
        (f"{ASKED}, in_cluster: true, client_id: a", "client_id goes with azure; leave it out"),
        (f"{ASKED}, in_cluster: true, ca_file: /c", "ca_file goes with server; leave it out"),
        (f"{ASKED}, in_cluster: true, context: west", "context goes with kubeconfig_file; leave it out"),
        (
            f"{ASKED}, in_cluster: true, namespaces: [shop], exclude: ['kube-*']",
            "exclude leaves some out of all namespaces; beside namespaces leave it out",
        ),
        (f"{ASKED}, in_cluster: true, every: 30m", f"stale_after {OF_LISTS}"),
        (f"{OF_AZURE}, token_file: /t", "kind: azure needs subscriptions, the ids of those that are listed"),
        (
            f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}]",
            "kind: azure needs one of azure and token_file to sign in",
        ),
        (
            f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}], azure: managed_identity, namespaces: [shop]",
            "namespaces is of a cluster and has no effect beside kind: azure; leave it out",
        ),
        (
            f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}], token_file: /t, client_id: a",
            "client_id goes with azure; leave it out",
        ),
        (f"{OF_AZURE}, subscriptions: [{SUBSCRIPTION}], token_file: /t, every: 1h", f"stale_after {OF_LISTS}"),
        (
            f"{ASKED}, in_cluster: true, subscriptions: [{SUBSCRIPTION}]",
            "subscriptions go with kind: azure; leave them out",
        ),
        (TOLD, "kind: push needs token_file, the token that the cluster shows"),
        (
            f"{TOLD}, token_file: /t, every: 5m",
            "kind: push is told and asks nothing, so every has no effect; leave it out",
        ),
    ],
)
def test_what_cannot_work_is_refused(refused: Refused, source: str, line: str) -> None:
    assert refused(sources(source)) == [f"1: running.sources.0: {line}"]


def test_a_token_is_not_sent_in_the_clear(refused: Refused) -> None:
    [line] = refused(sources(f"{ASKED}, server: 'http://k8s.example', token_file: /t"))
    assert line == "1: running.sources.0.server: a token would cross the network in the clear; write https://"


def test_two_sources_have_two_names_and_two_tokens(refused: Refused) -> None:
    assert refused(sources(f"{ASKED}, in_cluster: true", f"{TOLD}, token_file: /t")) == [
        "1: running: two sources are called 'a'; give each a name of its own"
    ]
    other = "name: b, environment: test, kind: push, token_file: /t"
    assert refused(sources(f"{TOLD}, token_file: /t", other)) == [
        "1: running: /t would let one source speak for another; give each a token of its own"
    ]


def test_nobody_can_tell_anything_where_no_page_is_served(refused: Refused) -> None:
    text = sources(f"{TOLD}, token_file: /t") + "\nweb: {listen: null}"
    assert refused(text) == [
        "1: running.sources.0: nobody can tell the bot anything with web.listen: null; set that, or leave the "
        "source out"
    ]


def test_a_kind_is_one_of_three() -> None:
    assert [str(kind) for kind in SourceKind] == ["kubernetes", "azure", "push"]
