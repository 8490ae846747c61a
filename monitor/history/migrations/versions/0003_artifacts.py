"""Documents that checks leave beside their numbers, kept with the evaluation for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("evaluation_id", ID, nullable=False),
        sa.Column("incident_id", ID),
        sa.Column("check", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("artifacts_evaluation_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("artifacts_incident_id_fkey"), ondelete="SET NULL"
        ),
        sa.UniqueConstraint("evaluation_id", "check", "name", name=op.f("artifacts_evaluation_id_check_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("artifacts_by_age", "artifacts", ["created_at"])
    op.create_index("artifacts_by_incident", "artifacts", ["incident_id"])
