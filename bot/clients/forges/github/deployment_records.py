"""Deployment records: what an organisation's page of an artifact tells of where it runs."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bot.clients.forges.github.connection.shapes import shaped
from bot.clients.forges.github.connection.transport import Transport
from bot.domain.running.records import DeploymentRecord


async def record(
    transport: Transport, owner: str, cluster: str, environment: str, records: Sequence[DeploymentRecord]
) -> Mapping[str, str]:
    """Writes records of one cluster; those that were not taken, by their names, with GitHub's word for why."""
    body = {
        "logical_environment": environment,
        "deployments": [_deployment(each) for each in records],
        "partial_success": True,
        "return_records": False,
    }
    path = f"/orgs/{quote(owner)}/artifacts/metadata/deployment-record/cluster/{quote(cluster)}"
    with shaped("deployment records"):
        answer = await transport.write("POST", path, body)
        return {
            str(each["deployment"]["deployment_name"]): str(each["cause"]) for each in answer.get("errors") or ()
        }


def _deployment(record: DeploymentRecord) -> Mapping[str, str]:
    return {
        "name": record.image,
        "digest": record.digest,
        "status": "decommissioned" if record.is_gone else "deployed",
        "deployment_name": record.name,
        "github_repository": record.repository,
    }
