"""Load with workers that are killed at random: what was accepted ends with an answer or with an error that says why, and nothing is left.

PUNA_SOAK_SECONDS says how long (20 unless given); the figures are printed as a line of JSON.
"""

import collections
import http.client
import json
import os
import random
import signal
import threading
import time
import unittest
from contextlib import closing

from support import CHAT_MODEL, DEADLINE, Daemon

SECONDS = float(os.environ.get("PUNA_SOAK_SECONDS", 20))
CLIENTS = 12
TINY_MODELS = ("one", "two")
SEED = 20


def openai_chat(model, words, tokens, stream):
    return "/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": words}], "max_tokens": tokens, "stream": stream}


def openai_text(model, words, tokens, stream):
    return "/v1/completions", {"model": model, "prompt": words, "max_tokens": tokens, "stream": stream}


def anthropic(model, words, tokens, stream):
    return "/v1/messages", {"model": model, "messages": [{"role": "user", "content": words}], "max_tokens": tokens, "stream": stream}


def ollama(model, words, tokens, stream):
    return "/api/chat", {"model": model, "messages": [{"role": "user", "content": words}], "options": {"num_predict": tokens}, "stream": stream}


DIALECTS = (openai_chat, openai_text, anthropic, ollama)


def ending_of(line):
    """What a line of a stream says of its end: "answered", "cut", or None."""
    text = line.decode().strip()
    if text == "data: [DONE]":
        return "answered"
    text = text.removeprefix("data: ")
    if not text.startswith("{"):
        return None
    said = json.loads(text)
    if "error" in said:
        return "cut"
    return "answered" if said.get("done") is True or said.get("type") == "message_stop" else None


class Client:
    """Asks one thing after the other, in whatever dialect, and notes how each ended."""

    def __init__(self, url, seed):
        self.address = url.removeprefix("http://")
        self.random = random.Random(seed)
        self.endings = collections.Counter()
        self.lost = []

    def ask(self):
        stream = self.random.random() < 0.7
        dialect = self.random.choice(DIALECTS)
        model = self.random.choice((*TINY_MODELS, CHAT_MODEL))
        path, body = dialect(model, "Tell me of llamas. " * self.random.randint(1, 20), self.random.randint(4, 48), stream)
        leaves = self.random.random() < 0.1
        what = f"{dialect.__name__} of {model}{', streamed' if stream else ''}"
        with closing(http.client.HTTPConnection(self.address, timeout=DEADLINE)) as connection:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if leaves:
                answer.read(1)
                return "left"
            if answer.status != 200:
                return self.refusal(what, answer)
            return self.stream_end(what, answer) if stream else self.whole_end(what, answer)

    def refusal(self, what, answer):
        said = json.loads(answer.read())
        return "refused" if said.get("error") else self.lose(f"{what}: status {answer.status} without a reason: {said}")

    def whole_end(self, what, answer):
        said = json.loads(answer.read())
        return "answered" if "error" not in said else self.lose(f"{what}: an error with status 200: {said}")

    def stream_end(self, what, answer):
        for line in answer:
            if ending := ending_of(line):
                return ending
        return self.lose(f"{what}: the stream ended without an end")

    def lose(self, how):
        self.lost.append(how)
        return "lost"

    def run(self, until):
        while time.monotonic() < until:
            try:
                self.endings[self.ask()] += 1
            except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
                self.endings[self.lose(f"{type(error).__name__}: {error}")] += 1


def kill_workers(daemon, until, rounds):
    """Ends a worker every one to four seconds; returns how many."""
    killed = 0
    chance = random.Random(SEED)
    while not rounds.wait(chance.uniform(1, 4)) and time.monotonic() < until:
        running = [one["pid"] for one in daemon.get("/api/v1/running")["models"] if one.get("pid")]
        if running:
            os.kill(chance.choice(running), signal.SIGKILL)
            killed += 1
    return killed


class Soak(unittest.TestCase):
    def at_rest(self, daemon):
        """The daemon's status once nothing runs and no worker is left."""
        for name in (*TINY_MODELS, CHAT_MODEL):
            daemon.http.delete(f"/api/v1/running/{name}")
        daemon.until(lambda: not [one for one in daemon.get("/api/v1/running")["models"] if one.get("pid")])
        for _ in range(1000):  # each turn is a round trip through the daemon's loop
            status = daemon.get("/api/v1/status")
            if status["active_requests"] <= 1 and status["connections"] <= 1:
                break
        return status

    # ledger: M12 M3
    def test_no_accepted_request_is_lost_and_nothing_is_left_while_workers_are_killed(self):
        with Daemon(keep_alive="-1", context="2048") as daemon:
            for name in TINY_MODELS:
                daemon.add_tiny_model(name)
            daemon.add_chat_model()
            warm = Client(daemon.url, SEED)
            warm.run(time.monotonic() + 3)
            before = self.at_rest(daemon)
            until = time.monotonic() + SECONDS
            clients = [Client(daemon.url, SEED + number) for number in range(CLIENTS)]
            threads = [threading.Thread(target=client.run, args=(until,)) for client in clients]
            for thread in threads:
                thread.start()
            killed = kill_workers(daemon, until, threading.Event())
            for thread in threads:
                thread.join(DEADLINE)
            after = self.at_rest(daemon)
            endings = sum((client.endings for client in clients), collections.Counter())
            grown = (after["memory_bytes"] - before["memory_bytes"]) / 2**20
            descriptors = after["open_descriptors"] - before["open_descriptors"]
            print(json.dumps({"seconds": SECONDS, "killed": killed, "endings": endings, "memory_mib": round(grown, 1),
                              "descriptors": descriptors}), flush=True)
            self.assertEqual([how for client in clients for how in client.lost], [])
            self.assertGreater(endings["answered"], 0)
            self.assertGreater(killed, 0)
            self.assertLessEqual(descriptors, CLIENTS)  # idle connections to workers are kept for the next request
            self.assertLess(grown, 32)
            self.assertEqual(list((daemon.home / "run" / "workers").glob("*.sock")), [])


if __name__ == "__main__":
    unittest.main()
