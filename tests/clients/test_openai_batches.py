"""Files and batches, by OpenAI's own client."""

import json
import os
import unittest

import openai

from support import CHAT_MODEL, daemon_for_module


def setUpModule():
    global daemon, client
    daemon = daemon_for_module("tiny-embed", files_largest="1 MiB")
    connect()


def connect():
    global client
    client = openai.OpenAI(base_url=daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)


def line(custom_id, body=None, url="/v1/chat/completions"):
    chat = {"model": CHAT_MODEL, "temperature": 0, "max_tokens": 8, "messages": [{"role": "user", "content": "Say " + custom_id}]}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body or chat}


def upload(lines):
    text = "".join(json.dumps(entry) + "\n" for entry in lines)
    return client.files.create(file=("in.jsonl", text.encode()), purpose="batch")


def submit(lines, endpoint="/v1/chat/completions", window="24h", **options):
    return client.batches.create(input_file_id=upload(lines).id, endpoint=endpoint, completion_window=window, **options)


def completed(batch):
    return client.batches.retrieve(batch.id).request_counts.completed


def ended(batch):
    daemon.until(lambda: client.batches.retrieve(batch.id).status in ("completed", "failed", "expired", "cancelled"))
    return client.batches.retrieve(batch.id)


def lines_of(file_id):
    return [json.loads(text) for text in client.files.content(file_id).text.splitlines()] if file_id else []


class Files(unittest.TestCase):
    # proves: POST /v1/files
    # proves: GET /v1/files
    # proves: GET /v1/files/{file}
    # proves: GET /v1/files/{file}/content
    # proves: DELETE /v1/files/{file}
    def test_a_file_is_kept_byte_for_byte_until_it_is_deleted(self):
        content = os.urandom(300_000)
        file = client.files.create(file=("a name.bin", content), purpose="user_data")
        self.assertEqual((file.bytes, file.filename, file.purpose), (len(content), "a name.bin", "user_data"))
        self.assertIn(file.id, [entry.id for entry in client.files.list()])
        self.assertEqual(client.files.retrieve(file.id).id, file.id)
        self.assertEqual(client.files.content(file.id).read(), content)
        stored = next(daemon.home.rglob(file.id))
        self.assertEqual(stored.stat().st_mode & 0o777, 0o600)
        self.assertTrue(client.files.delete(file.id).deleted)
        self.assertFalse(stored.exists())
        with self.assertRaises(openai.NotFoundError):
            client.files.retrieve(file.id)

    def test_lists_come_in_pages(self):
        made = [client.files.create(file=(f"{i}", b"x"), purpose="evals").id for i in range(5)]
        first = client.files.list(limit=2, order="asc", purpose="evals")
        self.assertTrue(first.has_more)
        self.assertEqual([file.id for file in client.files.list(limit=2, order="asc", purpose="evals")], made)

    def test_what_cannot_be_taken_is_refused_by_name(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.files.create(file=("x", b"x"), purpose="poetry")
        self.assertEqual(caught.exception.param, "purpose")
        with self.assertRaises(openai.APIStatusError) as caught:
            client.files.create(file=("x", b"x" * 1_500_000), purpose="batch")
        self.assertEqual(caught.exception.status_code, 413)
        self.assertIn("files.largest", str(caught.exception))

    def test_a_file_goes_when_its_time_has_passed(self):
        file = client.files.create(file=("x", b"x"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600})
        self.assertEqual(file.expires_at, file.created_at + 3600)


class Batches(unittest.TestCase):
    # proves: POST /v1/batches
    # proves: GET /v1/batches
    # proves: GET /v1/batches/{batch}
    def test_requests_are_answered_in_their_order_with_errors_apart(self):
        batch = submit([line("one"), line("bad", {"model": CHAT_MODEL, "messages": []}), line("two")], metadata={"k": "v"})
        self.assertIn(batch.status, ("validating", "in_progress"))
        done = ended(batch)
        self.assertEqual(done.status, "completed")
        self.assertEqual((done.request_counts.total, done.request_counts.completed, done.request_counts.failed), (3, 2, 1))
        answers = lines_of(done.output_file_id)
        self.assertEqual([entry["custom_id"] for entry in answers], ["one", "two"])
        self.assertEqual(answers[0]["response"]["status_code"], 200)
        self.assertEqual(answers[0]["response"]["body"]["object"], "chat.completion")
        failures = lines_of(done.error_file_id)
        self.assertEqual(failures[0]["response"]["body"]["error"]["param"], "messages")
        self.assertEqual(done.metadata, {"k": "v"})
        self.assertGreater(done.usage.total_tokens, 0)
        self.assertIn(batch.id, [entry.id for entry in client.batches.list()])

    def test_every_endpoint_can_be_asked(self):
        bodies = {
            "/v1/completions": {"model": CHAT_MODEL, "prompt": "One", "max_tokens": 2},
            "/v1/embeddings": {"model": "tiny-embed", "input": "one"},
            "/v1/responses": {"model": CHAT_MODEL, "input": "Hi", "max_output_tokens": 2},
        }
        for endpoint, body in bodies.items():
            done = ended(submit([line("x", body, endpoint)], endpoint))
            self.assertEqual(done.request_counts.completed, 1, endpoint)
            answer = lines_of(done.output_file_id)[0]["response"]["body"]
            self.assertIn(answer["object"], ("text_completion", "list", "response"))

    def test_a_wrong_input_fails_with_its_lines(self):
        done = ended(submit([line("a"), line("a"), line("b", url="/v1/embeddings")]))
        self.assertEqual(done.status, "failed")
        self.assertEqual([(error.line, error.code) for error in done.errors.data], [(2, "duplicate_custom_id"), (3, "invalid_url")])

    # proves: POST /v1/batches/{batch}/cancel
    def test_a_cancelled_batch_keeps_what_it_has(self):
        long = {"model": CHAT_MODEL, "max_tokens": 300, "ignore_eos": True, "messages": [{"role": "user", "content": "Go on."}]}
        batch = submit([line("short")] + [line(f"long{i}", long) for i in range(40)])
        daemon.until(lambda: completed(batch) >= 1)
        client.batches.cancel(batch.id)
        done = ended(batch)
        self.assertEqual(done.status, "cancelled")
        self.assertEqual(len(lines_of(done.output_file_id)), done.request_counts.completed)
        self.assertLess(done.request_counts.completed, 41)

    # ledger: M2
    def test_a_killed_daemon_goes_on_where_it_was_and_repeats_nothing(self):
        batch = submit([line(f"n{i:02}") for i in range(24)])
        daemon.until(lambda: completed(batch) >= 5)
        before = completed(batch)
        daemon.kill()
        daemon.start()
        connect()
        self.assertGreaterEqual(completed(batch), before)
        done = ended(batch)
        self.assertEqual(done.status, "completed")
        self.assertEqual([entry["custom_id"] for entry in lines_of(done.output_file_id)], [f"n{i:02}" for i in range(24)])

    def test_its_request_is_checked(self):
        with self.assertRaises(openai.NotFoundError):
            client.batches.create(input_file_id="file-x", endpoint="/v1/embeddings", completion_window="24h")
        with self.assertRaises(openai.BadRequestError) as caught:
            submit([line("a")], endpoint="/v1/images/generations")
        self.assertEqual(caught.exception.param, "endpoint")


if __name__ == "__main__":
    unittest.main()
