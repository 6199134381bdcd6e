"""Reports of scanners, and the images that they are about. Their tables."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from bot.store.rows.moment import Moment
from bot.store.rows.schema import key_column, metadata
from bot.store.rows.texts import ShortText

scan_reports = Table(
    "scan_reports",
    metadata,
    key_column(),
    Column("document", ShortText(160), nullable=False, index=True),
    Column("origin", ShortText(40), nullable=False),
    Column("scanner", ShortText(60), nullable=False, server_default="Trivy"),
    Column("place", ShortText(1024), nullable=False),
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), index=True),
    Column("scanned_at", Moment),
    Column("kept_at", Moment, nullable=False, index=True),
    Column("report", LargeBinary, nullable=False),
)
"""`document` is the digest of its bytes, `report` what was read of them, compressed."""

scan_report_digests = Table(
    "scan_report_digests",
    metadata,
    Column("report_id", ForeignKey("scan_reports.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("digest", ShortText(160), primary_key=True, index=True),
)
