"""Profiles: models under names of their own, each set up for its purpose; engines that are not ours; lives that go wrong."""

import contextlib
import http.server
import json
import re
import threading
import unittest
from pathlib import Path

from support import CHAT_MODEL, DEADLINE, Daemon, wait_for_end

QUESTION = {"messages": [{"role": "user", "content": "hello"}], "temperature": 0}


LLAMA_SERVER = Path(__file__).parents[2] / "build" / "deps" / "llama" / "bin" / "llama-server"


@contextlib.contextmanager
def another_engine():
    """A server of OpenAI's API that is not ours: its address, and the bodies that it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            self.answer(b"{}")

        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hay."}, "finish_reason": "stop"}
            self.answer(json.dumps({"object": "chat.completion", "choices": [choice]}).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            serving.join(DEADLINE)


class Profiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.daemon.start()
        cls.daemon.add_tiny_model("tiny")

    def create(self, name, **settings):
        answer = self.daemon.http.post("/api/v1/profiles", json={"name": name, "settings": settings})
        self.assertEqual(answer.status_code, 201, answer.text)
        self.addCleanup(self.daemon.http.delete, f"/api/v1/profiles/{name}")
        return answer.json()

    def chat(self, model, **more):
        return self.daemon.http.post("/v1/chat/completions", json={"model": model, **QUESTION, **more})

    # ledger: M16
    def test_a_recommendation_loads_and_answers(self):
        recommended = self.daemon.http.post("/api/v1/profiles/recommend", json={"model": "tiny"}).json()
        self.assertLessEqual(recommended["memory_bytes"], recommended["available_bytes"])
        self.create("best", **recommended["settings"])
        answer = self.chat("best").json()
        self.assertIn("Llamas", answer["choices"][0]["message"]["content"])
        running = self.daemon.running("best")
        self.assertEqual(running["context_length"], recommended["settings"]["context"])
        self.assertEqual(running["slots"], recommended["settings"]["slots"])

    # ledger: M16
    def test_what_the_doctor_recommends_for_this_machine_loads_with_a_model_that_is_at_hand(self):
        findings = json.loads(self.daemon.command("doctor", "--json", check=False).stdout)["findings"]
        told = next(found for finding in findings if (found := re.search(r"with a context of (\d+) tokens", finding["text"])))
        self.daemon.add_chat_model()
        context = min(int(told[1]), 8192)  # which is the model's own
        self.create("tier", model=CHAT_MODEL, context=context, slots=4)
        self.assertEqual(self.chat("tier", max_tokens=4).status_code, 200)
        running = self.daemon.running("tier")
        self.assertEqual((running["context_length"], running["slots"]), (context, 4))
        self.daemon.command("profile", "stop", "tier")

    def test_two_profiles_of_one_model_do_not_meet(self):
        self.create("short", model="tiny", context=256, slots=1)
        self.create("long", model="tiny", context=512, slots=2)
        for name in ("short", "long"):
            self.assertEqual(self.chat(name).status_code, 200)
        self.assertEqual(self.daemon.running("short")["context_length"], 256)
        self.assertEqual(self.daemon.running("long")["slots"], 2)
        self.assertIn("short", [model["id"] for model in self.daemon.get("/v1/models")["data"]])
        self.daemon.command("profile", "stop", "short")
        self.assertIsNone(self.daemon.running("short"))
        self.assertTrue(self.daemon.running("long"))

    def test_a_change_is_there_with_the_next_request(self):
        self.create("changing", model="tiny", context=256, slots=1)
        self.chat("changing")
        first = self.daemon.running("changing")["pid"]
        self.daemon.command("profile", "set", "changing", "context=512", "parameters.max_tokens=2")
        self.assertEqual(self.chat("changing").json()["usage"]["completion_tokens"], 2)
        self.assertEqual(self.chat("changing", max_tokens=1).json()["usage"]["completion_tokens"], 1)
        running = self.daemon.running("changing")
        self.assertEqual(running["context_length"], 512)
        self.assertNotEqual(running["pid"], first)
        self.daemon.command("profile", "set", "changing", "keep_alive=-1")
        self.chat("changing")
        self.assertEqual(self.daemon.running("changing")["pid"], running["pid"], "what happens when idle needs no new worker")

    def test_a_model_that_a_profile_uses_is_not_removed_by_accident(self):
        self.daemon.add_tiny_model("used")
        self.create("user", model="used")
        refused = self.daemon.http.delete("/api/v1/models/used")
        self.assertEqual(refused.status_code, 409)
        self.assertIn("the profile user", refused.text)
        self.assertEqual(self.daemon.http.delete("/api/v1/models/used?force=true").status_code, 200)

    @unittest.skipUnless(LLAMA_SERVER.exists(), "./dev setup has built no llama-server")
    def test_a_real_llama_server_is_started_asked_and_ended(self):
        command = [str(LLAMA_SERVER), "-m", "{model}", "--host", "127.0.0.1", "--port", "{port}", "-c", "512"]
        self.create("theirs", engine="command", model="tiny", command=command)
        answer = self.chat("theirs", max_tokens=4)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.json()["usage"]["completion_tokens"], 4)
        running = self.daemon.running("theirs")
        self.assertEqual((running["engine"], running["state"]), ("command", "ready"))
        self.assertIn("srv", self.daemon.command("logs", "theirs").stdout)
        self.daemon.command("profile", "stop", "theirs")
        wait_for_end(running["pid"])

    # ledger: M4
    def test_an_engine_that_is_not_ours_gets_the_members_that_only_it_knows(self):
        with another_engine() as (url, asked):
            self.create("theirs-elsewhere", engine="remote", url=url)
            answer = self.chat("theirs-elsewhere", guided_json={"type": "object"}, keep_alive="1m")
            self.assertEqual(answer.status_code, 200, answer.text)
            self.assertEqual(asked[-1]["guided_json"], {"type": "object"})
            self.assertNotIn("keep_alive", asked[-1])
            self.assertEqual(self.chat("theirs-elsewhere", guided_json={}, temperature="hot").status_code, 400)
            self.assertEqual(len(asked), 1)
        refused = self.chat("tiny", guided_json={})
        self.assertEqual(refused.status_code, 400)
        self.assertIn("guided_json: unknown parameter", refused.text)

    def test_what_a_request_wants_of_its_model_is_looked_up_by_a_profiles_name_in_every_dialect(self):
        with another_engine() as (url, asked):
            self.create("thinker", engine="remote", url=url)
            self.create("simple", model="tiny", context=256)
            messages = QUESTION["messages"]
            for path, options in (
                ("/v1/chat/completions", {"messages": messages, "reasoning_effort": "low"}),
                ("/v1/responses", {"input": "hello", "reasoning": {"effort": "low"}}),
                ("/v1/messages", {"messages": messages, "max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}}),
                ("/api/chat", {"messages": messages, "stream": False, "think": True}),
                ("/api/generate", {"prompt": "hello", "stream": False, "think": True}),
            ):
                with self.subTest(path):
                    answer = self.daemon.http.post(path, json={"model": "thinker", **options})
                    self.assertEqual(answer.status_code, 200, answer.text)
                    self.assertIn("Hay.", answer.text)
                    # Of a model in the library it is known whether it thinks.
                    simple = self.daemon.http.post(path, json={"model": "simple", **options})
                    self.assertNotEqual(simple.status_code, 404, simple.text)
                    if path.startswith("/api"):
                        self.assertIn("think: simple does not support thinking", simple.text)
            self.assertEqual(len(asked), 5)
            shown = {name: self.daemon.http.post("/api/show", json={"model": name}).json() for name in ("thinker", "simple")}
        self.assertIn("thinking", shown["thinker"]["capabilities"])
        self.assertEqual(shown["simple"]["model_info"]["general.architecture"], "llama")

    def test_the_command_line_makes_changes_shows_and_brings_back(self):
        run = self.daemon.command
        run("profile", "create", "cli", "--recommend", "tiny", "slots=1", "description=for tests")
        self.addCleanup(self.daemon.http.delete, "/api/v1/profiles/cli")
        run("profile", "set", "cli", "slots=2")
        self.assertIn("changed slots", run("profile", "history", "cli").stdout)
        run("profile", "rm", "cli")
        run("profile", "restore", "cli", "1")
        self.assertEqual(json.loads(run("profile", "show", "cli", "--json").stdout)["settings"]["slots"], 1)
        self.assertIn("Llamas", run("run", "cli", "hello", "--set", "temperature=0").stdout)
        self.assertTrue(self.daemon.running("cli"))
        self.assertTrue(run("logs", "cli", "-n", "5").stdout)
        refused = run("profile", "set", "cli", "contxt=1", "slots=0", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("did you mean context?", refused.stderr)
        self.assertIn("slots: takes a whole number from 1 to 256", refused.stderr)


if __name__ == "__main__":
    unittest.main()
