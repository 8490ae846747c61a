"""The tables: what is watched, what was judged, what it means for people, and who was told."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _watched()
    _judged()
    _alerted()
    _told()


def _watched() -> None:
    op.create_table(
        "models",
        sa.Column("name", sa.String(length=200), primary_key=True),
        sa.Column("lease_owner", sa.String(length=64)),
        sa.Column("lease_until", INSTANT),
        sa.Column("lease_token", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("id", ID, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("contract_hash", sa.String(length=64), nullable=False),
        sa.Column("contract", sa.JSON(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.UniqueConstraint("model", "version", "contract_hash", name=op.f("releases_model_version_contract_hash_key")),
    )
    op.create_table(
        "baselines",
        sa.Column("id", ID, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("layout", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.LargeBinary()),
        sa.Column("outcome_delay", sa.Float()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.UniqueConstraint("model", "version", "fingerprint", name=op.f("baselines_model_version_fingerprint_key")),
    )
    op.create_table(
        "profiles",
        sa.Column("baseline_id", ID, primary_key=True),
        sa.Column("bucket_start", INSTANT, primary_key=True),
        sa.Column("bucket_end", INSTANT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("outcomes", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["baseline_id"], ["baselines.id"], name=op.f("profiles_baseline_id_fkey"), ondelete="CASCADE"
        ),
    )


def _judged() -> None:
    op.create_table(
        "evaluations",
        sa.Column("id", ID, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("plan", sa.String(length=100), nullable=False),
        sa.Column("window_start", INSTANT, nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("contract_hash", sa.String(length=64), nullable=False),
        sa.Column("evaluated_at", INSTANT, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("outcomes", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.UniqueConstraint(
            "model",
            "plan",
            "window_start",
            "window_end",
            "revision",
            name=op.f("evaluations_model_plan_window_start_window_end_revision_key"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("evaluations_by_end", "evaluations", ["window_end", "id"])
    op.create_index("evaluations_by_model", "evaluations", ["model", "window_end", "id"])
    op.create_index("evaluations_by_plan", "evaluations", ["model", "plan", "window_end"])
    op.create_table(
        "measurements",
        sa.Column("id", ID, primary_key=True),
        sa.Column("evaluation_id", ID, nullable=False),
        sa.Column("check", sa.String(length=100), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=400), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("low", sa.Float()),
        sa.Column("high", sa.Float()),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("measurements_evaluation_id_fkey"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "evaluation_id",
            "metric",
            "column",
            "segment",
            name=op.f("measurements_evaluation_id_metric_column_segment_key"),
        ),
    )
    op.create_table(
        "verdicts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("evaluation_id", ID, nullable=False),
        sa.Column("check", sa.String(length=100), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=400), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("threshold", sa.Float()),
        sa.Column("released_value", sa.Float()),
        sa.Column("value", sa.Float()),
        sa.Column("low", sa.Float()),
        sa.Column("high", sa.Float()),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("verdicts_evaluation_id_fkey"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "evaluation_id",
            "metric",
            "column",
            "segment",
            "side",
            name=op.f("verdicts_evaluation_id_metric_column_segment_side_key"),
        ),
    )
    op.create_index("verdicts_by_state", "verdicts", ["verdict", "evaluation_id"])


def _alerted() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", ID, primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("incidents_open", "incidents", ["model", "resolved_at"])
    op.create_table(
        "alerts",
        sa.Column("key", sa.String(length=64), primary_key=True),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=400), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("condition", sa.String(length=16), nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
    )
    op.create_index("alerts_by_model", "alerts", ["model"])
    op.create_table(
        "episodes",
        sa.Column("id", ID, primary_key=True),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("alert_key", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(length=100), nullable=False),
        sa.Column("column", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=400), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("value", sa.Float()),
        sa.Column("threshold", sa.Float()),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("episodes_incident_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_index("episodes_by_incident", "episodes", ["incident_id"])


def _told() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", ID, primary_key=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("receiver", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", INSTANT),
        sa.Column("first_attempted_at", INSTANT),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("lease_owner", sa.String(length=64)),
        sa.Column("lease_until", INSTANT),
        sa.Column("sent_at", INSTANT),
        sa.Column("provider_id", sa.String(length=64)),
        sa.Column("error", sa.Text()),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("outbox_incident_id_fkey"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("key", name=op.f("outbox_key_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_by_incident", "outbox", ["incident_id"])
    op.create_index("outbox_due", "outbox", ["state", "next_at"])
    op.create_table(
        "threads",
        sa.Column("incident_id", ID, primary_key=True),
        sa.Column("receiver", sa.String(length=200), primary_key=True),
        sa.Column("channel_id", sa.String(length=64), nullable=False),
        sa.Column("provider_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("threads_incident_id_fkey"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "receivers",
        sa.Column("name", sa.String(length=200), primary_key=True),
        sa.Column("blocked_until", INSTANT),
        sa.Column("next_slot_at", INSTANT),
        sa.Column("error", sa.Text()),
        sa.Column("healthy", sa.Boolean(), nullable=False),
        sa.Column("sent_at", INSTANT),
    )
