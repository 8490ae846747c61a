"""How long the outcomes of each bucket took, what a model's live outcomes take, and which windows wait for more."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("profiles", sa.Column("lags", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("baselines", sa.Column("lag_curve", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "evaluations", sa.Column("provisional", sa.Boolean(), nullable=False, server_default=sa.sql.expression.false())
    )
