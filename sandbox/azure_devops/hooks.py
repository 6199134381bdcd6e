"""Service hooks of an organisation: who is told of pushes, and each event as it is sent there.

The service sends by itself, and to no address of this machine; here who plays it says when, and it may be one.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.domain.clock import Clock
from sandbox.azure_devops.asked import Reply, refusal
from sandbox.azure_devops.repos import HEADS, Home, row_of

Json = Any
PUSH = "git.push"
NOTHING = "0" * 40


@dataclass(slots=True)
class Hooks:
    """`waiting` are events that were not sent yet, each with the subscription that it is for."""

    clock: Clock
    subscriptions: list[dict[str, Json]] = field(default_factory=list)
    waiting: list[tuple[dict[str, Json], dict[str, Json]]] = field(default_factory=list)

    def subscribe(self, body: Json) -> Reply:
        if (body.get("consumerId"), body.get("consumerActionId")) != ("webHooks", "httpRequest"):
            return refusal(400, "SubscriptionInputException", "The consumer is not known")
        made = {**body, "id": str(uuid.uuid4()), "status": "enabled"}
        self.subscriptions.append(made)
        return Reply(200, made)

    def pushed(self, home: Home, branch: str, commit: str) -> None:
        """Whoever wants to know of pushes there gets an event of this one."""
        for each in self.subscriptions:
            wanted = each.get("publisherInputs", {}).get("repository")
            if each["eventType"] == PUSH and wanted in (None, "", home.id):
                self.waiting.append((each, self._event(each, home, branch, commit)))

    async def deliver(self) -> list[int]:
        """Sends all that waits, each with the headers of its subscription; what was answered, in turn."""
        sent, self.waiting = self.waiting, []
        statuses: list[int] = []
        async with httpx.AsyncClient() as client:
            for subscription, event in sent:
                inputs = subscription["consumerInputs"]
                lines = inputs.get("httpHeaders", "").splitlines()
                headers = dict(line.split(": ", 1) for line in lines)
                statuses.append((await client.post(inputs["url"], json=event, headers=headers)).status_code)
        return statuses

    def _event(self, subscription: Json, home: Home, branch: str, commit: str) -> dict[str, Json]:
        """As the page on service hook events shows one, as far as it says what has moved."""
        parents = home.git.commits[commit].parents
        update = {"name": HEADS + branch, "oldObjectId": next(iter(parents), NOTHING), "newObjectId": commit}
        return {
            "subscriptionId": subscription["id"],
            "notificationId": 1,
            "id": str(uuid.uuid4()),
            "eventType": PUSH,
            "publisherId": "tfs",
            "resource": {
                "commits": [{"commitId": commit}],
                "refUpdates": [update],
                "repository": row_of(home),
                "pushId": 1,
                "date": self.clock.now().isoformat(),
            },
            "resourceVersion": "1.0",
        }
