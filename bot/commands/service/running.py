"""`running push`: a cluster is listed from within, and what runs in it is sent to the bot."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bot.clients.http.answers import Answer
from bot.clients.http.client import HostRules, Http
from bot.clients.kubernetes.access import ClusterAccess, checked_server, in_cluster, read_token
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.running.snapshot import Snapshot
from bot.domain.running.written import NoSnapshot, written

_LONGEST_REASON = 300
_KNOWN = 409
"""The bot knows this list or a later one, as where the answer to a first attempt was lost."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The bot that is told: where its page is, what it calls the source, and the token of that source."""

    url: str
    source: str
    token_file: Path
    ca_file: Path | None = None


def access_of(kubeconfig: Path | None, context: str | None) -> Callable[[], ClusterAccess]:
    """How the cluster is reached: by a kubeconfig, else by the pod's own service account."""
    return partial(in_cluster, os.environ) if kubeconfig is None else partial(by_kubeconfig, kubeconfig, context)


async def push(reader: ClusterReader, receiver: Receiver, clock: Clock) -> Snapshot:
    """Lists once, and sends what runs. Raises `Failure` where nothing is read, or the bot does not take it."""
    try:
        address = checked_server(receiver.url)
    except ValueError as error:
        raise Failure(Trouble.MALFORMED, f"{receiver.url[:100]!r} {error}") from None
    headers = {"Authorization": f"Bearer {read_token(receiver.token_file)}", "Content-Type": "application/json"}
    snapshot = await reader.snapshot()
    try:
        document = written(snapshot)
    except NoSnapshot as error:
        raise Failure(Trouble.MALFORMED, f"the cluster {error}") from None
    host = ClusterAccess(address).host
    rules = {host: HostRules(receiver.ca_file, insecure=address.startswith("http://"))}
    async with Http(clock, rules) as http:
        url = f"{address}/api/v1/running/{quote(receiver.source, safe='')}"
        answer = await http.request("PUT", url, headers=headers, content=document, retry=True)
    if answer.status not in (202, _KNOWN):
        raise _refusal(answer)
    return snapshot


def _refusal(answer: Answer) -> Failure:
    """What the bot, or whatever stands before it, says of it in one line."""
    try:
        reason = json.loads(answer.body)["detail"]
    except (ValueError, RecursionError, KeyError, TypeError):
        reason = "it says nothing of why; does the address lead to the page of the bot?"
    printable = "".join(letter for letter in str(reason) if letter.isprintable())[:_LONGEST_REASON]
    denied = answer.status in (401, 403)
    trouble = Trouble.DENIED if denied else Trouble.MALFORMED
    advice = "give the token that running.sources names there for this source" if denied else ""
    return Failure(
        trouble,
        f"does not take it ({answer.status}): {printable}",
        where=answer.where,
        advice=advice,
        status=answer.status,
    )
