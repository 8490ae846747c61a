"""The newest evaluation of each plan, which the verdicts in force are of.

Asked for by itself: PostgreSQL takes the plans it steps through for ten thousand, and within one statement it would
read every evaluation and every verdict for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, TextClause, bindparam, text

# The plans of each model are found by stepping through an index, not by reading every evaluation. Of the revisions of
# the newest window the newest stands; one that failed only where no other got to an answer.
_NEWEST = """
WITH RECURSIVE plans (model, plan) AS (
    SELECT name, (SELECT min(e.plan) FROM evaluations e WHERE e.model = models.name) FROM models {where}
    UNION ALL
    SELECT model, (SELECT min(e.plan) FROM evaluations e WHERE e.model = plans.model AND e.plan > plans.plan)
    FROM plans WHERE plan IS NOT NULL
)
SELECT (SELECT e.id FROM evaluations e WHERE e.model = plans.model AND e.plan = plans.plan AND e.state <> 'skipped'
        ORDER BY e.window_end DESC, e.state = 'done' DESC, e.revision DESC LIMIT 1) AS id
FROM plans WHERE plan IS NOT NULL
"""
_ALL: TextClause = text(_NEWEST.format(where=""))
_SOME: TextClause = text(_NEWEST.format(where="WHERE name IN :names")).bindparams(bindparam("names", expanding=True))


def newest_of_each_plan(connection: Connection, names: Sequence[str] | None = None) -> list[int]:
    """The ids of the evaluations that stand for the newest window of each plan; of all models, or of these."""
    found = connection.execute(_ALL) if names is None else connection.execute(_SOME, {"names": list(names)})
    return [row.id for row in found if row.id is not None]
