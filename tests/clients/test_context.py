"""Conversations that are longer than the model's context, with OpenAI's client."""

import json
import unittest

import openai

from support import CHAT_MODEL, Daemon

CONTEXT = 512


def conversation(turns):
    messages = [{"role": "system", "content": "You answer in one short sentence."}]
    for number in range(turns):
        messages.append({"role": "user", "content": f"Note that item {number} of the list is called thing-{number}. " * 2})
        messages.append({"role": "assistant", "content": f"I noted item {number}."})
    messages.append({"role": "user", "content": "Say hello."})
    return messages


class Context(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(context=CONTEXT, slots=1, warm_disk=0))
        cls.daemon.add_chat_model()
        cls.client = openai.OpenAI(base_url=cls.daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)

    def ask(self, messages, truncation=None, **more):
        extra = {"truncation": truncation} if truncation else {}
        return self.client.chat.completions.with_raw_response.create(
            model=CHAT_MODEL, messages=messages, max_tokens=8, temperature=0, extra_body=extra, **more
        )

    def test_a_conversation_that_is_too_long_is_refused_with_the_counts(self):
        for truncation in (None, "disabled"):
            with self.assertRaises(openai.BadRequestError) as caught:
                self.ask(conversation(30), truncation)
            self.assertEqual(caught.exception.code, "context_length_exceeded")
            self.assertRegex(caught.exception.message, rf"the prompt has \d+ tokens, the context of the model {CONTEXT}")

    def test_what_fits_is_answered_whole_whatever_was_chosen(self):
        answer = self.ask(conversation(2), "shift")
        self.assertNotIn("X-Puna-Dropped", answer.headers)
        self.assertIsNone((answer.parse().model_extra or {}).get("puna"))

    def test_an_answer_says_what_was_left_out(self):
        for truncation in ("shift", "auto", "middle-out", "summarise"):
            answer = self.ask(conversation(30), truncation)
            dropped = answer.parse().model_extra["puna"]
            self.assertEqual(dropped["strategy"], "shift" if truncation == "auto" else truncation)
            self.assertEqual(dropped["dropped_messages"] % 2, 0, "a question goes with its answer")
            self.assertGreater(dropped["dropped_tokens"], 100)
            self.assertIn(f"messages={dropped['dropped_messages']}", answer.headers["X-Puna-Dropped"])
            self.assertLess(answer.parse().usage.prompt_tokens, CONTEXT)

    def test_a_stream_says_it_in_its_last_chunk(self):
        answer = self.ask(conversation(30), "shift", stream=True)
        self.assertIn("strategy=shift", answer.headers["X-Puna-Dropped"])
        chunks = list(answer.parse())
        told = [chunk.model_extra["puna"] for chunk in chunks if "puna" in (chunk.model_extra or {})]
        self.assertEqual(len(told), 1)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "length")
        self.assertGreater(told[0]["dropped_messages"], 10)

    def test_streams_of_other_dialects_say_it_where_they_say_how_they_ended(self):
        body = {"model": CHAT_MODEL, "messages": conversation(30), "stream": True}
        with self.daemon.http.stream("POST", "/api/chat", json={**body, "truncate": True}) as lines:
            told = [line for line in map(json.loads, lines.iter_lines()) if "puna" in line]
        self.assertEqual([line["done"] for line in told], [True])
        self.assertEqual(told[0]["puna"]["strategy"], "shift")

    def test_an_answer_that_fills_the_context_ends_for_its_length(self):
        answer = self.client.chat.completions.create(
            model=CHAT_MODEL,
            messages=[{"role": "user", "content": "Count."}],
            temperature=0,
            extra_body={"ignore_eos": True},
        )
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertLessEqual(answer.usage.total_tokens, CONTEXT)

    def test_the_setting_holds_for_requests_that_do_not_say(self):
        with Daemon(context=CONTEXT, slots=1, overflow="shift") as daemon:
            daemon.add_chat_model()
            body = {"model": CHAT_MODEL, "messages": conversation(30), "max_tokens": 4}
            answer = daemon.http.post("/v1/chat/completions", json=body)
            self.assertEqual(answer.json()["puna"]["strategy"], "shift")
            refused = daemon.http.post("/v1/chat/completions", json=body | {"truncation": "disabled"})
            self.assertEqual(refused.status_code, 400)


if __name__ == "__main__":
    unittest.main()
