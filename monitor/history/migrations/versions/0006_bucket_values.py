"""What metrics were in single days, for the alarm of bounds that page."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    baseline = sa.ForeignKey("baselines.id", ondelete="CASCADE", name=op.f("bucket_values_baseline_id_fkey"))
    op.create_table(
        "bucket_values",
        sa.Column("baseline_id", ID, baseline, primary_key=True),
        sa.Column("check", sa.String(length=32), primary_key=True),
        sa.Column("metric", sa.String(length=100), primary_key=True),
        sa.Column("column", sa.String(length=200), primary_key=True),
        sa.Column("segment", sa.String(length=400), primary_key=True),
        sa.Column("bucket_start", INSTANT, primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Float(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
    )
    op.create_index("bucket_values_by_age", "bucket_values", ["bucket_start"])
