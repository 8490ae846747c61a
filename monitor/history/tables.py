"""The tables of the history. Times are UTC; JSON columns hold plain data."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from monitor.history.instant import Id, Instant

metadata = MetaData(
    naming_convention={  # names that PostgreSQL would give; SQLite gives none, and a migration needs one to alter
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)

models = Table(  # one row per model: who evaluates it now (a lease with a fencing token)
    "models",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("lease_owner", String(64)),
    Column("lease_until", Instant),
    Column("lease_token", BigInteger, nullable=False, default=0),
)

releases = Table(  # the contract of a model version, as it was when first seen, and when it was released
    "releases",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("contract_hash", String(64), nullable=False),
    Column("contract", JSON, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("released_at", Instant),  # null where a daemon saw it and nobody recorded it as released
    Column("evidence", JSON, nullable=False, server_default="{}"),  # monitor.history.releases.Evidence as data
    UniqueConstraint("model", "version", "contract_hash"),
)

baselines = Table(  # frozen for a model version: the layout of its profiles and the profile of its reference
    "baselines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the settings and columns it was taken with
    Column("layout", LargeBinary, nullable=False),
    Column("profile", LargeBinary),  # null where the model has no reference
    Column("outcome_delay", Float),  # seconds, learned from the reference; null where it tells nothing
    Column("lag_curve", JSON, nullable=False, server_default="[]"),  # of live outcomes; monitor.release.lag.LagCurve
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("model", "version", "fingerprint"),
)

profiles = Table(  # one per bucket, replaced when the bucket changed
    "profiles",
    metadata,
    Column("baseline_id", ForeignKey("baselines.id", ondelete="CASCADE"), primary_key=True),
    Column("bucket_start", Instant, primary_key=True),
    Column("bucket_end", Instant, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("rows", BigInteger, nullable=False),
    Column("outcomes", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("read_at", Instant, nullable=False),
    Column("lags", JSON, nullable=False, server_default="[]"),  # how many outcomes took how long; empty: not known
)

bucket_values = Table(  # what a metric was in one day, or one bucket where that is longer, as an evaluation found it
    "bucket_values",
    metadata,
    Column("baseline_id", ForeignKey("baselines.id", ondelete="CASCADE"), primary_key=True),
    Column("check", String(32), primary_key=True),  # a fingerprint of the check and its parameters
    Column("metric", String(100), primary_key=True),
    Column("column", String(200), primary_key=True, default=""),
    Column("segment", String(400), primary_key=True, default=""),
    Column("bucket_start", Instant, primary_key=True),
    Column("evaluation_id", BigInteger, primary_key=True),  # 0: found before this was kept
    Column("value", Float, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("error", Float, nullable=False),  # the standard error of its rows, taken as independent; 0: not known
    Index("bucket_values_by_age", "bucket_start"),
)

evaluations = Table(  # one run of one plan of a model over one window
    "evaluations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("plan", String(100), nullable=False),
    Column("window_start", Instant, nullable=False),
    Column("window_end", Instant, nullable=False),
    Column("revision", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),  # done, failed, skipped
    Column("reason", Text, nullable=False, default=""),
    Column("inputs", String(64), nullable=False, default=""),  # fingerprint of the profiles it was measured on
    Column("contract_hash", String(64), nullable=False, default=""),
    Column("evaluated_at", Instant, nullable=False),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("outcomes", BigInteger, nullable=False, default=0),
    Column("detail", JSON, nullable=False, default=dict),
    Column("provisional", Boolean, nullable=False, server_default=false()),  # waits for more outcomes
    UniqueConstraint("model", "plan", "window_start", "window_end", "revision"),
    Index("evaluations_by_model", "model", "window_end", "id"),
    Index("evaluations_by_plan", "model", "plan", "window_end"),
    Index("evaluations_by_end", "window_end", "id"),
    Index("evaluations_by_state", "state", "window_end", "id"),
    sqlite_autoincrement=True,  # an id is never used again, not even after retention
)

measurements = Table(
    "measurements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("evaluation_id", ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
    Column("check", String(100), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("column", String(200), nullable=False, default=""),
    Column("segment", String(400), nullable=False, default=""),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("detail", JSON, nullable=False, default=dict),
    UniqueConstraint("evaluation_id", "metric", "column", "segment"),
)

verdicts = Table(  # one per bound and measurement it judged
    "verdicts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("evaluation_id", ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
    Column("check", String(100), nullable=False, default=""),
    Column("metric", String(100), nullable=False),
    Column("column", String(200), nullable=False, default=""),
    Column("segment", String(400), nullable=False, default=""),
    Column("verdict", String(16), nullable=False),  # ok, breach, unknown, error
    Column("reason", String(40), nullable=False),
    Column("sentence", Text, nullable=False, default=""),
    Column("severity", String(16), nullable=False),
    Column("side", String(8), nullable=False),
    Column("threshold", Float),
    Column("released_value", Float),
    Column("value", Float),
    Column("low", Float),
    Column("high", Float),
    Column("rows", BigInteger, nullable=False, default=0),
    Column("comparisons", Integer, nullable=False, default=0),  # of this severity in this evaluation
    UniqueConstraint("evaluation_id", "metric", "column", "segment", "side"),
    Index("verdicts_by_state", "verdict", "evaluation_id"),
)

artifacts = Table(  # a document that a check left beside its numbers; the content last, that lists read past it fast
    "artifacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("evaluation_id", ForeignKey("evaluations.id", ondelete="CASCADE"), nullable=False),
    Column("incident_id", ForeignKey("incidents.id", ondelete="SET NULL")),  # of the report made when one opened
    Column("check", String(100), nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", BigInteger, nullable=False),  # in bytes, before compression
    Column("created_at", Instant, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zlib
    UniqueConstraint("evaluation_id", "check", "name"),
    Index("artifacts_by_age", "created_at"),
    Index("artifacts_by_incident", "incident_id"),
    sqlite_autoincrement=True,
)

incidents = Table(  # all alerts of one model at one time
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),  # window time
    Column("resolved_at", Instant),
    Column("sequence", Integer, nullable=False, default=0),  # notifications so far
    Column("group", String(400), nullable=False, default=""),  # the metric or segment, where alerts.group_by says so
    Column("end_reason", String(40), nullable=False, default=""),  # resolved, threshold_removed, model_removed, retired
    Index("incidents_open", "model", "resolved_at"),
    sqlite_autoincrement=True,
)

alerts = Table(  # the present state of one metric of one segment; its life is advanced by verdicts
    "alerts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("column", String(200), nullable=False, default=""),
    Column("segment", String(400), nullable=False, default=""),
    Column("side", String(8), nullable=False),
    Column("state", JSON, nullable=False),  # monitor.alerts.life.Alert as data
    Column("condition", String(16), nullable=False),
    Column("window_end", Instant, nullable=False),  # of the newest verdict it has seen
    Index("alerts_by_model", "model"),
)

episodes = Table(  # an alert from firing to resolved, within an incident
    "episodes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("alert_key", String(64), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("column", String(200), nullable=False, default=""),
    Column("segment", String(400), nullable=False, default=""),
    Column("severity", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("value", Float),  # when it opened
    Column("threshold", Float),
    Column("reopened", Integer, nullable=False, default=0),  # how often it breached again soon after it was resolved
    Index("episodes_by_incident", "incident_id"),
)

transitions = Table(  # each change of an alert's condition, and why: told or not
    "transitions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("alert_key", String(64), nullable=False),
    Column("metric", String(100), nullable=False),
    Column("column", String(200), nullable=False, default=""),
    Column("segment", String(400), nullable=False, default=""),
    Column("side", String(8), nullable=False),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE")),
    Column("evaluation_id", ForeignKey("evaluations.id", ondelete="SET NULL")),
    Column("window_end", Instant, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("value", Float),
    Column("recorded_at", Instant, nullable=False),  # wall time
    Index("transitions_by_model", "model", "window_end"),
    Index("transitions_by_incident", "incident_id"),
    Index("transitions_by_evaluation", "evaluation_id"),
    sqlite_autoincrement=True,
)

silences = Table(  # muted on purpose until a time
    "silences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("matchers", JSON, nullable=False),  # a pattern by model, metric, segment, severity or owner
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("comment", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("silences_by_end", "ends_at"),
    sqlite_autoincrement=True,
)

acknowledgements = Table(  # seen by a person: no repeats and no escalation of the incident at this severity
    "acknowledgements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("author", String(200), nullable=False),
    Column("comment", Text, nullable=False, default=""),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("acknowledgements_by_incident", "incident_id"),
    sqlite_autoincrement=True,
)

interactions = Table(  # buttons pressed in Slack; the id makes each happen once
    "interactions",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("payload", JSON, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("outcome", Text),
    Index("interactions_waiting", "handled_at"),
)

outbox = Table(  # notifications due; written in the transaction that made them due
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE")),  # null of a digest
    Column("receiver", String(200), nullable=False),  # "console", "slack:#channel", "webhook:name", "alertmanager:name"
    Column("reason", String(40), nullable=False),
    Column("message", JSON, nullable=False),  # monitor.alerts.message.Message as data
    Column("state", String(16), nullable=False, default="pending"),  # pending, sent, superseded, blocked, suppressed
    Column("why", Text),  # nobody was told: a sentence that names the silence or calendar
    Column("created_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("attempted_at", Instant),
    Column("first_attempted_at", Instant),
    Column("next_at", Instant, nullable=False),
    Column("lease_owner", String(64)),
    Column("lease_until", Instant),
    Column("sent_at", Instant),
    Column("provider_id", String(64)),  # Slack's ts
    Column("error", Text),
    Index("outbox_due", "state", "next_at"),
    Index("outbox_by_incident", "incident_id"),
    sqlite_autoincrement=True,
)

threads = Table(  # where an incident lives at a receiver: the parent message to edit and reply to
    "threads",
    metadata,
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    Column("receiver", String(200), primary_key=True),
    Column("channel_id", String(64), nullable=False),
    Column("provider_id", String(64), nullable=False),
)

uploads = Table(  # documents to be shown in the thread of an incident: charts; never in the way of a message
    "uploads",
    metadata,
    Column("id", Id, primary_key=True),
    Column("incident_id", ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    Column("receiver", String(200), nullable=False),
    Column("artifact_id", ForeignKey("artifacts.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False, default="pending"),  # pending, sent, given_up
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("error", Text),
    UniqueConstraint("incident_id", "receiver", "artifact_id"),
    Index("uploads_due", "state", "next_at"),
    sqlite_autoincrement=True,
)

receivers = Table(  # pacing shared by replicas
    "receivers",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("blocked_until", Instant),
    Column("next_slot_at", Instant),
    Column("error", Text),
    Column("healthy", Boolean, nullable=False, default=True),
    Column("sent_at", Instant),
)
