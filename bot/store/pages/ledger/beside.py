"""What is told beside one CVE and changes nothing of it: publications that disagree, and such as stand still."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.feeds.document import silence
from bot.domain.packages.cves.publication import CvePublication, ToldAffected, disagreements
from bot.domain.packages.cves.vulnerability import AffectedPackage
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.rows.inventories.vulnerabilities import (
    affected_packages,
    dumps,
    vulnerabilities,
    vulnerability_cves,
)
from bot.store.rows.news import newest_times


async def read_beside(connection: AsyncConnection, cve: str, now: datetime) -> tuple[str, ...]:
    """A line for each record on which publications that tell of the CVE disagree, and for each that is silent."""
    cve_name = func.coalesce(vulnerability_cves.c.cve, vulnerabilities.c.name)
    rows = await connection.execute(
        select(dumps.c.ecosystem, vulnerabilities.c.name, affected_packages.c.affected)
        .join(vulnerabilities, vulnerabilities.c.dump_id == dumps.c.id)
        .join(affected_packages, affected_packages.c.vulnerability_id == vulnerabilities.c.id)
        .outerjoin(vulnerability_cves, vulnerability_cves.c.vulnerability_id == vulnerabilities.c.id)
        .where(cve_name == cve)
        .order_by(affected_packages.c.id)
    )
    statements = readable(
        rows,
        lambda row: ToldAffected(CvePublication(row.ecosystem), row.name, load(row.affected, AffectedPackage)),
        lambda row: f"record {row.name}",
    )
    newest_at = await newest_times(connection)
    publications = {each.publication for each in statements}
    silent = (silence(each, newest_at.get(each), now) for each in sorted(publications))
    return (*disagreements(statements), *filter(None, silent))
