"""Conversations that go on after swaps, stops and kills, with a real model."""

import os
import signal
import unittest

from support import CHAT_MODEL, Daemon, wait_for_end

TOPIC = "The river runs from the mountain to the sea, and on its way it meets many other rivers. " * 20


def ask(daemon, messages, **more):
    body = {"model": CHAT_MODEL, "messages": messages, "temperature": 0, "max_tokens": 16, **more}
    answer = daemon.http.post("/v1/chat/completions", json=body)
    answer.raise_for_status()
    return answer.json()


def reused(answer):
    return answer["usage"]["prompt_tokens_details"]["cached_tokens"]


def first_turn(topic=TOPIC):
    return [{"role": "user", "content": topic + "What is this about?"}]


def second_turn(messages, answer):
    return [
        *messages,
        {"role": "assistant", "content": answer["choices"][0]["message"]["content"]},
        {"role": "user", "content": "Where does it end?"},
    ]


class Warm(unittest.TestCase):
    def states(self, daemon):
        return sorted((daemon.home / "cache" / "conversations").rglob("*.kv")) or sorted(daemon.home.rglob("*.kv"))

    def until_saved(self, daemon, count=1):
        """A worker's line in its log says so; the file is there before it."""
        with daemon.http.stream("GET", f"/api/v1/logs?source={CHAT_MODEL}&follow=true") as lines:
            for _ in lines.iter_lines():
                if len(self.states(daemon)) >= count:
                    return
        raise AssertionError("the log ended")

    def test_a_conversation_goes_on_after_a_kill_of_everything_and_says_the_same(self):
        with Daemon(context=2048) as daemon:
            daemon.add_chat_model()
            first = ask(daemon, first_turn())
            self.until_saved(daemon)
            usage = daemon.get("/api/v1/usage")
            self.assertGreaterEqual(usage["conversation_bytes"], max(file.stat().st_size for file in self.states(daemon)))
            self.assertEqual(usage["conversation_limit"], 4 << 30)
            question = second_turn(first_turn(), first)
            stayed = ask(daemon, question)

            worker = daemon.running()["pid"]
            os.kill(worker, signal.SIGKILL)
            daemon.kill()
            wait_for_end(worker)
            daemon.start()
            returned = ask(daemon, question)
            self.assertGreaterEqual(reused(returned), first["usage"]["prompt_tokens"])
            self.assertEqual(returned["choices"], stayed["choices"])

    def test_a_conversation_goes_on_after_an_unload_without_a_pause_before_it(self):
        with Daemon(context=2048) as daemon:
            daemon.add_chat_model()
            first = ask(daemon, first_turn(), keep_alive=0)
            with daemon.events() as events:
                while daemon.running():
                    next(events)
            self.assertEqual(len(self.states(daemon)), 1)
            again = ask(daemon, second_turn(first_turn(), first))
            self.assertGreaterEqual(reused(again), first["usage"]["prompt_tokens"])

    # ledger: T14
    def test_nothing_is_saved_when_it_is_switched_off_and_a_removed_model_takes_its_conversations_along(self):
        with Daemon(context=2048, warm_disk=0) as daemon:
            daemon.add_chat_model()
            ask(daemon, first_turn())
            daemon.command("stop", CHAT_MODEL)
            self.assertEqual(self.states(daemon), [])
        with Daemon(context=2048) as daemon:
            daemon.add_chat_model()
            ask(daemon, first_turn())
            daemon.command("stop", CHAT_MODEL)
            self.assertEqual(len(self.states(daemon)), 1)
            self.assertEqual(os.stat(self.states(daemon)[0]).st_mode & 0o777, 0o600)
            daemon.command("rm", CHAT_MODEL)
            self.assertEqual(self.states(daemon), [])


if __name__ == "__main__":
    unittest.main()
