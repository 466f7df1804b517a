"""The Responses API, by OpenAI's own client."""

import json
import os
import signal
import unittest

import openai
import pydantic

from support import CHAT_MODEL, WEATHER_PARAMETERS, daemon_for_module

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Current weather of a city",
    "parameters": WEATHER_PARAMETERS,
}


def setUpModule():
    global daemon, client
    daemon = daemon_for_module("tiny-tools")
    client = openai.OpenAI(base_url=daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)


def ask(prompt="Name the first month of the year.", **options):
    options = {"model": CHAT_MODEL, "temperature": 0, "max_output_tokens": 24, **options}
    return client.responses.create(input=prompt, **options)


class Answers(unittest.TestCase):
    # proves: POST /v1/responses
    def test_a_text_is_answered(self):
        answer = ask()
        self.assertIn("January", answer.output_text)
        self.assertEqual(answer.status, "completed")
        self.assertEqual(answer.object, "response")
        self.assertEqual(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens)
        self.assertEqual(answer.model, CHAT_MODEL)
        self.assertEqual(answer.text.format.type, "text")

    def test_it_is_what_a_chat_says(self):
        chat = client.chat.completions.create(
            model=CHAT_MODEL,
            temperature=0,
            max_tokens=24,
            messages=[
                {"role": "system", "content": "You answer in one short sentence."},
                {"role": "user", "content": "What is 2+2?"},
                {"role": "assistant", "content": "4."},
                {"role": "user", "content": "And 3+3?"},
            ],
        )
        answer = ask(
            [
                {"role": "user", "content": [{"type": "input_text", "text": "What is 2+2?"}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "4."}]},
                {"role": "user", "content": "And 3+3?"},
            ],
            instructions="You answer in one short sentence.",
        )
        self.assertEqual(answer.output_text, chat.choices[0].message.content)
        self.assertEqual(answer.usage.input_tokens, chat.usage.prompt_tokens)

    def test_a_cut_answer_says_that_it_is_incomplete(self):
        answer = ask("Tell me a long story.", max_output_tokens=5)
        self.assertEqual(answer.status, "incomplete")
        self.assertEqual(answer.incomplete_details.reason, "max_output_tokens")
        self.assertEqual(answer.output[0].status, "incomplete")
        self.assertEqual(answer.usage.output_tokens, 5)

    def test_a_json_schema_is_kept_to(self):
        class City(pydantic.BaseModel):
            city: str
            population: int

        answer = client.responses.parse(
            model=CHAT_MODEL, temperature=0, max_output_tokens=80, input="Describe Paris.", text_format=City
        )
        self.assertIsInstance(answer.output_parsed.population, int)

    def test_a_tool_is_called_and_its_result_taken(self):
        call = ask("What is the weather in Paris?", model="tiny-tools", tools=[WEATHER], tool_choice="required", max_output_tokens=200)
        item = call.output[0]
        self.assertEqual((item.type, item.name, json.loads(item.arguments)), ("function_call", "get_weather", {"city": "Paris"}))
        result = {"type": "function_call_output", "call_id": item.call_id, "output": "sunny"}
        after = ask([result], model="tiny-tools", previous_response_id=call.id, max_output_tokens=200)
        self.assertGreater(after.usage.input_tokens, call.usage.input_tokens // 2)
        self.assertEqual(after.previous_response_id, call.id)

    def test_logprobs_come_when_they_are_included(self):
        answer = ask(max_output_tokens=3, include=["message.output_text.logprobs"], top_logprobs=2)
        tokens = answer.output[0].content[0].logprobs
        self.assertEqual(len(tokens), 3)
        self.assertEqual(len(tokens[0].top_logprobs), 2)


class Streams(unittest.TestCase):
    # proves: POST /v1/responses
    def test_typed_events_build_the_same_answer(self):
        whole = ask().output_text
        with client.responses.stream(model=CHAT_MODEL, temperature=0, max_output_tokens=24, input="Name the first month of the year.") as stream:
            events = list(stream)
            final = stream.get_final_response()
        self.assertEqual(final.output_text, whole)
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        self.assertEqual([event.type for event in events[:4]], [
            "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        ])
        self.assertEqual([event.type for event in events[-4:]], [
            "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
        ])
        self.assertEqual("".join(e.delta for e in events if e.type == "response.output_text.delta"), whole)
        self.assertGreater(final.usage.output_tokens, 0)

    def test_a_tool_call_streams_its_arguments(self):
        events = list(ask("What is the weather in Paris?", model="tiny-tools", tools=[WEATHER], tool_choice="required",
                          max_output_tokens=200, stream=True))
        arguments = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
        done = next(e for e in events if e.type == "response.function_call_arguments.done")
        self.assertEqual(done.arguments, arguments)
        self.assertEqual(json.loads(arguments), {"city": "Paris"})
        self.assertEqual(events[-1].response.output[0].name, "get_weather")

    def test_a_worker_that_dies_ends_the_stream_as_failed(self):
        stream = ask("Tell me a very long story.", stream=True, max_output_tokens=3000, extra_body={"ignore_eos": True})
        types = []
        for event in stream:
            types.append(event.type)
            if event.type == "response.output_text.delta" and types.count(event.type) == 3:
                os.kill(daemon.running()["pid"], signal.SIGKILL)
        self.assertEqual(types[-1], "response.failed")


class Kept(unittest.TestCase):
    # proves: GET /v1/responses/{response}
    # proves: DELETE /v1/responses/{response}
    # proves: GET /v1/responses/{response}/input_items
    def test_an_answer_is_kept_until_it_is_deleted(self):
        answer = ask()
        kept = client.responses.retrieve(answer.id)
        self.assertEqual(kept.output_text, answer.output_text)
        items = client.responses.input_items.list(answer.id).data
        self.assertEqual(items[0].content[0].text, "Name the first month of the year.")
        client.responses.delete(answer.id)
        with self.assertRaises(openai.NotFoundError):
            client.responses.retrieve(answer.id)

    def test_a_conversation_goes_on_over_a_restart_of_the_daemon(self):
        global client
        first = ask("My name is Kim. Say hello.")
        daemon.kill()
        daemon.start()
        client = openai.OpenAI(base_url=daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)
        second = ask("What is my name?", previous_response_id=first.id)
        alone = ask("What is my name?")
        self.assertGreater(second.usage.input_tokens, alone.usage.input_tokens + 5)

    def test_what_is_not_stored_cannot_be_gone_on_from(self):
        answer = ask(store=False)
        self.assertFalse(answer.store)
        with self.assertRaises(openai.NotFoundError) as caught:
            ask(previous_response_id=answer.id)
        self.assertIn(answer.id, str(caught.exception))


class Counts(unittest.TestCase):
    # proves: POST /v1/responses/input_tokens
    def test_a_prompt_is_counted_without_an_answer(self):
        counted = client.responses.input_tokens.count(model=CHAT_MODEL, input="Name the first month of the year.")
        self.assertEqual(counted.input_tokens, ask().usage.input_tokens)


class Refusals(unittest.TestCase):
    def refused(self, **options):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(**options)
        return caught.exception

    def test_what_cannot_be_honoured_is_refused_by_name(self):
        self.assertEqual(self.refused(tools=[{"type": "web_search"}]).param, "tools[0].type")
        self.assertEqual(self.refused(background=True).param, "background")
        self.assertEqual(self.refused(conversation="conv_1").param, "conversation")
        self.assertEqual(self.refused(include=["file_search_call.results"]).param, "include[0]")
        self.assertEqual(self.refused(text={"format": {"type": "xml"}}).param, "text.format.type")
        self.assertEqual(self.refused(extra_body={"temprature": 1}).param, "temprature")

    def test_items_are_checked_down_to_the_part(self):
        image = {"role": "user", "content": [{"type": "input_image", "image_url": "http://192.0.2.1/x"}]}
        self.assertEqual(self.refused_input([image]), "input[0].content[0].image_url")
        self.assertEqual(self.refused_input([{"type": "item_reference", "id": "x"}]), "input[0].type")
        self.assertEqual(self.refused_input([{"role": "robot", "content": "x"}]), "input[0].role")

    def refused_input(self, items):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask(items)
        return caught.exception.param

    def test_an_overlong_prompt_is_refused_with_its_counts(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            ask("word " * 20000)
        self.assertEqual(caught.exception.code, "context_length_exceeded")


if __name__ == "__main__":
    unittest.main()
