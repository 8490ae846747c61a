"""How many comparisons of the same severity were made beside each verdict: each may be wrong by chance."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# The plans of each model are found by stepping through an index, not by reading every evaluation.
# Of the revisions of a window the newest stands; one that failed stands only where no other got to an answer.
LATEST_VERDICTS = """
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
           CASE WHEN v."column" = '' THEN v.metric ELSE v.metric || '.' || v."column" END AS name,
           v."check", v.metric, v."column", v.segment, v.side, v.severity,
           v.verdict, v.reason, v.sentence, v.value, v.low, v.high, v.threshold, v.released_value, v.rows,
           v.comparisons, e.id AS evaluation_id,
           row_number() OVER (PARTITION BY e.model, v.metric, v."column", v.segment, v.side
                              ORDER BY e.window_end DESC, e.id DESC) AS place
    FROM newest n
    JOIN evaluations e ON e.model = n.model AND e.plan = n.plan AND e.window_end = n.window_end
                      AND e.state <> 'skipped'
                      AND NOT EXISTS (
        SELECT 1 FROM evaluations o
        WHERE o.model = e.model AND o.plan = e.plan AND o.window_start = e.window_start AND o.window_end = e.window_end
          AND ((o.revision > e.revision AND (o.state = 'done' OR e.state <> 'done'))
            OR (o.revision < e.revision AND o.state = 'done' AND e.state <> 'done')))
    JOIN verdicts v ON v.evaluation_id = e.id
)
SELECT model, version, plan, window_start, window_end, revision, evaluated_at, name, "check", metric, "column",
       segment, side, severity, verdict, reason, sentence, value, low, high, threshold, released_value, rows,
       comparisons, evaluation_id
FROM ranked WHERE place = 1
"""


def upgrade() -> None:
    op.execute("DROP VIEW latest_verdicts")
    op.add_column("verdicts", sa.Column("comparisons", sa.Integer(), nullable=False, server_default="0"))
    op.execute(LATEST_VERDICTS)
