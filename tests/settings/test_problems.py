"""Each mistake is reported with its path, what is wrong and what would be right; all at once, and no secret ever."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.discovery import discover
from monitor.settings import Settings, SettingsError, load_settings

Load = Callable[..., Settings]
Problems = Callable[..., list[str]]
ACCURACY = "accuracy = { min = 0.728 }"
A_DURATION = "write a number with its unit, such as '90s', '30m', '4h', '7d', '2w' or '1d 12h'"
RELATIVE = "paths are relative to the folder of config.toml"
METRICS = ", ".join(sorted(one.name for check in discover().values() for one in check.metrics if "binary" in one.tasks))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # a metric nobody measures
        ("accuracy =", "acuracy =", "models[0].release.acuracy: no check measures 'acuracy'; did you mean 'accuracy'?"),
        # ... and nothing is like it
        ("accuracy =", "width =", f"models[0].release.width: no check measures 'width'; known are {METRICS}"),
        # a metric of other tasks
        (
            "accuracy =",
            "rmse =",
            (
                "models[0].release.rmse: 'rmse' is measured of regression models, and this one is binary; "
                f"known are {METRICS}"
            ),
        ),
        # a missing key
        (
            'time = "timestamp"',
            "",
            (
                'models[0].predictions.time: is missing; add it: time = "timestamp" '
                "(the column that says when the prediction was made)"
            ),
        ),
        # an unknown key
        (
            'entity = "entity_id"\nscore',
            'entity = "entity_id"\nscores = 1\nscore',
            "models[0].predictions.scores: is not a key of [models.predictions]; did you mean 'score'?",
        ),
        # an unknown key of a model
        (
            'task = "binary"',
            'task = "binary"\nwidow = "7d"',
            "models[0].widow: is not a key of [[models]]; did you mean 'window'?",
        ),
        # the name a key has in Python is not the one it has in the file
        (
            ACCURACY,
            'accuracy = { min = 0.7, pending_for = "1d" }',
            "models[0].release.accuracy.pending_for: is not a key; write for",
        ),
        # an unknown table
        ("[[models]]", "[slak]\nx = 1\n[[models]]", "slak: is not a key of config.toml; did you mean 'slack'?"),
        # a wrong type
        ('version = "2013-04"', "version = 2013", "models[0].version: must be text, not 2013; write it in quotes"),
        # empty text
        ('name = "flight-delay"', 'name = ""', "models[0].name: must not be empty, not ''"),
        # a list without brackets
        (
            'segments = ["origin"]',
            'segments = "origin"',
            "models[0].predictions.segments: must be a list, not 'origin'; write it in brackets, such as [\"origin\"]",
        ),
        # columns that are neither one nor many
        (
            'id = "prediction_id"',
            "id = 3",
            (
                "models[0].predictions.id: must be the name of a column, or a list of names such as "
                '["customer", "day"], not 3'
            ),
        ),
        # a wrong choice
        (
            'task = "binary"',
            'task = "bniary"',
            (
                "models[0].task: must be one of 'binary', 'multiclass', 'regression' or 'ranking', not 'bniary'; "
                "did you mean 'binary'?"
            ),
        ),
        # a wrong choice in a threshold whose name needs quotes
        (
            '"drift.*" = { max = 0.2 }',
            '"drift.*" = { max = 0.2, severity = "loud" }',
            "models[0].release.\"drift.*\".severity: must be one of 'page' or 'warn', not 'loud'",
        ),
        # a number that is too large
        ("[[models]]", "[web]\nport = 70000\n[[models]]", "web.port: must be at most 65,535, not 70000"),
        # no duration
        (
            'task = "binary"',
            'task = "binary"\nwindow = "7 dayz"',
            f"models[0].window: must be a duration, not '7 dayz'; {A_DURATION}",
        ),
        # a number where a duration belongs
        (
            'task = "binary"',
            'task = "binary"\nwindow = 7',
            f"models[0].window: must be a duration, not 7; {A_DURATION}",
        ),
        # a window of nothing
        (
            'task = "binary"',
            'task = "binary"\nwindow = "0d"',
            "models[0].window: must be longer than nothing, not '0d'",
        ),
        # no size
        (
            "[[models]]",
            '[schedule]\nmemory = "2 gigs"\n[[models]]',
            "schedule.memory: must be a size, not '2 gigs'; write a number with its unit, such as '512MB' or '2GB'",
        ),
        # an impossible tick
        ("[[models]]", '[schedule]\ntick = "2h"\n[[models]]', "schedule.tick: must be between 0.1s and 1h, not '2h'"),
        # no time
        (
            "[[models]]",
            "[clock]\nstart = 5\n[[models]]",
            "clock.start: must be a time, not 5; write it as 2013-04-16T00:00:00Z (without a zone it is UTC)",
        ),
        # a clock that runs backwards
        (
            "[[models]]",
            "[clock]\nstart = 2014-01-01\nend = 2013-01-01\n[[models]]",
            "clock.end: must be later than start; swap them",
        ),
        # no time zone
        (
            'time = "timestamp"',
            'time = "timestamp"\ntimezone = "New York"',
            (
                "models[0].predictions.timezone: must be the name of a time zone, such as 'UTC' or 'America/New_York', "
                "not 'New York'"
            ),
        ),
        # no bound is not a number
        (
            ACCURACY,
            "accuracy = { min = nan }",
            (
                "models[0].release.accuracy.min: must be a number, or a duration such as '4h' where "
                "the metric is measured in "
                "seconds, not nan"
            ),
        ),
        # a duration for what is no time
        (
            ACCURACY,
            'accuracy = { min = "4h" }',
            (
                "models[0].release.accuracy.min: is a duration, and 'accuracy' is not measured in seconds; "
                "write a number without quotes"
            ),
        ),
        # a threshold that bounds nothing
        (
            ACCURACY,
            'accuracy = { severity = "warn" }',
            "models[0].release.accuracy: bounds nothing; add min or max, such as { min = 0.9 }",
        ),
        # a threshold nothing can hold
        (
            ACCURACY,
            "accuracy = { min = 0.9, max = 0.8 }",
            "models[0].release.accuracy: has a min above its max, so nothing can hold it; swap them",
        ),
        # one side twice
        (
            ACCURACY,
            "accuracy = { min = 0.9, min_of_release = 0.8 }",
            "models[0].release.accuracy: has both min and min_of_release; keep one of them",
        ),
        # relative to what the reference does not tell
        (
            "coverage = { min = 0.95 }",
            "coverage = { min_of_release = 0.95 }",
            (
                "models[0].release.coverage.min_of_release: is for metrics of outcomes; the "
                "reference tells no value of its own "
                "for this one; write min = with a number"
            ),
        ),
        # a column of a metric that has none
        (
            ACCURACY,
            '"accuracy.temp" = { min = 0.7 }',
            "models[0].release.\"accuracy.temp\": 'accuracy' is not measured of columns; write accuracy",
        ),
        # no column of a metric that has some
        (
            '"drift.*"',
            "drift",
            (
                "models[0].release.drift: 'drift' is measured of each column; write \"drift.*\" for "
                'all, or "drift.<column>" '
                "for one"
            ),
        ),
        # a column the model does not have
        (
            '"drift.*"',
            '"drift.tmep"',
            "models[0].release.\"drift.tmep\": the model has no column 'tmep'; did you mean 'temp'?",
        ),
        # a segment that is not measured
        (
            ACCURACY,
            'accuracy = { min = 0.7, segments = ["orign"] }',
            "models[0].release.accuracy.segments[0]: 'orign' is not among predictions.segments; did you mean 'origin'?",
        ),
        # a threshold of a segment that is not measured
        (
            ACCURACY,
            '"accuracy[orign=JFK]" = { min = 0.7 }',
            (
                "models[0].release.\"accuracy[orign=JFK]\": is about a segment of 'orign', which is not among "
                "predictions.segments; did you mean 'origin'?"
            ),
        ),
        (
            ACCURACY,
            '"accuracy[runway=04L]" = { min = 0.7 }',
            (
                "models[0].release.\"accuracy[runway=04L]\": is about a segment of 'runway', which is not among "
                "predictions.segments; known are origin"
            ),
        ),
        # a threshold of one segment that names segment columns, too
        (
            ACCURACY,
            '"accuracy[origin=JFK]" = { min = 0.7, segments = ["origin"] }',
            (
                'models[0].release."accuracy[origin=JFK]".segments: is about the segment origin=JFK alone; '
                "leave segments out here"
            ),
        ),
        # the column is forgotten, or is too many
        (
            '"drift.*"',
            '"drift[origin=JFK]"',
            (
                "models[0].release.\"drift[origin=JFK]\": 'drift' is measured of each column; "
                'write "drift.*[origin=JFK]" for all, or "drift.<column>[origin=JFK]" for one'
            ),
        ),
        (
            ACCURACY,
            '"accuracy.temp[origin=JFK]" = { min = 0.7 }',
            (
                "models[0].release.\"accuracy.temp[origin=JFK]\": 'accuracy' is not measured of columns; "
                "write accuracy[origin=JFK]"
            ),
        ),
        # the parts of a name in another order, or in part
        (
            '"drift.*"',
            '"drift[origin=JFK].temp"',
            (
                "models[0].release.\"drift[origin=JFK].temp\": no check measures 'drift[origin=JFK]'; "
                'write metric, column and segment in this order: "drift.temp[origin=JFK]"'
            ),
        ),
        (
            ACCURACY,
            '"accuracy[origin]" = { min = 0.7 }',
            (
                "models[0].release.\"accuracy[origin]\": no check measures 'accuracy[origin]'; "
                'write metric, column and segment in this order: "drift.temp[origin=JFK]"'
            ),
        ),
        # the table is missing that a metric needs
        (
            '[models.outcomes]\nsource = "outcomes.parquet"\nvalue = "y_true"',
            "",
            "models[0].release.accuracy: 'accuracy' needs outcomes; add [models.outcomes] with source and value",
        ),
        (
            '[models.population]\nsource = "schedule.parquet"\nentity = "entity_id"',
            "",
            (
                "models[0].release.coverage: 'coverage' needs the population the model is meant to serve; "
                "add [models.population] with source and entity"
            ),
        ),
        # outcomes that cannot find their predictions
        (
            'value = "y_true"',
            'value = "y_true"\nid = ["a", "b"]',
            (
                "models[0].outcomes.id: must name as many columns as predictions.id, which names 1, not 2; "
                "write them in the same order"
            ),
        ),
        # one pair of brackets too few
        (
            "[[models.checks]]",
            "[models.checks]",
            "models[0].checks: must be a list of tables; write [[models.checks]] above each",
        ),
        # a population nobody can be found in
        (
            'entity = "entity_id"\nscore',
            "score",
            (
                "models[0].predictions.entity: is missing, and [models.population] needs it to tell "
                "who got a prediction; "
                'add entity = "customer_id"'
            ),
        ),
        # no such file
        (
            '"predictions.parquet"',
            '"prediction.parquet"',
            f"models[0].predictions.source: there is no file 'prediction.parquet'; {RELATIVE}",
        ),
        # no such files
        (
            '"predictions.parquet"',
            '"logs/*.parquet"',
            f"models[0].predictions.source: no file matches 'logs/*.parquet'; {RELATIVE}",
        ),
        # a folder
        (
            '"predictions.parquet"',
            '"."',
            "models[0].predictions.source: '.' is a folder; name its files with a glob, such as 'folder/*.parquet'",
        ),
        # a database, and nothing to read from it
        (
            '"predictions.parquet"',
            '"postgresql://u:canary@db/x"',
            (
                "models[0].predictions.source: is a database, and nothing says what to read from it; "
                "add table = or query ="
            ),
        ),
        # too much to read from it
        (
            '"predictions.parquet"',
            '"postgresql://db/x"\ntable = "p"\nquery = "select 1"',
            "models[0].predictions.source: has both table and query; keep one of them",
        ),
        # a file has no tables
        (
            '"predictions.parquet"',
            '"predictions.parquet"\ntable = "p"',
            "models[0].predictions.table: is for databases, and the source is a file; leave it out",
        ),
        # buckets that do not begin at midnight
        (
            'task = "binary"',
            'task = "binary"\nbucket = "7h"',
            (
                "models[0].bucket: must divide a day or be whole days, so that buckets begin at midnight UTC; "
                "write '1h', '6h', '1d' or '7d'"
            ),
        ),
        # a window that is not whole buckets
        (
            'task = "binary"',
            'task = "binary"\nwindow = "36h"',
            (
                "models[0].window: must be whole buckets of '1d', not '36h'; write a multiple of it, or "
                "make the bucket smaller"
            ),
        ),
        # a threshold's window that is not whole buckets
        (
            ACCURACY,
            'accuracy = { min = 0.7, every = "6h" }',
            (
                "models[0].release.accuracy.every: must be whole buckets of '1d', not '6h'; "
                "write a multiple of it, or make the bucket smaller"
            ),
        ),
        # an alert that would end where it fires
        (
            ACCURACY,
            "accuracy = { min = 0.728, clear = 0.7 }",
            (
                "models[0].release.accuracy.clear: is below the min, so the value would breach where it counts as held "
                "again; write 0.728 or above"
            ),
        ),
        (
            ACCURACY,
            "accuracy = { max_of_release = 1.1, clear = 1.2 }",
            (
                "models[0].release.accuracy.clear: is above the max_of_release, so the value would breach where it "
                "counts as held again; write 1.1 or below"
            ),
        ),
        # ... or that would end at one of two bounds
        (
            ACCURACY,
            "accuracy = { min = 0.7, max = 0.9, clear = 0.8 }",
            (
                "models[0].release.accuracy.clear: says where one bound counts as held again, and there are a min and "
                "a max; keep one of them, or leave clear out"
            ),
        ),
        # ... or after a while, of what is no time
        (
            ACCURACY,
            'accuracy = { min = 0.7, clear = "4h" }',
            (
                "models[0].release.accuracy.clear: is a duration, and 'accuracy' is not measured in seconds; "
                "write a number without quotes"
            ),
        ),
        # an unknown check
        (
            'check = "drift"',
            'check = "drfit"',
            "models[0].checks[0].check: there is no check 'drfit'; did you mean 'drift'?",
        ),
        # an unknown parameter
        (
            'check = "drift"',
            'check = "accuracy"\nconfidense = 0.9',
            "models[0].checks[0].confidense: is not a parameter of this check; did you mean 'confidence'?",
        ),
        # a parameter out of range
        (
            'check = "drift"',
            'check = "accuracy"\nconfidence = 2',
            "models[0].checks[0].confidence: must be less than 1, not 2",
        ),
        # one check twice
        (
            'check = "drift"',
            'check = "drift"\n[[models.checks]]\ncheck = "drift"\nwindow = "1w"',
            (
                "models[0].checks[1]: measures the same as models[0].checks[0] over the same window; "
                "keep one of them, or give this one another window"
            ),
        ),
        # a token, and nowhere to write
        (
            "[[models]]",
            '[slack]\ntoken = "xoxb-canary"\n[[models]]',
            'slack.channel: is missing, and slack.token is set; add channel = "#model-alerts"',
        ),
        # a history that cannot be kept
        (
            "[[models]]",
            '[history]\nurl = "mysql://u:canary@h/x"\n[[models]]',
            (
                "history.url: must be the URL of an SQLite or PostgreSQL database; "
                "such as sqlite:///data/history.db or postgresql://user:password@host/name"
            ),
        ),
        # nothing is said of what is predicted
        (
            'score = "y_pred_proba"\nprediction = "y_pred"',
            "",
            (
                "models[0].predictions: says nothing of what the model predicts, and a binary model "
                "predicts a class or a "
                'score; add prediction = "y_pred" or score = "..."'
            ),
        ),
        # a secret that is not set
        (
            '"predictions.parquet"',
            '"${FOLDER}/p.parquet"',
            (
                "models[0].predictions.source: ${FOLDER} is not set; set the variable FOLDER, or put it into the file "
                "secrets/FOLDER"
            ),
        ),
        # a secret that is not closed
        (
            '"predictions.parquet"',
            '"${FOLDER/p.parquet"',
            "models[0].predictions.source: holds '${' that is not ${NAME}; write $${ where the text itself has ${",
        ),
    ],
)
def test_a_mistake_is_reported_with_what_would_be_right(problems: Problems, old: str, new: str, expected: str) -> None:
    assert problems((old, new)) == [expected]


def test_a_threshold_of_a_segment_says_how_to_measure_segments(problems: Problems) -> None:
    (line,) = problems(('segments = ["origin"]', ""), (ACCURACY, '"accuracy[origin=JFK]" = { min = 0.7 }'))
    assert line.endswith(
        "is about a segment of 'origin', which is not among predictions.segments; "
        'set predictions.segments = ["origin"]'
    )


@pytest.mark.parametrize("name", [".", "..", "/flights", "flights/", "a//b"])
def test_a_name_that_no_address_can_hold_is_refused(problems: Problems, name: str) -> None:
    (line,) = problems(('name = "flight-delay"', f'name = "{name}"'))
    wanted = "models[0].name: must be a name with a page of its own: neither '.' nor '..', no '/' at an end and no '//'"
    assert line == f"{wanted}, not '{name}'"


def test_two_models_of_one_name_are_refused(problems: Problems, right: str) -> None:
    (line,) = problems(added=right)
    assert line == "models[1].name: is the name of models[0] already; give each model a name of its own"


RANKING = """
[[models]]
name = "shop"
version = "1"
task = "ranking"

[models.predictions]
source = "predictions.parquet"
id = "id"
time = "at"
request = "request_id"
item = "item_id"
position = "position"

[models.outcomes]
source = "outcomes.parquet"
value = "clicked"

[models.release]
ndcg = { min = 0.3 }
"""


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'request = "request_id"\n',
            "",
            (
                "models[0].predictions.request: is missing, and a ranking model needs it to tell which rows are one "
                'list; add request = "request_id"'
            ),
        ),
        (
            'item = "item_id"\n',
            "",
            (
                "models[0].predictions.item: is missing, and a ranking model needs it to tell what is recommended; "
                'add item = "item_id"'
            ),
        ),
        (
            'position = "position"\n',
            "",
            (
                "models[0].predictions: says nothing of the order of the items, and a ranking model ranks them; "
                'add position = "position" or score = "..."'
            ),
        ),
        (
            'position = "position"\n',
            'score = ["a", "b"]\n',
            (
                "models[0].predictions: says nothing of the order of the items, and a ranking model ranks them; "
                'add position = "position" or score = "..."'
            ),
        ),
        (
            "ndcg = { min = 0.3 }",
            "catalogue_coverage = { min = 0.3 }",
            (
                "models[0].release.catalogue_coverage: 'catalogue_coverage' needs the catalogue of items; "
                "add [models.catalogue] with source and item"
            ),
        ),
    ],
)
def test_a_ranking_must_say_what_its_lists_are(problems: Problems, old: str, new: str, expected: str) -> None:
    assert problems((old, new), text=RANKING) == [expected]


@pytest.mark.parametrize("order", ['position = "rank"', 'score = "score"', 'prediction = "score"'])
def test_a_ranking_is_ordered_by_position_score_or_prediction(load: Load, order: str) -> None:
    assert load(('position = "position"', order), text=RANKING).models[0].task == "ranking"


@pytest.mark.parametrize("text", ["", "models = []"])
def test_settings_without_a_model_are_refused(problems: Problems, text: str) -> None:
    (line,) = problems(text=text)
    assert line in {
        "models: is missing; add it: a table [[models]] for each model under watch",
        "models: there is no model to watch; add a table [[models]]",
    }


def test_a_model_that_promises_nothing_is_refused(problems: Problems, right: str) -> None:
    (line,) = problems(text=right.partition("[models.release]")[0])
    assert line == "models[0]: promises nothing and measures nothing; add [models.release] with a threshold"


def test_a_bound_relative_to_no_reference_is_refused(problems: Problems, right: str) -> None:
    text = right.replace('[models.reference]\nsource = "reference.parquet"', "").partition('"drift.*"')[0]
    (line,) = problems(("{ min = 0.728 }", "{ min_of_release = 0.9 }"), text=text)
    assert line == (
        "models[0].release.accuracy.min_of_release: needs the reference rows of the release; "
        "add [models.reference] with source"
    )


def test_every_problem_is_reported_at_once(problems: Problems) -> None:
    found = problems(
        ('task = "binary"', 'task = "bniary"\nbucket = "5h"'),
        ('time = "timestamp"', ""),
        ('"outcomes.parquet"', '"gone.parquet"'),
        ("accuracy =", "acuracy ="),
        ('check = "drift"', 'check = "drfit"\nevery = "soon"'),
        added="[web]\nprt = 1\n[clock]\nstart = 2014-01-01\nend = 2013-01-01",
        environ={"MONITOR_WEB__PORT": "x", "MONITOR_WEBB__PORT": "1"},
    )
    assert [line.partition(": ")[0] for line in found] == [
        "MONITOR_WEBB__PORT",
        "models[0].task",
        "models[0].predictions.time",
        "models[0].checks[0].every",
        "MONITOR_WEB__PORT",
        "web.prt",
        "models[0].outcomes.source",
        "models[0].bucket",
        "models[0].release.acuracy",
        "models[0].checks[0].check",
        "clock.end",
    ]


def test_what_follows_from_a_broken_value_is_not_said_too(problems: Problems) -> None:
    # without a task nothing is said of metrics that are not measured of it; without outcomes nothing of what needs them
    assert [
        line.partition(":")[0] for line in problems(('task = "binary"', 'task = "x"'), ("accuracy =", "rmse ="))
    ] == ["models[0].task"]
    broken = problems(
        ('[models.outcomes]\nsource = "outcomes.parquet"\nvalue = "y_true"', ""), ("task =", "outcomes = 3\ntask =")
    )
    assert broken == ["models[0].outcomes: must be a table, not 3"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        # one thing that is no table
        ("models = 3", ["models"]),
        ('models = ["x"]', ["models[0]"]),
        (
            "[[models]]\n",
            ["models[0].name", "models[0].version", "models[0].task", "models[0].predictions", "models[0]"],
        ),
        # lists and tables where others belong
        ("web = 3\nslack = []\nclock = 1\nmodels = []", ["slack", "web", "clock", "models"]),
        ("_env_file = 1\nself = 2\nmodels = []", ["_env_file", "self", "models"]),
    ],
)
def test_shapes_that_are_wrong_altogether_are_survived(problems: Problems, text: str, paths: list[str]) -> None:
    assert [line.partition(":")[0] for line in problems(text=text)] == paths


JUNK = ["3", "-1.5", "nan", "true", '""', '"x"', '"${"', "[]", "[3]", "{}", "{ a = 1 }", "[{ a = [1] }]", "1979-05-27"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_written_only_settings_errors_come_of_it(folder: Path, right: str, data: st.DataObject) -> None:
    lines = right.splitlines()
    places = [number for number, line in enumerate(lines) if " = " in line]
    for number in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=3, unique=True)):
        lines[number] = f"{lines[number].partition(' = ')[0]} = {data.draw(st.sampled_from(JUNK))}"
    (folder / "config.toml").write_text("\n".join(lines))
    with contextlib.suppress(SettingsError):
        load_settings(folder / "config.toml", {}, folder)


CANARY = "hunter2-canary"
"""A secret that no message may hold."""


@pytest.mark.parametrize(
    "changes",
    [
        # as a password in the file, with nothing to read
        [('"predictions.parquet"', f'"postgresql://u:{CANARY}@db/x"')],
        # as a password put in, with too much to read
        [('"predictions.parquet"', '"postgresql://u:${SECRET}@db/x"\ntable = "a"\nquery = "b"')],
        # with a slash in it, in a URL that is none
        [('"predictions.parquet"', f'"postgresql//u:{CANARY}@db/x"')],
        # as a path
        [('"predictions.parquet"', '"${SECRET}/p.parquet"')],
        # as a glob
        [('"predictions.parquet"', '"${SECRET}/*.parquet"')],
        # in places where it does not belong
        [('task = "binary"', 'task = "${SECRET}"')],
        [('task = "binary"', 'task = "binary"\nwindow = "${SECRET}"')],
        [('segments = ["origin"]', 'segments = "${SECRET}"')],
        [("{ min = 0.728 }", '{ min = "${SECRET}" }')],
        [("{ min = 0.728 }", '{ min = 0.7, segments = ["${SECRET}"] }')],
        [("{ min = 0.728 }", '{ min = 0.7, severity = "${SECRET}" }')],
        [('check = "drift"', 'check = "${SECRET}"')],
        [('check = "drift"', 'check = "accuracy"\nconfidence = "${SECRET}"')],
        [('time = "timestamp"', 'time = "t"\ntimezone = "${SECRET}"')],
        # as a token
        [("[[models]]", f'[slack]\ntoken = "{CANARY}"\n[[models]]')],
        [("[[models]]", f'[slack]\ntoken = ["{CANARY}"]\n[[models]]')],
        [("[[models]]", f'[slack]\ntokn = "{CANARY}"\n[[models]]')],
        # as the history's URL
        [("[[models]]", f'[history]\nurl = "mysql://u:{CANARY}@h"\n[[models]]')],
        [("[[models]]", f'[history]\nurl = {{ a = "{CANARY}" }}\n[[models]]')],
        # in what is no TOML
        [("[[models]]", f"[slack]\ntoken = {CANARY}\n[[models]]")],
    ],
)
def test_no_message_holds_a_secret(problems: Problems, changes: list[tuple[str, str]]) -> None:
    lines = problems(*changes, environ={"SECRET": CANARY})
    assert lines
    assert CANARY not in "\n".join(lines)


@pytest.mark.parametrize(
    "name", ["MONITOR_WEB__PORT", "MONITOR_CLOCK__START", "MONITOR_HISTORY__URL", "MONITOR_SLAK__TOKEN"]
)
def test_no_message_holds_the_value_of_a_variable(load: Load, name: str) -> None:
    with pytest.raises(SettingsError) as found:
        load(environ={name: CANARY, "MONITOR_HISTORY__KEEP": CANARY})
    assert CANARY not in str(found.value)
    assert found.value.__cause__ is None
    assert found.value.__suppress_context__ or found.value.__context__ is None


def test_settings_do_not_show_their_secrets(load: Load) -> None:
    settings = load(
        ('"predictions.parquet"', f'"postgresql://u:{CANARY}@db/x"\ntable = "t"'),
        environ={"MONITOR_SLACK__TOKEN": CANARY, "MONITOR_SLACK__CHANNEL": "#x"},
    )
    assert CANARY not in f"{settings!r} {settings}"


def test_a_secret_file_that_is_not_text_is_reported(problems: Problems, folder: Path) -> None:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "KEY").write_bytes(b"\xff\xfe")
    assert problems() == ["secrets/KEY: is not UTF-8 text; save it as UTF-8"]


def test_problems_have_their_parts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as found:
        load_settings(tmp_path / "x.toml", {}, tmp_path)
    (problem,) = found.value.problems
    assert (problem.path, problem.what) == (str(tmp_path / "x.toml"), "there is no such file")
    assert problem.instead == "name the settings file with --config"


TRAININGS = '[models.trainings]\nsource = "{}"\n'
KPI = '[[models.checks]]\ncheck = "business_kpi"\n'
REVENUE = KPI + 'name = "revenue"\ncolumn = "temp"\n'


@pytest.mark.parametrize(
    ("release", "added", "expected"),
    [
        # what is told of no rows takes no least rows
        (
            "volume = { min = 5, min_rows = 9 }",
            "",
            "models[0].release.volume.min_rows: 'volume' is told however few rows there are; leave it out",
        ),
        # outcomes without a time
        (
            'outcome_age = { max = "1d" }',
            "",
            (
                "models[0].release.outcome_age: 'outcome_age' needs to know when outcomes became known; "
                'add time = "..." to [models.outcomes]'
            ),
        ),
        # trainings are needed
        (
            'training_time = { max = "4h" }',
            "",
            (
                "models[0].release.training_time: 'training_time' needs the trainings of the model; "
                "add [models.trainings] with source"
            ),
        ),
        # a KPI nobody says what it is, or only of another name
        (
            '"kpi.income" = { min = 1 }',
            "",
            (
                "models[0].release.\"kpi.income\": no [[models.checks]] says what 'kpi.income' is; "
                'add [[models.checks]] with check = "business_kpi" and its parameters'
            ),
        ),
        (
            '"kpi.income" = { min = 1 }',
            REVENUE,
            (
                "models[0].release.\"kpi.income\": no [[models.checks]] says what 'kpi.income' is; "
                'add [[models.checks]] with check = "business_kpi" and its parameters'
            ),
        ),
        # a cost without prices
        (
            "error_cost = { max = 9 }",
            "",
            (
                "models[0].release.error_cost: no [[models.checks]] says what 'error_cost' is; "
                'add [[models.checks]] with check = "error_cost" and its parameters'
            ),
        ),
        # a check that measures nothing
        (
            "",
            '[[models.checks]]\ncheck = "error_cost"\n',
            (
                "models[0].checks[1]: the check 'error_cost' measures nothing as it is; "
                "say what to measure; its parameters are costs, confidence"
            ),
        ),
        # the same KPI twice
        (
            "",
            REVENUE + REVENUE,
            (
                "models[0].checks[2]: measures the same as models[0].checks[1] over the same window; "
                "keep one of them, or give this one another window"
            ),
        ),
        # a server without its experiment, an experiment without its server
        (
            "",
            TRAININGS.format("https://mlflow.example.org"),
            (
                "models[0].trainings.source: is neither a file nor an MLflow tracking server whose "
                "experiment is named; "
                'add experiment = "..."'
            ),
        ),
        (
            "",
            TRAININGS.format("predictions.parquet") + 'experiment = "x"\n',
            (
                "models[0].trainings.experiment: is for an MLflow tracking server, and the source is none; "
                'leave it out, or write source = "https://..."'
            ),
        ),
    ],
)
def test_what_the_new_checks_need_is_reported(problems: Problems, release: str, added: str, expected: str) -> None:
    assert problems((ACCURACY, f"{ACCURACY}\n{release}"), added=added) == [expected]


def test_kpis_of_different_names_are_no_repetition(load: Load) -> None:
    other = KPI + 'name = "rate"\nsql = "avg(y_pred)"\n'
    trainings = TRAININGS.format("https://mlflow.example.org/runs.csv")
    bounds = '"kpi.revenue" = { min = 1 }\n"kpi.rate" = { max = 1 }\n"kpi_change.*" = { min = 0.5 }'
    loaded = load((ACCURACY, f"{ACCURACY}\n{bounds}"), added=REVENUE + other + trainings)
    assert [check.check for check in loaded.models[0].checks] == ["drift", "business_kpi", "business_kpi"]


HOOK = '[[webhooks]]\nname = "{}"\nurl = "https://example.org/x"\n'


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        # a route without a token
        (
            '[[slack.routes]]\nchannel = "#growth"\n',
            (
                "slack.routes[0].channel: is a channel of Slack, and slack.token is missing; "
                'add token = "${SLACK_BOT_TOKEN}" to [slack]'
            ),
        ),
        # a second channel without a token
        (
            '[[alerts.escalation]]\nafter = "1h"\nchannel = "#leads"\n',
            (
                "alerts.escalation[0].channel: is a channel of Slack, and slack.token is missing; "
                'add token = "${SLACK_BOT_TOKEN}" to [slack]'
            ),
        ),
        # two webhooks of one name
        (
            HOOK.format("pager") + HOOK.format("pager"),
            "webhooks[1].name: is the name of webhooks[0] already; give each a name of its own",
        ),
        # two Alertmanagers without names
        (
            '[[alertmanagers]]\nurl = "http://one:9093"\n[[alertmanagers]]\nurl = "http://other:9093"\n',
            "alertmanagers[1].name: is the name of alertmanagers[0] already; give each a name of its own",
        ),
        # addresses of another kind, without a host, with a port that is none
        (
            f'[[webhooks]]\nname = "pager"\nurl = "ftp://{CANARY}/x"\n',
            "webhooks[0].url: is no address on the web; write it in full: https://host/path",
        ),
        (
            '[[alertmanagers]]\nurl = "alertmanager:9093"\n',
            "alertmanagers[0].url: is no address on the web; write it in full: https://host/path",
        ),
        (
            '[alerts]\nheartbeat = "https:///x"\n',
            "alerts.heartbeat: is no address on the web; write it in full: https://host/path",
        ),
        (
            '[web]\nurl = "https://monitor:x"\n',
            "web.url: is no address on the web; write it in full: https://host/path",
        ),
        # secrets that sign nothing: without the prefix, no base64, too short
        *(
            (
                HOOK.format("pager") + f'secret = "{secret}"\n',
                (
                    "webhooks[0].secret: must be whsec_ and the base64 of 24 to 64 random bytes; "
                    'such as the output of: echo "whsec_$(openssl rand -base64 32)"'
                ),
            )
            for secret in (CANARY, f"whsec_{CANARY}!", "whsec_c2hvcnQ=")
        ),
    ],
)
def test_who_cannot_be_told_is_reported(problems: Problems, added: str, expected: str) -> None:
    assert problems(added=added) == [expected]


def test_what_is_told_where_may_be_said_in_full(load: Load) -> None:
    slack = '[slack]\ntoken = "xoxb-1"\nchannel = "#alerts"\n[[slack.routes]]\nchannel = "#growth"\n'
    hook = HOOK.format("pager") + 'secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\n'
    managers = '[[alertmanagers]]\nurl = "http://one:9093"\n[[alertmanagers]]\nname = "other"\nurl = "http://two"\n'
    loaded = load(added=slack + hook + managers)
    assert [route.channel for route in loaded.slack.routes] == ["#growth"]
    assert [each.name for each in loaded.alertmanagers] == ["alertmanager", "other"]


TOKEN = '[[web.tokens]]\nname = "{}"\nsecret = "{}"\n'


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        # a header that counts from nobody
        (
            '[web]\nproxy_header = "X-Forwarded-User"\n',
            (
                "web.trusted_proxies: is missing, and web.proxy_header counts from trusted proxies only; "
                'add trusted_proxies = ["10.0.0.7"]'
            ),
        ),
        # proxies that say nothing
        (
            '[web]\ntrusted_proxies = ["10.0.0.7"]\n',
            (
                "web.proxy_header: is missing, and web.trusted_proxies say in it who asks; "
                'add proxy_header = "X-Forwarded-User"'
            ),
        ),
        # a network that is none
        (
            '[web]\nproxy_header = "X-Forwarded-User"\ntrusted_proxies = ["10.0.0.7/8"]\n',
            (
                "web.trusted_proxies[0]: must be an address or a network, such as '10.0.0.7' or '10.0.0.0/8', "
                "not '10.0.0.7/8'"
            ),
        ),
        # a header that is none
        (
            '[web]\nproxy_header = "X User"\ntrusted_proxies = ["10.0.0.7"]\n',
            "web.proxy_header: must be the name of a header, such as 'X-Forwarded-User', not 'X User'",
        ),
        # a secret that can be guessed
        (
            TOKEN.format("oncall", CANARY[:19]),
            (
                "web.tokens[0].secret: can be guessed: it has fewer than 20 characters; "
                "take the output of: openssl rand -base64 32"
            ),
        ),
        # two tokens of one name
        (
            TOKEN.format("oncall", "a" * 20) + TOKEN.format("oncall", "b" * 20),
            "web.tokens[1].name: is the name of web.tokens[0] already; give each token a name of its own",
        ),
        # two people with one secret
        (
            TOKEN.format("anna", "a" * 20) + TOKEN.format("oncall", "a" * 20),
            "web.tokens[1].secret: is the secret of web.tokens[0] already; give each token a secret of its own",
        ),
    ],
)
def test_who_cannot_be_told_apart_is_reported(problems: Problems, added: str, expected: str) -> None:
    assert problems(added=added) == [expected]
