"""Spans, as a collector gets them. What it takes for OTLP is decided by OpenTelemetry's own messages."""

import base64
import http.server
import json
import threading
import unittest
from urllib.parse import urlsplit

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from support import DEADLINE, Daemon

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SECRET = "collector-s3cret"
PROMPT = "a very private question"


def parsed(body):
    """The request of a collector's client; OTLP's JSON differs from protobuf's in its identifiers, which are hexadecimal."""
    document = json.loads(body)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(document, ExportTraceServiceRequest())


def value_of(attribute):
    kind = attribute.value.WhichOneof("value")
    if kind == "array_value":
        return [one.string_value for one in attribute.value.array_value.values]
    return getattr(attribute.value, kind)


def attributes(span):
    return {attribute.key: value_of(attribute) for attribute in span.attributes}


class Collector(http.server.ThreadingHTTPServer):
    """A collector, and beside it an engine that speaks OpenAI's API."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.came = threading.Condition()
        self.spans, self.bodies, self.headers, self.asked = [], [], [], []
        self.resources = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, headers, body):
        with self.came:
            for resource in parsed(body).resource_spans:
                self.resources.append(resource.resource)
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
            self.headers.append(headers)
            self.bodies.append(body.decode())
            self.came.notify_all()

    def trace_of(self, wanted):
        """All spans of the trace in which `wanted` holds for one; waits for it."""

        def found():
            return next((span for span in self.spans if wanted(span)), None)

        with self.came:
            if not self.came.wait_for(found, DEADLINE):
                raise TimeoutError([span.name for span in self.spans])
            return [span for span in self.spans if span.trace_id == found().trace_id]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({"data": [{"id": "far", "object": "model"}]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if urlsplit(self.path).path == "/v1/traces":
            self.server.take(self.headers, body)
            return self.reply({})
        self.server.asked.append(self.headers)
        message = {"role": "assistant", "content": "from afar"}
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        choice = {"index": 0, "message": message, "finish_reason": "length"}
        self.reply({"id": "c", "object": "chat.completion", "created": 1, "model": "far", "choices": [choice], "usage": usage})

    def reply(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def setUpModule():
    global collector, daemon
    collector = Collector()
    unittest.addModuleCleanup(collector.shutdown)
    daemon = Daemon()
    daemon.environment |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={SECRET}",
        "OTEL_SERVICE_NAME": "puna-under-test",
    }
    daemon.__enter__()
    unittest.addModuleCleanup(daemon.__exit__)
    daemon.add_tiny_model("tiny")


def chat(model="tiny", headers=None, **more):
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], "temperature": 0, "max_tokens": 6, **more}
    return daemon.http.post("/v1/chat/completions", json=body, headers=headers or {})


def named(name):
    return lambda span: span.name == name


class Spans(unittest.TestCase):
    def test_of_a_chat_stand_below_its_client_and_tell_where_the_time_went(self):
        daemon.command("stop", "tiny")  # so that it is loaded for this one
        answer = chat(stream=True, headers={"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-Id": "mine-1"})
        self.assertEqual(answer.status_code, 200, answer.text)
        spans = collector.trace_of(lambda span: span.trace_id.hex() == TRACE and span.kind == Span.SPAN_KIND_SERVER)
        by_name = {span.name: span for span in spans}
        server, inference = by_name["POST /v1/chat/completions"], by_name["chat tiny:latest"]
        self.assertEqual(server.parent_span_id.hex(), CALLER)
        self.assertEqual(inference.parent_span_id, server.span_id)
        phases = [span for span in spans if span.parent_span_id == inference.span_id]
        self.assertLessEqual({"load", "prefill", "generate"}, {span.name for span in phases})
        for span in phases:
            self.assertLessEqual(inference.start_time_unix_nano, span.start_time_unix_nano)
            self.assertLessEqual(span.end_time_unix_nano, inference.end_time_unix_nano)
        self.assertLessEqual(server.start_time_unix_nano, inference.start_time_unix_nano)
        self.assertLessEqual(inference.end_time_unix_nano, server.end_time_unix_nano)
        self.assertEqual(attributes(server)["http.response.status_code"], 200)
        self.assertEqual(attributes(server)["puna.request.id"], "mine-1")
        told = attributes(inference)
        self.assertEqual(told["gen_ai.operation.name"], "chat")
        self.assertEqual(told["gen_ai.request.model"], "tiny")
        self.assertEqual(told["gen_ai.usage.output_tokens"], 6)
        self.assertGreater(told["gen_ai.usage.input_tokens"], 0)
        self.assertEqual(told["gen_ai.response.finish_reasons"], ["length"])

    def test_of_a_whole_answer_tell_prompt_and_answer_apart(self):
        asked = chat(max_tokens=8)
        self.assertEqual(asked.status_code, 200, asked.text)
        spans = collector.trace_of(lambda span: attributes(span).get("gen_ai.usage.output_tokens") == 8)
        self.assertLessEqual({"prefill", "generate"}, {span.name for span in spans})

    def test_of_a_refusal_name_its_kind(self):
        self.assertEqual(chat(model="no-such-model").status_code, 404)
        (span,) = collector.trace_of(lambda span: attributes(span).get("http.response.status_code") == 404)
        self.assertNotIn("no-such-model", str(span))
        long = [{"role": "user", "content": "llama " * 30000}]
        self.assertEqual(chat(messages=long).status_code, 400)
        spans = collector.trace_of(lambda span: attributes(span).get("http.response.status_code") == 400)
        refused = next(attributes(span) for span in spans if span.name == "chat tiny:latest")
        self.assertEqual(refused["puna.outcome"], "refused")
        self.assertIn("error.type", refused)

    def test_are_not_made_where_the_client_says_so(self):
        unseen = "11111111111111111111111111111111"
        chat(headers={"traceparent": f"00-{unseen}-{CALLER}-00"})
        chat(max_tokens=9)
        collector.trace_of(lambda span: attributes(span).get("gen_ai.usage.output_tokens") == 9)
        self.assertNotIn(unseen, "".join(collector.bodies))

    def test_go_on_in_another_engine(self):
        profile = {"name": "far", "settings": {"engine": "remote", "url": collector.url + "/v1"}}
        made = daemon.http.post("/api/v1/profiles", json=profile)
        self.assertEqual(made.status_code, 201, made.text)
        trace = "22222222222222222222222222222222"
        answer = chat("far", headers={"traceparent": f"00-{trace}-{CALLER}-01", "tracestate": "vendor=1"})
        self.assertEqual(answer.json()["choices"][0]["message"]["content"], "from afar")
        spans = collector.trace_of(lambda span: span.trace_id.hex() == trace and span.kind == Span.SPAN_KIND_SERVER)
        inference = next(span for span in spans if "gen_ai.operation.name" in attributes(span))
        sent = collector.asked[-1]
        self.assertEqual(sent["traceparent"], f"00-{trace}-{inference.span_id.hex()}-01")
        self.assertEqual(sent["tracestate"], "vendor=1")

    def test_say_whose_they_are_and_nothing_that_was_said(self):
        chat(max_tokens=10)
        collector.trace_of(lambda span: attributes(span).get("gen_ai.usage.output_tokens") == 10)
        self.assertIn("puna-under-test", [value_of(one) for of in collector.resources for one in of.attributes])
        self.assertIn(SECRET, [headers["api-key"] for headers in collector.headers])
        everything = "".join(collector.bodies)
        for private in (PROMPT, "Llamas", "from afar"):
            self.assertNotIn(private, everything)

    def test_are_counted(self):
        chat(max_tokens=11)
        collector.trace_of(lambda span: attributes(span).get("gen_ai.usage.output_tokens") == 11)
        page = daemon.http.get("/metrics").text
        sent = next(line for line in page.splitlines() if line.startswith('puna_telemetry_spans_total{outcome="sent"}'))
        self.assertGreater(float(sent.split()[-1]), 0)
        self.assertIn('puna_telemetry_spans_total{outcome="dropped"} 0', page)
        self.assertNotIn("GET /metrics", "".join(collector.bodies))

    def test_keep_the_collectors_key_to_themselves(self):
        self.assertNotIn(SECRET, json.dumps(daemon.get("/api/v1/settings")))
        logs = "".join(path.read_text() for path in daemon.home.rglob("*.log"))
        self.assertNotIn(SECRET, logs)


class End(unittest.TestCase):
    def test_sends_what_waits(self):
        with Daemon(otlp_endpoint=collector.url, service_name="short-lived") as brief:
            brief.http.get("/api/v1/models")
        with collector.came:
            told = [value_of(one) for resource in collector.resources for one in resource.attributes]
        self.assertIn("short-lived", told)

    def test_does_not_wait_for_a_collector_that_is_away(self):
        with Daemon(otlp_endpoint="http://127.0.0.1:9") as lonely:
            self.assertEqual(lonely.http.get("/api/v1/models").status_code, 200)
            lonely.http.post("/api/v1/shutdown")
            self.assertEqual(lonely.process.wait(DEADLINE), 0)


if __name__ == "__main__":
    unittest.main()
