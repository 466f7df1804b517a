"""What is left when a process is killed."""

import json
import os
import pathlib
import signal
import socket
import unittest

import httpx
import openai

from support import CHAT_MODEL, DEADLINE, Daemon, wait_for_end

LONG = {
    "model": CHAT_MODEL,
    "messages": [{"role": "user", "content": "Tell me a very long story."}],
    "max_tokens": 3000,
    "extra_body": {"ignore_eos": True},
}


def client_of(daemon):
    return openai.OpenAI(base_url=daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)


def short_answer(client):
    answer = client.chat.completions.create(
        model=CHAT_MODEL, messages=[{"role": "user", "content": "Hi"}], max_tokens=4, temperature=0
    )
    return answer.choices[0].message.content


def run_of(daemon):
    return {"resumes_at": None} | daemon.get("/api/v1/tune/runs/care")


def child_of(pid, word):
    """The child of a process that was started as `puna WORD …`."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        if parent == pid and word.encode() in words[1:2]:
            return int(entry.name)
    raise LookupError(f"process {pid} has no child {word}")


class Kills(unittest.TestCase):
    # ledger: M12
    def test_a_worker_killed_in_mid_stream_ends_the_stream_with_an_error_and_the_next_request_works(self):
        with Daemon() as daemon:
            daemon.add_chat_model()
            client = client_of(daemon)
            stream = client.chat.completions.create(stream=True, **LONG)
            next(iter(stream))
            os.kill(daemon.running()["pid"], signal.SIGKILL)
            with self.assertRaises(openai.APIError) as caught:
                for _ in stream:
                    pass
            self.assertIn("SIGKILL", str(caught.exception).replace("signal 9 (KILL)", "SIGKILL"))
            self.assertTrue(short_answer(client))

    def test_a_killed_daemon_leaves_no_worker_and_starts_again_cleanly(self):
        with Daemon() as daemon:
            daemon.add_chat_model()
            before = short_answer(client_of(daemon))
            worker = daemon.running()["pid"]
            daemon.kill()
            wait_for_end(worker)
            daemon.start()
            self.assertEqual(short_answer(client_of(daemon)), before)

    # ledger: F8
    def test_a_killed_daemon_leaves_no_trainer_and_its_run_goes_on(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:f32")
            rows = daemon.home / "rows.jsonl"
            rows.write_text(json.dumps({"prompt": "What do llamas eat?", "completion": "Hay."}) + "\n")
            settings = {"rank": 4, "max_steps": 600, "threads": 1, "eval_fraction": 0, "checkpoint_every": 10}
            order = {"model": "tiny:f32", "data": [str(rows)], "name": "care", "settings": settings}
            daemon.http.post("/api/v1/tune/runs", json=order).raise_for_status()
            daemon.until(lambda: run_of(daemon)["resumes_at"] is not None)
            trainer = child_of(daemon.process.pid, "trainer")
            daemon.kill()
            wait_for_end(trainer)
            daemon.start()
            daemon.until(lambda: run_of(daemon)["state"] not in ("interrupted", "queued", "running"))
            self.assertEqual(run_of(daemon)["result"]["steps"], 600)

    # ledger: T6
    def test_two_hundred_clients_that_vanish_leave_no_descriptor(self):
        with Daemon() as daemon:
            host, port = daemon.url.removeprefix("http://").rsplit(":", 1)
            baseline = daemon.get("/api/v1/status")["open_descriptors"]
            clients = [socket.create_connection((host, int(port)), timeout=DEADLINE) for _ in range(200)]
            for index, one in enumerate(clients):
                one.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n" if index % 2 else b"GET /hea")
            self.assertGreaterEqual(daemon.get("/api/v1/status")["open_descriptors"], baseline)
            for one in clients:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # vanish with a reset
                one.close()
            for _ in range(1000):  # each turn is a round trip through the daemon's loop
                status = daemon.get("/api/v1/status")
                if status["open_descriptors"] <= baseline and status["event_subscribers"] == 0:
                    return
            self.fail(f"{status['open_descriptors']} descriptors open, {baseline} before; {status['event_subscribers']} subscribers")

    def test_a_second_daemon_on_the_same_folder_is_refused_by_name(self):
        with Daemon() as daemon:
            second = daemon.command("serve", check=False)
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("another daemon owns", second.stderr)
            self.assertIn(str(daemon.process.pid), second.stderr)

    def test_a_taken_port_names_its_holder(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            with self.assertRaises(RuntimeError) as caught:
                Daemon(port=port).__enter__()
            self.assertIn(str(port), str(caught.exception))
            self.assertIn(str(os.getpid()), str(caught.exception))

    def test_a_terminated_daemon_lets_the_running_answer_end(self):
        with Daemon() as daemon:
            daemon.add_chat_model()
            client = client_of(daemon)
            stream = client.chat.completions.create(
                model=CHAT_MODEL, messages=[{"role": "user", "content": "Count to ten."}], max_tokens=40, stream=True
            )
            chunks = iter(stream)
            next(chunks)
            daemon.process.terminate()
            rest = list(chunks)
            self.assertIsNotNone(rest[-1].choices[0].finish_reason)
            self.assertEqual(daemon.process.wait(DEADLINE), 0)
            with self.assertRaises((httpx.HTTPError, openai.APIConnectionError)):
                short_answer(client)


if __name__ == "__main__":
    unittest.main()
