"""Anthropic's own client against the daemon with a real 135M-parameter model, and with tiny models that call tools."""

import json
import unittest

import anthropic

from support import CHAT_MODEL, WEATHER_PARAMETERS, daemon_for_module

WEATHER = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": WEATHER_PARAMETERS,
}


def setUpModule():
    global daemon, client
    daemon = daemon_for_module("tiny-embed", "tiny-tools")
    client = anthropic.Anthropic(base_url=daemon.url, api_key="none", max_retries=0, timeout=180)


def ask(text="Name the first month of the year.", **options):
    options = {"model": CHAT_MODEL, "max_tokens": 24, "extra_body": {"temperature": 0}, **options}
    options.setdefault("messages", [{"role": "user", "content": text}])
    return client.messages.create(**options)


def ask_for_tool(**options):
    return ask("What is the weather in Paris?", model="tiny-tools", tools=[WEATHER], max_tokens=200, **options)


def refusal(**options):
    try:
        ask(**options)
    except anthropic.APIStatusError as error:
        return error
    raise AssertionError("nothing was refused")


# conformance: POST /v1/messages
class Messages(unittest.TestCase):
    # proves: POST /v1/messages
    def test_a_real_model_answers_sensibly(self):
        answer = ask()
        self.assertIn("January", answer.content[0].text)
        self.assertEqual((answer.type, answer.role, answer.stop_reason), ("message", "assistant", "end_turn"))
        self.assertEqual(answer.model, CHAT_MODEL)
        self.assertTrue(answer.id.startswith("msg_"))
        self.assertTrue(answer._request_id)
        self.assertGreater(answer.usage.input_tokens + answer.usage.cache_read_input_tokens, 5)
        self.assertGreater(answer.usage.output_tokens, 1)

    def test_a_system_prompt_is_a_string_or_blocks(self):
        whole = ask(system="Answer in one word.\n\nBe kind.")
        blocks = ask(system=[{"type": "text", "text": "Answer in one word."}, {"type": "text", "text": "Be kind."}])
        self.assertEqual(whole.content[0].text, blocks.content[0].text)
        with_system = whole.usage.input_tokens + whole.usage.cache_read_input_tokens
        plain = ask().usage
        self.assertNotEqual(with_system, plain.input_tokens + plain.cache_read_input_tokens)

    def test_a_prefix_that_was_read_before_is_counted_as_cached(self):
        story = "Once upon a time there was a king. " * 20
        ask(story)
        again = ask(story)
        self.assertGreater(again.usage.cache_read_input_tokens, 50)

    def test_max_tokens_and_stop_sequences_end_an_answer_and_are_told(self):
        short = ask("Tell me a long story.", max_tokens=5)
        self.assertEqual((short.stop_reason, short.usage.output_tokens), ("max_tokens", 5))
        stopped = ask(stop_sequences=["year"])
        self.assertEqual((stopped.stop_reason, stopped.stop_sequence), ("stop_sequence", "year"))
        self.assertNotIn("year", stopped.content[0].text)

    def test_an_answer_that_was_begun_is_continued(self):
        begun = [
            {"role": "user", "content": "Name the first month of the year."},
            {"role": "assistant", "content": "The first month of the year is"},
        ]
        answer = ask(messages=begun).content[0].text
        self.assertTrue(answer.lstrip().startswith("January"), answer)
        pieces = [event.delta.text for event in ask(messages=begun, stream=True) if event.type == "content_block_delta"]
        self.assertEqual("".join(pieces), answer)

    def test_a_schema_is_kept_to(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
        answer = ask("A number?", max_tokens=60, output_config={"format": {"type": "json_schema", "schema": schema}})
        self.assertIsInstance(json.loads(answer.content[0].text)["n"], int)


class Streams(unittest.TestCase):
    def test_the_stream_is_the_whole_answer_in_pieces(self):
        with client.messages.stream(
            model=CHAT_MODEL,
            max_tokens=24,
            messages=[{"role": "user", "content": "Name the first month of the year."}],
            extra_body={"temperature": 0},
        ) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        whole = ask()
        self.assertEqual(text, whole.content[0].text)
        self.assertEqual(final.stop_reason, "end_turn")
        self.assertEqual(final.usage.output_tokens, whole.usage.output_tokens)

    def test_events_come_in_their_order_with_the_prompts_length_first(self):
        events = list(ask(stream=True))
        kinds = [event.type for event in events if event.type not in ("content_block_delta", "ping")]
        self.assertEqual(
            kinds, ["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"]
        )
        usage = events[0].message.usage
        self.assertGreater(usage.input_tokens + usage.cache_read_input_tokens, 5)
        self.assertGreater(events[-2].usage.output_tokens, 1)

    def test_a_dropped_stream_stops_the_generation(self):
        stream = ask("Tell me a very long story.", stream=True, max_tokens=3000)
        next(iter(stream))
        stream.close()
        daemon.until(lambda: daemon.running()["active_requests"] == 0)


class Tools(unittest.TestCase):
    def test_a_tool_that_must_be_called_is_called_with_arguments_of_its_schema(self):
        for choice in ({"type": "any"}, {"type": "tool", "name": "get_weather"}):
            answer = ask_for_tool(tool_choice=choice)
            call = answer.content[-1]
            self.assertEqual((call.type, call.name, call.input), ("tool_use", "get_weather", {"city": "Paris"}))
            self.assertEqual(answer.stop_reason, "tool_use")

    def test_a_call_streams_as_pieces_of_its_arguments(self):
        with client.messages.stream(
            model="tiny-tools",
            max_tokens=200,
            tools=[WEATHER],
            tool_choice={"type": "any"},
            messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        ) as stream:
            events = list(stream)
            final = stream.get_final_message()
        self.assertEqual(final.content[-1].input, {"city": "Paris"})
        self.assertTrue(any(event.type == "input_json" for event in events))

    def test_a_result_goes_back_by_the_id_of_its_use(self):
        asked = ask_for_tool(tool_choice={"type": "any"})
        use = asked.content[-1]
        history = [
            {"role": "user", "content": "What is the weather in Paris?"},
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in asked.content]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}]},
        ]
        answer = ask(model="tiny-tools", tools=[WEATHER], messages=history, tool_choice={"type": "none"})
        self.assertGreater(answer.usage.output_tokens, 0)
        history[2]["content"][0]["tool_use_id"] = "toolu_other"
        error = refusal(model="tiny-tools", tools=[WEATHER], messages=history)
        self.assertIn("messages[2].content[0].tool_use_id", str(error))

    def test_tools_are_refused_by_a_model_whose_template_knows_none(self):
        self.assertIn("tools: ", str(refusal(tools=[WEATHER])))


# conformance: POST /v1/messages/count_tokens
class Counting(unittest.TestCase):
    # proves: POST /v1/messages/count_tokens
    def test_a_prompt_is_counted_as_the_answer_counts_it(self):
        messages = [{"role": "user", "content": "Name the first month of the year."}]
        counted = client.messages.count_tokens(model=CHAT_MODEL, messages=messages, system="Be kind.")
        usage = ask(system="Be kind.").usage
        self.assertEqual(counted.input_tokens, usage.input_tokens + usage.cache_read_input_tokens)

    def test_what_would_be_refused_is_not_counted(self):
        with self.assertRaises(anthropic.BadRequestError):
            client.messages.count_tokens(model=CHAT_MODEL, messages=[])


class Models(unittest.TestCase):
    # conformance: GET /v1/models
    def test_models_are_listed_page_by_page(self):
        self.assertEqual(
            [model.id for model in client.models.list(limit=1)], [CHAT_MODEL, "tiny-embed:latest", "tiny-tools:latest"]
        )

    def test_a_model_is_found(self):
        model = client.models.retrieve(CHAT_MODEL)
        self.assertEqual((model.type, model.display_name), ("model", CHAT_MODEL))
        self.assertGreater(model.max_input_tokens, 1000)
        with self.assertRaises(anthropic.NotFoundError):
            client.models.retrieve("nobody")


class Failures(unittest.TestCase):
    def test_an_unknown_model_is_404_with_the_nearest_name(self):
        error = refusal(model="smolm2:135m")
        self.assertEqual((error.status_code, error.body["error"]["type"]), (404, "not_found_error"))
        self.assertIn(CHAT_MODEL, error.body["error"]["message"])
        self.assertEqual(error.body["type"], "error")
        self.assertTrue(error.body["request_id"])

    def test_each_malformed_member_is_named(self):
        for members, name in (
            ({"extra_body": {"temperature": "hot"}}, "temperature: "),
            ({"extra_body": {"temprature": 1}}, "did you mean 'temperature'"),
            ({"max_tokens": 0}, "max_tokens: "),
            ({"messages": []}, "messages: "),
            ({"system": 7}, "system: "),
            ({"thinking": {"type": "enabled", "budget_tokens": 99}}, "thinking.budget_tokens: "),
            ({"tool_choice": {"type": "tool", "name": "none"}}, "tool_choice"),
        ):
            error = refusal(**members)
            self.assertEqual((error.status_code, error.body["error"]["type"]), (400, "invalid_request_error"))
            self.assertIn(name, error.body["error"]["message"])

    def test_an_overlong_prompt_is_refused_with_its_counts(self):
        error = refusal(text="word " * 20000)
        self.assertEqual(error.status_code, 400)
        self.assertRegex(error.body["error"]["message"], r"^prompt is too long: .*\d{4,}")

    def test_an_embedding_model_does_not_chat(self):
        self.assertEqual(refusal(model="tiny-embed").status_code, 400)

    def test_unknown_paths_below_messages_are_refused_in_the_same_shape(self):
        answer = daemon.http.get("/v1/messages/batches")
        self.assertEqual((answer.status_code, answer.json()["error"]["type"]), (404, "not_found_error"))


if __name__ == "__main__":
    unittest.main()
