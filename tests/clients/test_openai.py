"""OpenAI's own client against the daemon with a real 135M-parameter model."""

import base64
import json
import struct
import unittest

import httpx
import openai

from support import CHAT_MODEL, WEATHER_PARAMETERS, daemon_for_module

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": WEATHER_PARAMETERS,
    },
}


def setUpModule():
    global daemon, client
    daemon = daemon_for_module("tiny-embed", "tiny-tools", "tiny-rank")
    client = openai.OpenAI(base_url=daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)


def ask(text="Name the first month of the year.", **options):
    options = {"model": CHAT_MODEL, "temperature": 0, "max_tokens": 24, **options}
    return client.chat.completions.create(messages=[{"role": "user", "content": text}], **options)


def ask_for_tool(**options):
    return ask("What is the weather in Paris?", model="tiny-tools", tools=[WEATHER], max_tokens=200, **options)


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


class Chat(unittest.TestCase):
    # proves: POST /v1/chat/completions
    def test_a_real_model_answers_sensibly(self):
        answer = ask()
        self.assertIn("January", answer.choices[0].message.content)
        self.assertEqual(answer.object, "chat.completion")
        self.assertGreater(answer.usage.prompt_tokens, 0)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_temperature_zero_gives_the_same_answer_streamed_or_not(self):
        whole = ask("Count from one to five.").choices[0].message.content
        streamed = text_of(ask("Count from one to five.", stream=True))
        self.assertEqual(whole, streamed)

    def test_a_seed_makes_sampling_repeat_and_another_seed_differs(self):
        def sample(seed):
            return ask("Tell me a story.", temperature=1.5, seed=seed, max_tokens=40).choices[0].message.content

        self.assertEqual(sample(7), sample(7))
        self.assertNotEqual(sample(7), sample(8))

    def test_max_tokens_ends_the_answer_and_says_so(self):
        answer = ask("Tell me a long story.", max_tokens=5)
        self.assertEqual(answer.choices[0].finish_reason, "length")
        self.assertEqual(answer.usage.completion_tokens, 5)
        newer = ask("Tell me a long story.", max_tokens=openai.NOT_GIVEN, max_completion_tokens=5)
        self.assertEqual(newer.usage.completion_tokens, 5)

    def test_a_stop_word_ends_the_answer_before_itself(self):
        answer = ask(stop=["year"])
        self.assertIn("first month of the", answer.choices[0].message.content)
        self.assertNotIn("year", answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "stop")

    def test_a_logit_bias_bans_a_word(self):
        tokens = [entry.token for entry in ask(logprobs=True).choices[0].logprobs.content]
        first = ask(max_tokens=1).choices[0].message.content
        banned = ask(max_tokens=1, extra_body={"logit_bias": [[first, False]]}).choices[0].message.content
        self.assertEqual(tokens[0], first)
        self.assertNotEqual(first, banned)

    def test_penalties_change_a_repetitive_answer(self):
        def said(**penalties):
            answer = ask("Write the word apple ten times.", max_tokens=40, extra_body={"ignore_eos": True}, **penalties)
            words = answer.choices[0].message.content.split()
            return len(set(words)) / len(words)

        self.assertLess(said(), said(frequency_penalty=2.0, presence_penalty=2.0))

    def test_logprobs_hold_the_chosen_token_and_the_alternatives(self):
        entries = ask(max_tokens=3, logprobs=True, top_logprobs=4).choices[0].logprobs.content
        self.assertEqual(len(entries), 3)
        for entry in entries:
            self.assertEqual(len(entry.top_logprobs), 4)
            self.assertLessEqual(entry.logprob, 0)
            self.assertEqual(entry.token, entry.top_logprobs[0].token)

    def test_n_gives_several_answers(self):
        answer = ask("Name an animal.", n=3, temperature=1.5, seed=3)
        self.assertEqual(sorted(choice.index for choice in answer.choices), [0, 1, 2])
        self.assertGreater(len({choice.message.content for choice in answer.choices}), 1)

    def test_a_stream_ends_with_usage_when_asked(self):
        chunks = list(ask(stream=True, stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.completion_tokens, 0)
        self.assertEqual(len({chunk.id for chunk in chunks}), 1)

    def test_a_conversation_keeps_its_earlier_turns(self):
        turns = [
            {"role": "system", "content": "You answer in one short sentence."},
            {"role": "user", "content": "What is 2+2?"},
            {"role": "assistant", "content": "4."},
            {"role": "user", "content": [{"type": "text", "text": "Name the first month of the year."}]},
        ]
        whole = client.chat.completions.create(model=CHAT_MODEL, temperature=0, max_tokens=24, messages=turns)
        last_only = client.chat.completions.create(model=CHAT_MODEL, temperature=0, max_tokens=24, messages=turns[-1:])
        self.assertIn("January", whole.choices[0].message.content)
        self.assertGreater(whole.usage.prompt_tokens, last_only.usage.prompt_tokens)


class Structured(unittest.TestCase):
    def test_a_json_schema_is_kept_to(self):
        schema = {
            "type": "object",
            "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
            "required": ["city", "population"],
            "additionalProperties": False,
        }
        answer = ask(
            "Describe Paris.",
            max_tokens=80,
            response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": schema}},
        )
        value = json.loads(answer.choices[0].message.content)
        self.assertEqual(set(value), {"city", "population"})
        self.assertIsInstance(value["population"], int)

    def test_json_object_gives_json(self):
        answer = ask("Reply with a JSON object that has one key, name.", max_tokens=300, response_format={"type": "json_object"})
        self.assertIsInstance(json.loads(answer.choices[0].message.content), dict)

    def test_a_required_tool_is_called_with_arguments_of_its_schema(self):
        answer = ask_for_tool(tool_choice="required")
        call = answer.choices[0].message.tool_calls[0]
        self.assertEqual(call.function.name, "get_weather")
        self.assertEqual(json.loads(call.function.arguments), {"city": "Paris"})
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")

    def test_a_tool_call_streams_as_deltas(self):
        name, arguments = "", ""
        for chunk in ask_for_tool(tool_choice="required", stream=True):
            for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
        self.assertEqual(name, "get_weather")
        self.assertEqual(json.loads(arguments), {"city": "Paris"})

    def test_a_function_that_the_choice_names_is_the_one_called(self):
        other = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
        answer = ask(
            "What is the weather in Paris?",
            model="tiny-tools",
            tools=[other, WEATHER],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
            max_tokens=200,
        )
        self.assertEqual([call.function.name for call in answer.choices[0].message.tool_calls], ["get_weather"])
        with self.assertRaises(openai.BadRequestError) as caught:
            ask_for_tool(tool_choice={"type": "function", "function": {"name": "get_tide"}})
        self.assertEqual(caught.exception.param, "tool_choice.function.name")

    def test_tools_may_be_left_alone(self):
        answer = ask_for_tool(tool_choice="none")
        self.assertIsNone(answer.choices[0].message.tool_calls)
        self.assertIn("get_weather", answer.choices[0].message.content)  # it is the only thing this model can say

    def test_tools_are_refused_by_a_model_whose_template_knows_none(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(tools=[WEATHER])
        self.assertEqual(caught.exception.param, "tools")


class OtherEndpoints(unittest.TestCase):
    # proves: POST /v1/completions
    def test_a_text_is_continued(self):
        answer = client.completions.create(model=CHAT_MODEL, prompt="The capital of France is", max_tokens=8, temperature=0)
        self.assertIn("Paris", answer.choices[0].text)
        streamed = client.completions.create(
            model=CHAT_MODEL, prompt="The capital of France is", max_tokens=8, temperature=0, stream=True
        )
        self.assertEqual(answer.choices[0].text, "".join(chunk.choices[0].text for chunk in streamed if chunk.choices))

    # proves: GET /v1/models
    # proves: GET /v1/models/{model}
    def test_models_are_listed_and_found(self):
        self.assertIn(CHAT_MODEL, [model.id for model in client.models.list()])
        self.assertEqual(client.models.retrieve(CHAT_MODEL).owned_by, "puna")

    # proves: POST /v1/embeddings
    def test_texts_become_unit_vectors_in_either_encoding(self):
        answer = client.embeddings.create(model="tiny-embed", input=["one", "two"])  # the client asks for base64
        self.assertEqual([entry.index for entry in answer.data], [0, 1])
        vector = answer.data[0].embedding
        self.assertAlmostEqual(sum(x * x for x in vector), 1.0, places=3)
        plain = client.embeddings.create(model="tiny-embed", input="one", encoding_format="float").data[0].embedding
        for a, b in zip(vector, plain, strict=True):
            self.assertAlmostEqual(a, b, places=5)
        raw = daemon.http.post("/v1/embeddings", json={"model": "tiny-embed", "input": "one", "encoding_format": "base64"})
        self.assertEqual(len(base64.b64decode(raw.json()["data"][0]["embedding"])), len(vector) * struct.calcsize("f"))

    def test_a_chat_model_makes_embeddings_too(self):
        answer = client.embeddings.create(model=CHAT_MODEL, input="hello")
        self.assertEqual(len(answer.data[0].embedding), 576)


class Rerank(unittest.TestCase):
    def rerank(self, **options):
        body = {"model": "tiny-rank", "query": "plains", "documents": ["a high plain", {"text": "cold stars"}, "dry grass"], **options}
        return client.post("/rerank", cast_to=object, body=body)

    # proves: POST /v1/rerank
    def test_documents_are_scored_and_sorted(self):
        answer = self.rerank()
        scores = [result["relevance_score"] for result in answer["results"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(sorted(result["index"] for result in answer["results"]), [0, 1, 2])
        self.assertEqual(len(set(scores)), 3)
        self.assertGreater(answer["usage"]["total_tokens"], 0)

    def same_at(self, path):
        body = {"model": "tiny-rank", "query": "plains", "documents": ["a high plain", "cold stars"]}
        answers = [httpx.post(daemon.url + at, json=body, timeout=180).json()["results"] for at in ("/v1/rerank", path)]
        self.assertEqual(*answers)

    # proves: POST /v2/rerank
    def test_documents_are_ranked_where_coheres_clients_ask(self):
        self.same_at("/v2/rerank")

    # proves: POST /rerank
    def test_documents_are_ranked_without_a_version(self):
        self.same_at("/rerank")

    def test_the_best_come_with_their_texts_when_asked(self):
        best = self.rerank()["results"][0]
        answer = self.rerank(top_n=1, return_documents=True)["results"]
        self.assertEqual(len(answer), 1)
        self.assertEqual(answer[0]["index"], best["index"])
        self.assertEqual(answer[0]["document"]["text"], ["a high plain", "cold stars", "dry grass"][best["index"]])

    def test_each_model_does_what_it_was_made_for(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            self.rerank(model="tiny-embed")
        self.assertIn("cannot rank documents", str(caught.exception))
        with self.assertRaises(openai.BadRequestError) as caught:
            client.embeddings.create(model="tiny-rank", input="x")
        self.assertIn("/v1/rerank", str(caught.exception))
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="tiny-rank", messages=[{"role": "user", "content": "x"}])
        self.assertIn("/v1/rerank", str(caught.exception))


class Failures(unittest.TestCase):
    def test_an_unknown_model_is_404_with_the_nearest_name(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="smolm2:135m", messages=[{"role": "user", "content": "x"}])
        self.assertIn(CHAT_MODEL, str(caught.exception))
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_a_bad_parameter_is_400_and_named(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(temperature="hot")
        self.assertEqual(caught.exception.param, "temperature")
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(extra_body={"temprature": 1})
        self.assertIn("did you mean 'temperature'", str(caught.exception))

    def test_an_overlong_prompt_is_refused_with_its_counts(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask("word " * 20000)
        self.assertEqual(caught.exception.code, "context_length_exceeded")
        self.assertRegex(str(caught.exception), r"\d{4,}")

    def test_an_embedding_model_does_not_chat(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="tiny-embed", messages=[{"role": "user", "content": "x"}])
        self.assertIn("/v1/embeddings", str(caught.exception))

    def test_a_client_that_gives_up_frees_the_model(self):
        impatient = client.with_options(timeout=0.5)
        with self.assertRaises(openai.APITimeoutError):
            impatient.chat.completions.create(
                model=CHAT_MODEL,
                messages=[{"role": "user", "content": "Tell me a very long story."}],
                extra_body={"ignore_eos": True},
                max_tokens=3000,
            )
        daemon.until(lambda: daemon.running()["active_requests"] == 0)

    def test_a_dropped_stream_stops_the_generation(self):
        stream = ask("Tell me a very long story.", stream=True, max_tokens=3000, extra_body={"ignore_eos": True})
        next(iter(stream))
        stream.close()
        daemon.until(lambda: daemon.running()["active_requests"] == 0)
        # The engine itself is idle: a request that needs every slot is answered at once.
        self.assertTrue(ask("Hi", max_tokens=2, n=4, temperature=1.0).choices)


if __name__ == "__main__":
    unittest.main()
