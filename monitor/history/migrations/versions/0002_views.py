"""The views for people who ask in SQL; docs/history.md describes each column."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Of the revisions of a window the newest stands; one that failed stands only where no other got to an answer.
STANDS = """NOT EXISTS (
    SELECT 1 FROM evaluations o
    WHERE o.model = e.model AND o.plan = e.plan AND o.window_start = e.window_start AND o.window_end = e.window_end
      AND ((o.revision > e.revision AND (o.state = 'done' OR e.state <> 'done'))
        OR (o.revision < e.revision AND o.state = 'done' AND e.state <> 'done')))"""

NAME = """CASE WHEN {0}."column" = '' THEN {0}.metric ELSE {0}.metric || '.' || {0}."column" END AS name"""

MEASUREMENT_HISTORY = f"""
CREATE VIEW measurement_history AS
SELECT e.model, e.version, e.plan, e.window_start, e.window_end, e.revision, e.evaluated_at,
       {NAME.format("m")}, m."check", m.metric, m."column", m.segment,
       m.value, m.low, m.high, m.rows, m.detail, e.id AS evaluation_id
FROM evaluations e JOIN measurements m ON m.evaluation_id = e.id
WHERE {STANDS}
"""  # noqa: S608  # made of the constants above

# The plans of each model are found by stepping through an index, not by reading every evaluation.
LATEST_VERDICTS = f"""
CREATE VIEW latest_verdicts AS
WITH RECURSIVE plans (model, plan) AS (
    SELECT name, (SELECT min(e.plan) FROM evaluations e WHERE e.model = models.name) FROM models
    UNION ALL
    SELECT model, (SELECT min(e.plan) FROM evaluations e WHERE e.model = plans.model AND e.plan > plans.plan)
    FROM plans WHERE plan IS NOT NULL
), newest AS (
    SELECT model, plan, (SELECT max(e.window_end) FROM evaluations e
                         WHERE e.model = plans.model AND e.plan = plans.plan AND e.state <> 'skipped') AS window_end
    FROM plans WHERE plan IS NOT NULL
), ranked AS (
    SELECT e.model, e.version, e.plan, e.window_start, e.window_end, e.revision, e.evaluated_at,
           {NAME.format("v")}, v."check", v.metric, v."column", v.segment, v.side, v.severity,
           v.verdict, v.reason, v.sentence, v.value, v.low, v.high, v.threshold, v.released_value, v.rows,
           e.id AS evaluation_id,
           row_number() OVER (PARTITION BY e.model, v.metric, v."column", v.segment, v.side
                              ORDER BY e.window_end DESC, e.id DESC) AS place
    FROM newest n
    JOIN evaluations e ON e.model = n.model AND e.plan = n.plan AND e.window_end = n.window_end
                      AND e.state <> 'skipped' AND {STANDS}
    JOIN verdicts v ON v.evaluation_id = e.id
)
SELECT model, version, plan, window_start, window_end, revision, evaluated_at, name, "check", metric, "column",
       segment, side, severity, verdict, reason, sentence, value, low, high, threshold, released_value, rows,
       evaluation_id
FROM ranked WHERE place = 1
"""  # noqa: S608  # as above

INCIDENT_HISTORY = f"""
CREATE VIEW incident_history AS
SELECT i.id AS incident_id, i.model, i.version, i.severity AS incident_severity,
       i.opened_at AS incident_opened_at, i.resolved_at AS incident_resolved_at, i.sequence AS notifications,
       p.id AS episode_id, {NAME.format("p")}, p.metric, p."column", p.segment, p.severity,
       p.opened_at, p.resolved_at, p.value, p.threshold
FROM incidents i LEFT JOIN episodes p ON p.incident_id = i.id
"""  # noqa: S608  # as above


def upgrade() -> None:
    op.execute(MEASUREMENT_HISTORY)
    op.execute(LATEST_VERDICTS)
    op.execute(INCIDENT_HISTORY)
