"""An index for evaluations that failed: of ten million measurements' worth of them, a list took a tenth of a second."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("evaluations_by_state", "evaluations", ["state", "window_end", "id"])
