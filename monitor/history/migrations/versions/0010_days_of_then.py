"""What days were known to be when a window was judged stays known; later measurements of a day stand beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

KEYS = ["baseline_id", "check", "metric", "column", "segment", "bucket_start"]


def upgrade() -> None:
    with op.batch_alter_table("bucket_values", recreate="always") as table:
        table.add_column(sa.Column("evaluation_id", sa.BigInteger(), nullable=False, server_default="0"))
        table.drop_constraint("bucket_values_pkey", type_="primary")
        table.create_primary_key("bucket_values_pkey", [*KEYS, "evaluation_id"])
        table.drop_column("revision")
