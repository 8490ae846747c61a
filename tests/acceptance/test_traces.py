"""Traces of a running daemon, sent to a collector of our own on loopback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.world import World, eventually


class Collector:
    """Takes spans as OTLP over HTTP."""

    def __init__(self, port: int) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                sent = ExportTraceServiceRequest.FromString(body)
                for resource in sent.resource_spans:
                    named = {each.key: each.value.string_value for each in resource.resource.attributes}
                    collector.services.add(named["service.name"])
                    for scope in resource.scope_spans:
                        collector.spans += scope.spans
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}"

    def named(self, name: str) -> list[Span]:
        return [span for span in tuple(self.spans) if span.name == name]


@pytest.fixture
def collector(free_port: Callable[[], int]) -> Iterator[Collector]:
    made = Collector(free_port())
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def kinds_in(collector: Collector, parents: Collection[bytes]) -> set[str]:
    """The checks that are parts of these spans."""
    mine = [check for check in collector.named("check") if check.parent_span_id in parents]
    return {each.value.string_value for check in mine for each in check.attributes if each.key == "check"}


def test_evaluations_checks_and_deliveries_are_spans(world: World, collector: Collector) -> None:
    daemon = world.start(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="500")
    eventually(lambda: collector.named("delivery"), what="an incident is told", within=120)
    eventually(lambda: collector.named("report"), what="the report on it is made", within=120)
    daemon.terminate()
    daemon.wait(15)

    evaluations = {span.span_id: span for span in collector.named("evaluation")}
    assert evaluations
    attributes = {each.key: each.value.string_value for each in next(iter(evaluations.values())).attributes}
    assert set(attributes) == {"model", "plan", "window_end", "why"}
    assert kinds_in(collector, evaluations) == {"accuracy", "coverage"}
    [report] = collector.named("report")
    assert kinds_in(collector, {report.span_id}) == {"evidently"}
    parents = {check.parent_span_id for check in collector.named("check")}
    assert parents <= {*evaluations, report.span_id}, "a check is a part of an evaluation or of the report"
    told = {each.key: each.value.string_value for each in collector.named("delivery")[0].attributes}
    assert (told["receiver"], told["result"]) == ("console", "sent")
    assert collector.services == {"model-monitor"}
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in collector.spans)


def test_a_daemon_without_an_endpoint_knows_nothing_of_traces() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from monitor import traces; traces.start({});\n"
        "with traces.span('x', a=1): traces.note(error='oh')\n"
        "traces.finish(); assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
