"""Reports of scanners, by the images that they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "scan_reports",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("document", sa.String(length=160), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=1024), nullable=False),
        sa.Column("repository_id", _ID, nullable=True),
        sa.Column("scanned_at", _MOMENT, nullable=True),
        sa.Column("kept_at", _MOMENT, nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["repository_id"],
            ["repositories.id"],
            name=op.f("fk_scan_reports_repository_id_repositories"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_reports")),
    )
    for column in ("document", "repository_id", "kept_at"):
        op.create_index(op.f(f"ix_scan_reports_{column}"), "scan_reports", [column], unique=False)
    op.create_table(
        "scan_report_digests",
        sa.Column("report_id", _ID, autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["scan_reports.id"],
            name=op.f("fk_scan_report_digests_report_id_scan_reports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("report_id", "digest", name=op.f("pk_scan_report_digests")),
    )
    op.create_index(op.f("ix_scan_report_digests_digest"), "scan_report_digests", ["digest"], unique=False)
