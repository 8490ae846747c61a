"""The API is what it says it is: schemathesis asks whatever its description allows, and much that it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from monitor.history.engine import open_engine
from monitor.history.migrations import migrate
from tests.conftest import a_database
from tests.web.filled import fill
from tests.web.serving import serve

EXAMPLES = 25


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def described(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The description of a running API over a history with hostile names, once on each database."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"
        if request.param == "postgresql":
            url = stack.enter_context(a_database(request.getfixturevalue("postgres")))
        engine = open_engine(url)
        migrate(engine)
        fill(engine)
        server = serve(engine)
        yield schemathesis.openapi.from_url(f"http://127.0.0.1:{server.port}/api/v1/openapi.json")
        server.stop()
        engine.dispose()


@schemathesis.hook
def filter_query(_context: HookContext, query: Any) -> bool:
    """A cursor is what a page gave; test_api.py hands on real ones, and broken ones."""
    return not query or "cursor" not in query


# schemathesis' own pytest fixtures reach into pytest and fail in pytest 9, so each operation is asked by hand.
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
def test_the_api_is_what_it_says(described: BaseSchema, mode: GenerationMode) -> None:
    asked = []
    for result in described.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @given(operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        def holds(case: Case[Any]) -> None:
            # Whether words make a silence, and whether there is what it mutes, no schema can say.
            case.call_and_validate(excluded_checks=None if case.method == "GET" else [positive_data_acceptance])

        try:
            holds()
        except Unsatisfiable:
            continue  # of a question without parameters, or with a name that may be anything, nothing can be wrong
        asked.append(operation.label)
    assert len(asked) >= 12, asked
