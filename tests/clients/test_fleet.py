"""Many clients and models at one daemon: who waits is told, nothing is cut, memory is what was said."""

import http.client
import json
import os
import signal
import threading
import unittest

from support import CHAT_MODEL, DEADLINE, Daemon


def post(daemon, body):
    """The answer, its connection ended with it."""
    connection = http.client.HTTPConnection(daemon.url.removeprefix("http://"), timeout=DEADLINE)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json", "Connection": "close"})
    return connection.getresponse()


def question(model, tokens):
    return {"model": model, "max_tokens": tokens, "ignore_eos": True, "messages": [{"role": "user", "content": "Tell me more."}]}


def asked_and_queued(daemon):
    """Asks from a thread and returns once the request waits: where its answer will be, the thread, the event that told of it."""
    answers = []
    with daemon.events() as events:
        asking = threading.Thread(target=lambda: answers.append(post(daemon, question("tiny", 4))))
        asking.start()
        return answers, asking, next(event for event in events if event["type"] == "request.queued")


class Fleet(unittest.TestCase):
    def test_who_waits_is_told_its_place_and_who_is_too_many_is_told_when_to_come_back(self):
        with Daemon(slots=1, model_queue=1) as daemon:
            daemon.add_tiny_model("tiny", "--endless")
            first = post(daemon, {**question("tiny", 20000), "stream": True})
            first.readline()
            answers, second, queued = asked_and_queued(daemon)
            self.assertEqual(queued["data"]["position"], 1)
            third = post(daemon, question("tiny", 4))
            self.assertEqual(third.status, 429)
            self.assertGreaterEqual(int(third.headers["Retry-After"]), 1)
            first.close()
            second.join(DEADLINE)
            self.assertEqual(answers[0].status, 200)
            self.assertEqual(answers[0].headers["X-Puna-Queue-Position"], "1")
            self.assertGreaterEqual(int(answers[0].headers["X-Puna-Queue-Ms"]), 1)

    # ledger: M12
    def test_who_is_next_when_a_worker_dies_is_answered_by_another_one(self):
        with Daemon(slots=1) as daemon:
            daemon.add_tiny_model("tiny", "--endless")
            first = post(daemon, {**question("tiny", 20000), "stream": True})
            first.readline()
            answers, second, _ = asked_and_queued(daemon)
            os.kill(daemon.running("tiny:latest")["pid"], signal.SIGKILL)
            self.assertIn(b'"error"', first.read())
            second.join(DEADLINE)
            self.assertEqual(answers[0].status, 200)

    def test_who_is_next_and_leaves_is_forgotten_and_who_waits_too_long_is_told(self):
        with Daemon(slots=1) as daemon:
            daemon.add_tiny_model("tiny", "--endless")
            first = post(daemon, {**question("tiny", 20000), "stream": True})
            first.readline()
            with daemon.events() as events:
                connection = http.client.HTTPConnection(daemon.url.removeprefix("http://"), timeout=DEADLINE)
                connection.request("POST", "/v1/chat/completions", json.dumps(question("tiny", 4)), {"Content-Type": "application/json"})
                next(event for event in events if event["type"] == "request.queued")
                self.assertEqual(daemon.running("tiny:latest")["queued_requests"], 1)
                connection.close()
                for _ in range(1000):  # each turn is a round trip through the daemon
                    if daemon.running("tiny:latest")["queued_requests"] == 0:
                        break
                self.assertEqual(daemon.running("tiny:latest")["queued_requests"], 0)
            daemon.http.patch("/api/v1/settings", json={"key": "models.max_wait", "value": "200ms"}).raise_for_status()
            late = post(daemon, question("tiny", 4))
            self.assertEqual(late.status, 503)
            self.assertGreaterEqual(int(late.headers["Retry-After"]), 1)
            self.assertIn(b"has all of its 1 slots taken", late.read())
            first.close()

    def test_a_model_that_streams_makes_room_for_another_when_it_has_ended(self):
        with Daemon(max_models=1, model_turn="0") as daemon:
            daemon.add_tiny_model("one")
            daemon.add_tiny_model("two")
            stream = post(daemon, {**question("one", 2000), "stream": True})
            stream.readline()
            answers = []
            other = threading.Thread(target=lambda: answers.append(post(daemon, question("two", 4))))
            other.start()
            rest = stream.read()
            self.assertIn(b"[DONE]", rest)
            self.assertNotIn(b'"error"', rest)
            other.join(DEADLINE)
            self.assertEqual(answers[0].status, 200)
            self.assertIsNone(daemon.running("one:latest"))

    def test_memory_is_predicted_within_15_percent_before_the_first_load_and_within_5_after_it(self):
        with Daemon(context=2048) as daemon:
            daemon.add_chat_model()
            for most in (0.15, 0.05):
                body = {"model": CHAT_MODEL, "max_tokens": 4, "messages": [{"role": "user", "content": "a llama and " * 300}]}
                self.assertEqual(post(daemon, body).status, 200)
                running = daemon.running()
                error = running["predicted_bytes"] / running["memory_bytes"] - 1
                print(f"{running['predicted_bytes'] >> 20} MiB predicted, {running['memory_bytes'] >> 20} MiB resident: {error:+.1%}")
                self.assertLessEqual(abs(error), most)
                daemon.http.delete(f"/api/v1/running/{CHAT_MODEL}").raise_for_status()
                daemon.disconnect()
                daemon.process.terminate()
                daemon.process.wait(DEADLINE)
                daemon.start()  # what was measured outlives the daemon


if __name__ == "__main__":
    unittest.main()
