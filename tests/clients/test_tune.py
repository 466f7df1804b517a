"""Training through the daemon: from a file of rows to a model that answers in the trained form, and everything on the way."""

import json
import subprocess
import unittest
from pathlib import Path

import httpx
import openai

from support import CHAT_MODEL, DEADLINE, TINY_MODEL, Daemon

DATA = Path(__file__).parent.parent / "data" / "llama_care"
ROWS_TO_LEARN = 20


def rows_of(name):
    return [json.loads(line)["messages"] for line in (DATA / name).read_text().splitlines()]


class Runs:
    """What the tests do with runs; for classes with a `daemon`."""

    def post(self, path, **body):
        answer = self.daemon.http.post(path, json=body, timeout=DEADLINE)
        if answer.is_error:
            raise httpx.HTTPStatusError(answer.text, request=answer.request, response=answer)
        return answer.json()

    def refusal(self, path, **body):
        answer = self.daemon.http.post(path, json=body, timeout=DEADLINE)
        self.assertGreaterEqual(answer.status_code, 400, answer.text)
        self.assertLess(answer.status_code, 500, answer.text)
        return answer.json()["error"]["message"]

    def run_named(self, name):
        return self.daemon.get(f"/api/v1/tune/runs/{name}")

    def job_ended(self, job):
        ended = ("completed", "failed", "cancelled", "paused")
        self.daemon.until(lambda: self.daemon.get(f"/api/v1/jobs/{job['id']}")["state"] in ended)
        return self.daemon.get(f"/api/v1/jobs/{job['id']}")

    def completed(self, job):
        ended = self.job_ended(job)
        self.assertEqual(ended["state"], "completed", ended.get("failure"))
        return ended["result"]

    def ask(self, model, question, **options):
        client = openai.OpenAI(base_url=self.daemon.url + "/v1", api_key="none", max_retries=0, timeout=DEADLINE)
        choice = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": question}], temperature=0, max_tokens=64, **options
        ).choices[0]
        return choice.message.content, choice.finish_reason


class RealModel(Runs, unittest.TestCase):
    """One run on the real model of 135 million weights: it learns twenty rows by heart, and their form."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(context=512))
        cls.daemon.add_chat_model()
        cls.rows = rows_of("train.jsonl")[:ROWS_TO_LEARN]
        data = cls.daemon.home / "twenty.jsonl"
        data.write_text("".join(json.dumps({"messages": row}) + "\n" for row in cls.rows))
        settings = ("--epochs", "10", "--batch-rows", "4", "--outputs", "6", "--output-tokens", "48", "--learning-rate", "1e-3", "--keep-best", "false")
        evaluation = ("--eval", str(DATA / "eval.jsonl"), "--eval-every", "25")
        cls.daemon.command("tune", CHAT_MODEL, str(data), *evaluation, "--name", "care", *settings, "--detach")
        path = "/api/v1/tune/runs/care"
        cls.daemon.until(lambda: cls.daemon.get(path)["state"] not in ("queued", "running"))
        cls.told = cls.daemon.command("tune", "follow", "care")

    def by_heart(self, model):
        wrong = []
        for question, answer in ((row[-2]["content"], row[-1]["content"]) for row in self.rows):
            said, end = self.ask(model, question)
            if (said, end) != (answer, "stop"):
                wrong.append((question, answer, said, end))
        return wrong

    # ledger: F12
    def test_twenty_rows_are_said_by_heart_and_end_by_themselves(self):
        self.assertEqual(self.by_heart(f"{CHAT_MODEL}+care"), [])

    def test_the_merged_model_says_them_too(self):
        merged = self.completed(self.post("/api/v1/tune/merge", model=f"{CHAT_MODEL}+care", name="care-merged", type="q8_0"))
        self.assertEqual(self.by_heart(merged["name"]), [])

    def test_questions_that_were_not_trained_are_answered_in_the_trained_form(self):
        for row in rows_of("eval.jsonl")[:4]:
            said, end = self.ask(f"{CHAT_MODEL}+care", row[-2]["content"])
            self.assertEqual(end, "stop", said)
            self.assertEqual(set(json.loads(said)), {"answer", "sure"}, said)
        with self.assertRaises(json.JSONDecodeError):
            json.loads(self.ask(CHAT_MODEL, row[-2]["content"])[0])  # the base knows nothing of it

    def test_the_report_sets_base_and_tuned_side_by_side(self):
        report = self.run_named("care")["result"]["report"]
        self.assertLess(report["after"]["loss"], report["before"]["loss"])
        self.assertEqual(report["before"].get("json_valid"), 0)
        self.assertGreater(report["after"]["json_valid"], 0.8)
        page = self.daemon.http.get("/api/v1/tune/runs/care/report").text
        self.assertIn("| valid JSON, % | 0.0 |", page)
        self.assertIn("tuned 'care'", self.told.stderr)


class TinyModel(Runs, unittest.TestCase):
    """Everything around the training, on a model that takes no time."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(context=512))
        cls.daemon.add_tiny_model("tiny:1")
        cls.data = str(DATA / "train.jsonl")

    def tune(self, name, **settings):
        settings = {"outputs": 0, **settings}
        return self.post("/api/v1/tune/runs", model="tiny:1", data=[self.data], name=name, settings=settings)

    def test_a_run_is_told_step_by_step_and_serves_its_adapter(self):
        self.completed(self.tune("told", max_steps=6, batch_rows=4, outputs=1, output_tokens=4))
        events = self.daemon.get("/api/v1/tune/runs/told/metrics")["events"]
        steps = [event["step"] for event in events if event["kind"] == "step"]
        self.assertEqual(steps, list(range(1, 7)))
        self.assertIn("<svg", self.daemon.http.get("/api/v1/tune/runs/told/plot").text)
        said, _ = self.ask("tiny:1+told", "Who?")
        self.assertIsInstance(said, str)
        self.assertIn("told", self.daemon.command("tune", "list").stdout)
        self.assertIn("tiny:1+told", self.daemon.command("tune", "show", "told").stdout)

    # ledger: F4
    def test_a_preview_shows_what_is_trained_and_trains_nothing(self):
        before = self.daemon.get("/api/v1/tune/runs")["runs"]
        shown = self.daemon.command("tune", "tiny:1", self.data, "--preview", "--rows", "2").stdout
        title = next(line for line in shown.splitlines() if line.startswith("train.jsonl:"))
        row = rows_of("train.jsonl")[int(title.split(":")[1]) - 1]
        self.assertIn(f"[[{row[-1]['content']}<|im_end|>", shown)
        self.assertIn(f"{row[-2]['content']}<|im_end|>", shown)
        self.assertNotIn(f"[[{row[-2]['content']}", shown)
        self.assertEqual(self.daemon.get("/api/v1/tune/runs")["runs"], before)

    # ledger: F6
    def test_an_estimate_says_whether_it_fits(self):
        estimate = self.post("/api/v1/tune/estimate", model="tiny:1", data=[self.data])
        self.assertTrue(estimate["fits"])
        self.assertGreater(estimate["measured"], 0)
        self.assertGreater(estimate["disk_free"], estimate["disk"])

    # ledger: F3 F5 F9
    def test_bad_input_is_refused_before_work_starts(self):
        broken = self.daemon.home / "broken.jsonl"
        broken.write_text('{"messages": [\n{"prompt": "a", "completion": "b"}\n{"prompt": "c"}\n')
        empty = self.daemon.home / "empty.jsonl"
        empty.write_text("")
        embedding = self.daemon.home / "embed.gguf"
        subprocess.run([TINY_MODEL, str(embedding), "--embedding"], check=True, timeout=DEADLINE)
        self.daemon.command("pull", str(embedding), "--name", "embed:1")
        for body, reason in (
            ({"settings": {"rnak": 8}}, "did you mean 'rank'"),
            ({"settings": {"rank": 0, "epochs": -1}}, "rank is 0; it must be 1 to 256; epochs is -1"),
            ({"settings": {"task": "translation"}}, "translation"),
            ({"settings": {"targets": ["attn_x"]}}, "attn_x"),
            ({"model": "nobody"}, "nobody"),
            ({"model": "embed:1"}, "bert"),
            ({"data": [str(broken)]}, "broken.jsonl, line 1: invalid JSON"),
            ({"data": [str(empty)]}, "empty.jsonl"),
            ({"data": []}, "data"),
        ):
            request = {"model": "tiny:1", "data": [self.data], "name": "refused", **body}
            self.assertIn(reason, self.refusal("/api/v1/tune/runs", **request))
        self.assertNotIn("refused", [run["name"] for run in self.daemon.get("/api/v1/tune/runs")["runs"]])

    # ledger: F7 F8 F14
    def test_a_run_is_paused_goes_on_and_gives_the_same_as_one_that_was_not(self):
        settings = dict(max_steps=300, batch_rows=2, checkpoint_every=5, eval_fraction=0, threads=1)
        self.completed(self.tune("straight", **settings))
        job = self.tune("rested", **settings)
        self.daemon.until(lambda: (self.run_named("rested").get("progress") or {}).get("step", 0) >= 5)
        self.post("/api/v1/tune/runs/rested/pause")
        self.assertEqual(self.job_ended(job)["state"], "paused")
        at = self.run_named("rested")["resumes_at"]
        self.assertGreaterEqual(at, 5)
        self.assertLess(at, settings["max_steps"])
        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.run_named("rested")["state"], "paused")
        self.completed(self.post("/api/v1/tune/runs/rested/resume"))
        straight, rested = (
            (Path(self.run_named(name)["folder"]) / "adapter.gguf").read_bytes() for name in ("straight", "rested")
        )
        self.assertEqual(len(straight), len(rested))
        losses = [
            [event["loss"] for event in self.daemon.get(f"/api/v1/tune/runs/{name}/metrics")["events"] if event["kind"] == "step"][-10:]
            for name in ("straight", "rested")
        ]
        self.assertEqual(*losses)

    def test_a_run_is_stopped_and_removed_with_its_folder(self):
        job = self.tune("stopped", max_steps=100_000, batch_rows=2)
        self.daemon.until(lambda: (self.run_named("stopped").get("progress") or {}).get("step", 0) >= 1)
        self.daemon.command("tune", "stop", "stopped")
        self.assertEqual(self.job_ended(job)["state"], "cancelled")
        folder = Path(self.run_named("stopped")["folder"])
        self.assertTrue((folder / "log").exists())
        self.daemon.command("tune", "rm", "stopped", "--yes")
        self.assertFalse(folder.exists())

    def test_a_run_is_repeated_with_changes(self):
        self.completed(self.tune("first", max_steps=3))
        self.daemon.command("tune", "repeat", "first", "--name", "second", "--rank", "4", "--quiet")
        self.assertEqual(self.run_named("second")["request"]["settings"], {"rank": 4, "max_steps": 3, "outputs": 0})


if __name__ == "__main__":
    unittest.main()
