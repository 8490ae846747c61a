"""Silences, acknowledgements, the transitions of alerts, uploads, and notifications that nobody was told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("incidents", sa.Column("group", sa.String(length=400), nullable=False, server_default=""))
    op.add_column("incidents", sa.Column("end_reason", sa.String(length=40), nullable=False, server_default=""))
    op.execute("UPDATE incidents SET end_reason = 'resolved' WHERE resolved_at IS NOT NULL")
    op.add_column("episodes", sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("outbox", sa.Column("why", sa.Text()))
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as outbox:
        outbox.alter_column("incident_id", existing_type=ID, nullable=True)
    _create_transitions()
    _create_silences()
    _create_acknowledgements()
    _create_interactions()
    _create_uploads()


def _create_transitions() -> None:
    op.create_table(
        "transitions",
        sa.Column("id", ID, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("alert_key", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=400), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("incident_id", ID),
        sa.Column("evaluation_id", ID),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("before", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _of("transitions", "incident_id", "incidents", "CASCADE"),
        _of("transitions", "evaluation_id", "evaluations", "SET NULL"),
        sqlite_autoincrement=True,
    )
    op.create_index("transitions_by_model", "transitions", ["model", "window_end"])
    op.create_index("transitions_by_incident", "transitions", ["incident_id"])
    op.create_index("transitions_by_evaluation", "transitions", ["evaluation_id"])


def _create_silences() -> None:
    op.create_table(
        "silences",
        sa.Column("id", ID, primary_key=True),
        sa.Column("matchers", sa.JSON(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("silences_by_end", "silences", ["ends_at"])


def _create_acknowledgements() -> None:
    op.create_table(
        "acknowledgements",
        sa.Column("id", ID, primary_key=True),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        _of("acknowledgements", "incident_id", "incidents", "CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("acknowledgements_by_incident", "acknowledgements", ["incident_id"])


def _create_interactions() -> None:
    op.create_table(
        "interactions",
        sa.Column("id", sa.String(length=200), primary_key=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("handled_at", INSTANT),
        sa.Column("outcome", sa.Text()),
    )
    op.create_index("interactions_waiting", "interactions", ["handled_at"])


def _create_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", ID, primary_key=True),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.Column("artifact_id", ID, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("error", sa.Text()),
        _of("uploads", "incident_id", "incidents", "CASCADE"),
        _of("uploads", "artifact_id", "artifacts", "CASCADE"),
        sa.UniqueConstraint(
            "incident_id", "receiver", "artifact_id", name=op.f("uploads_incident_id_receiver_artifact_id_key")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("uploads_due", "uploads", ["state", "next_at"])


def _of(table: str, column: str, other: str, ondelete: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_{column}_fkey")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)
