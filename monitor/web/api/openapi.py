"""The API's own description: OpenAPI 3.1 at /api/v1/openapi.json, made from the handlers themselves."""

from __future__ import annotations

from copy import deepcopy
from importlib.metadata import version
from typing import Any

from litestar import Request
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

from monitor.web.api.form import MEDIA_TYPES
from monitor.web.problem import MEDIA_TYPE, body_of

INTRODUCTION = """The questions of `model-monitor`'s commands, answered with the same words.

Lists are `{"rows": [...], "next": ...}`, most of them newest first: hand `next` back as `cursor` until it
is null. `format=csv`, or `Accept: text/csv`, makes any list a table; measurements come as Arrow and Parquet, too.
Answers carry an ETag. What goes wrong is a problem (RFC 9457) whose `detail` says what to do.
"""
TAGS = {
    "models": "Which models there are, and how they stand.",
    "measurements": "What was measured, and the verdicts on it.",
    "evaluations": "What ran, and what it left.",
    "incidents": "What fell below its threshold, and who was told.",
    "silences": "What is muted on purpose.",
}
PROBLEM = {
    "description": "What went wrong, and what to do about it.",
    "content": {
        MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": body_of(404, "There is no incident 7, or it is kept no more; /api/v1/incidents lists them."),
        }
    },
}
PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
BINARY = {"schema": {"type": "string", "format": "binary"}}


def description() -> OpenAPIConfig:
    """What Litestar needs to write it."""
    return OpenAPIConfig(
        title="model-monitor",
        version=version("model-monitor"),
        description=INTRODUCTION,
        path="/api/v1/openapi.json",
        render_plugins=[_Description(path="/")],
        tags=[Tag(name=name, description=words) for name, words in TAGS.items()],
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        security=[{}, {"token": []}],
        use_handler_docstrings=True,
    )


class _Description(JsonRenderPlugin):
    """Adds what Litestar cannot see in a handler: the other forms of an answer, and the form of every problem."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, complete(openapi_schema))


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The description with problems, and with the forms that ``format`` lets choose from."""
    found = deepcopy(schema)
    found["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
    for path in found["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            responses.pop("400", None)  # Litestar's own idea of what it says about a wrong parameter
            responses["default"] = PROBLEM
            if operation["operationId"] == "artifact":
                responses["200"]["content"] = {"*/*": BINARY}
            for form in _forms(operation):
                responses["200"]["content"].setdefault(MEDIA_TYPES[form], BINARY)
    return found


def _forms(operation: dict[str, Any]) -> list[str]:
    """What the parameter ``format`` may be."""
    asked = [each["schema"] for each in operation.get("parameters", ()) if each["name"] == "format"]
    choices = [choice for schema in asked for choice in schema.get("oneOf", [schema])]
    return [form for choice in choices for form in choice.get("enum", ()) if form in MEDIA_TYPES]
