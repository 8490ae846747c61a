"""When a version was released, and on which evidence: its reference, and what was measured of it."""

import sqlalchemy as sa
from alembic import op

from monitor.history.instant import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("releases", sa.Column("released_at", Instant()))
    op.add_column("releases", sa.Column("evidence", sa.JSON(), nullable=False, server_default="{}"))
