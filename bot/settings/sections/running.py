"""Where the operator lets the bot see what runs: clusters and services that it asks, and clusters that tell."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from bot.settings.section import Section
from bot.settings.values.addresses import Address, GuardedAddress, is_loopback
from bot.settings.values.texts import Name, ShortName
from bot.settings.values.times import Interval, Period

_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
Subscription = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        examples=["00000000-0000-0000-0000-000000000000"],
    ),
]
Namespace = Annotated[str, Field(pattern=_LABEL, examples=["shop"])]
MetricLabel = Annotated[str, Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$", examples=["cluster"])]
SourceName = Annotated[str, Field(pattern=_LABEL, examples=["production", "aks-west-1"])]
"""It stands in the address that a cluster tells to, and in tables."""


class SourceKind(StrEnum):
    """Who begins: the bot asks a cluster or Azure, or a cluster tells the bot."""

    KUBERNETES = "kubernetes"
    AZURE = "azure"
    PUSH = "push"


RESOURCE_MANAGER = "https://management.azure.com"
"""Of Azure's public cloud."""
_OF_A_CLUSTER = ("in_cluster", "kubeconfig_file", "context", "namespaces")
_OF_ASKING = (*_OF_A_CLUSTER, "server", "azure", "client_id", "ca_file", "subscriptions", "exclude", "every")
_OWNERS = {
    "token_file": "server",  # nosec B105
    "azure": "server",
    "ca_file": "server",
    "client_id": "azure",
    "context": "kubeconfig_file",
}
"""What has an effect beside another key alone."""


class PastSettings(Section):
    """A Prometheus that keeps what kube-state-metrics told of the cluster. It is asked once, for what ran before
    the first list of the source."""

    prometheus: Address = Field(description="Its address.")
    token_file: Path | None = Field(None, description="File with the token to show there.")
    ca_file: Path | None = Field(None, description="Certificate authority of the server (PEM).")
    labels: dict[MetricLabel, Name] = Field({}, max_length=20, description="Labels of its series there.")
    reach: Period = Field(timedelta(days=30), description="How far back.")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        parts = urlsplit(self.prometheus)
        if self.token_file is not None and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("a token would cross the network in the clear; write https://")
        if parts.query or parts.fragment:
            raise ValueError("prometheus: nothing behind the path has an effect; write https://HOST/PATH")
        return self


class RunningSourceSettings(Section):
    """One cluster, or subscriptions of Azure. `kubernetes` needs one way in: in_cluster, kubeconfig_file, or server
    with token_file or azure; `azure` needs subscriptions, with azure or token_file."""

    name: SourceName = Field(description="Its name everywhere; a new one begins a new history.")
    environment: ShortName = Field(description="What runs there: production, test.")
    kind: SourceKind = Field(
        description="kubernetes: the bot lists its pods; azure: its container services; "
        "push: freshness-bot running push sends them."
    )
    in_cluster: bool = Field(False, description="The bot's own cluster, by its service account.")
    kubeconfig_file: Path | None = Field(None, description="A kubeconfig; commands in it are not run.")
    context: Name | None = Field(None, description="Its context; else the current one.")
    server: GuardedAddress | None = Field(None, description="Address of the API server.")
    token_file: Path | None = Field(
        None, description="File with the token to show there; of push, the one that the cluster shows."
    )
    azure: Literal["workload_identity", "managed_identity"] | None = Field(
        None, description="Sign in with Entra as the pod's service account or as the machine."
    )
    client_id: Name | None = Field(None, description="Which identity in Azure, where there are several.")
    ca_file: Path | None = Field(None, description="Certificate authority of the server (PEM).")
    subscriptions: list[Subscription] = Field([], max_length=100, description="Of kind azure: those listed, by id.")
    namespaces: list[Namespace] = Field(
        [], max_length=500, description="Namespaces that are listed; empty for all."
    )
    exclude: list[Name] = Field(
        [], max_length=100, description="Globs over namespaces or resource groups left out."
    )
    every: Interval = Field(timedelta(minutes=5), description="How often it is listed.")
    stale_after: Period = Field(
        timedelta(minutes=30), description="So long after its last whole list nothing is known."
    )
    past: PastSettings | None = Field(None, description="Tells what ran before its first list.")

    @property
    def address(self) -> str | None:
        """Where the bot asks; None where that stands in a kubeconfig, or the cluster itself says it."""
        return self.server or (RESOURCE_MANAGER if self.kind is SourceKind.AZURE else None)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        match self.kind:
            case SourceKind.PUSH:
                self._check_push()
            case SourceKind.AZURE:
                self._check_azure()
            case SourceKind.KUBERNETES:
                self._check_kubernetes()
        if self.kind is not SourceKind.PUSH and self.stale_after <= self.every:
            raise ValueError("stale_after is no longer than every; each list would be stale before the next")
        return self

    def _check_push(self) -> None:
        if self.token_file is None:
            raise ValueError("kind: push needs token_file, the token that the cluster shows")
        if idle := self._set(_OF_ASKING):
            raise ValueError(f"kind: push is told and asks nothing, so {idle[0]} has no effect; leave it out")

    def _check_azure(self) -> None:
        if self.past is not None:
            raise ValueError("past is of a cluster and has no effect beside kind: azure; leave it out")
        if not self.subscriptions:
            raise ValueError("kind: azure needs subscriptions, the ids of those that are listed")
        if idle := self._set(_OF_A_CLUSTER):
            raise ValueError(f"{idle[0]} is of a cluster and has no effect beside kind: azure; leave it out")
        if (self.token_file is None) == (self.azure is None):
            raise ValueError("kind: azure needs one of azure and token_file to sign in")
        if self.client_id is not None and self.azure is None:
            raise ValueError("client_id goes with azure; leave it out")

    def _set(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if key in self.model_fields_set]

    def _check_kubernetes(self) -> None:
        if self._set(["subscriptions"]):
            raise ValueError("subscriptions go with kind: azure; leave them out")
        ways = {"in_cluster": self.in_cluster, "kubeconfig_file": self.kubeconfig_file, "server": self.server}
        taken = [key for key, value in ways.items() if value]
        if len(taken) != 1:
            raise ValueError("kind: kubernetes needs one of in_cluster, kubeconfig_file and server")
        for key, owner in _OWNERS.items():
            if getattr(self, key) is not None and getattr(self, owner) is None:
                raise ValueError(f"{key} goes with {owner}; leave it out")
        if self.server is not None and (self.token_file is None) == (self.azure is None):
            raise ValueError("server needs one of token_file and azure beside it")
        if self.namespaces and self.exclude:
            raise ValueError("exclude leaves some out of all namespaces; beside namespaces leave it out")


class RunningSettings(Section):
    """What runs where, and since when. Without sources nothing is asked."""

    sources: list[RunningSourceSettings] = Field([], max_length=500, description="The clusters.")
    deployment_records: bool = Field(False, description="Write what runs to GitHub as deployment records.")
    keep: Period = Field(
        timedelta(days=730), description="What stopped longer ago is forgotten, with its packages."
    )

    @property
    def tells_forge(self) -> bool:
        """Whether anything is written to forges of what runs."""
        return self.deployment_records and bool(self.sources)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [source.name for source in self.sources]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two sources are called {twice!r}; give each a name of its own")
        for source in self.sources:
            if source.past is not None and source.past.reach > self.keep:
                raise ValueError(f"{source.name}: past.reach is longer than keep; what it tells would be forgotten")
        tokens = [source.token_file for source in self.sources if source.kind is SourceKind.PUSH]
        if shared := next((path for path in tokens if tokens.count(path) > 1), None):
            raise ValueError(f"{shared} would let one source speak for another; give each a token of its own")
        return self
