"""Ollama's own Python client against the daemon, on the listener where that client looks for Ollama."""

import hashlib
import json
import os
import socket
import subprocess
import unittest

import httpx
import ollama

from support import CHAT_MODEL, Daemon, SMOLLM2, WEATHER_PARAMETERS, daemon_for_module

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": WEATHER_PARAMETERS,
    },
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def setUpModule():
    global daemon, client, url
    port = free_port()
    daemon = daemon_for_module("tiny-embed", "tiny-tools", ollama_port=port)
    url = f"http://127.0.0.1:{port}"
    client = ollama.Client(host=url, timeout=180)


QUESTION = "Name the first month of the year."
GREEDY = {"temperature": 0, "num_predict": 24}


def ask(text=QUESTION, **options):
    options = {"model": CHAT_MODEL, "options": GREEDY, **options}
    options.setdefault("messages", [{"role": "user", "content": text}])
    return client.chat(**options)


def refusal(path="/api/chat", **body):
    answer = httpx.post(url + path, json=body, timeout=180)
    if answer.status_code < 400:
        raise AssertionError(f"not refused: {answer.text}")
    return answer.status_code, answer.json()["error"]


# proves: POST /api/chat
class Chat(unittest.TestCase):
    def test_a_real_model_answers_sensibly_with_counts_and_times(self):
        answer = ask()
        self.assertIn("January", answer.message.content)
        self.assertEqual((answer.model, answer.done, answer.done_reason), (CHAT_MODEL, True, "stop"))
        self.assertGreater(answer.prompt_eval_count, 5)
        self.assertGreater(answer.eval_count, 1)
        for duration in (answer.total_duration, answer.eval_duration, answer.prompt_eval_duration):
            self.assertGreater(duration, 1000)
        self.assertGreaterEqual(answer.total_duration, answer.eval_duration)

    def test_the_stream_is_the_whole_answer_in_lines(self):
        lines = list(ask(stream=True))
        self.assertEqual("".join(line.message.content for line in lines), ask().message.content)
        self.assertEqual([line.done for line in lines], [False] * (len(lines) - 1) + [True])
        self.assertGreater(lines[-1].eval_count, 1)

    def test_options_reach_the_engine(self):
        self.assertEqual(ask("Tell me a story.", options={**GREEDY, "num_predict": 5}).done_reason, "length")
        self.assertNotIn("year", ask(options={**GREEDY, "stop": ["year"]}).message.content)
        sample = {"temperature": 1.5, "seed": 7, "num_predict": 30}
        self.assertEqual(*(ask("Tell me a story.", options=sample).message.content for _ in range(2)))

    def test_a_format_is_kept_to(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        answer = ask("A number?", format=schema, options={**GREEDY, "num_predict": 80})
        self.assertIsInstance(json.loads(answer.message.content)["n"], int)
        answer = ask("Reply with JSON.", format="json", options={**GREEDY, "num_predict": 40})  # so small a model finds no end
        self.assertRegex(answer.message.content, r'^\s*\{\s*"')

    def test_tools_are_called_with_arguments_as_an_object(self):
        messages = [{"role": "user", "content": "What is the weather in Paris?"}]
        lines = list(ask(model="tiny-tools", tools=[WEATHER], messages=messages, stream=True, options={"num_predict": 200}))
        calls = [call for line in lines for call in line.message.tool_calls or []]
        whole = ask(model="tiny-tools", tools=[WEATHER], messages=messages, options={"num_predict": 200})
        self.assertEqual([(call.function.name, call.function.arguments) for call in calls],
                         [(call.function.name, call.function.arguments) for call in whole.message.tool_calls or []])
        self.assertEqual(calls[0].function.name, "get_weather")
        self.assertEqual(calls[0].function.arguments, {"city": "Paris"})
        messages += [whole.message, {"role": "tool", "tool_name": "get_weather", "content": "sunny"}]
        self.assertTrue(ask(model="tiny-tools", messages=messages, options={"num_predict": 10}).done)

    def test_the_chosen_tokens_come_with_their_probabilities(self):
        answer = ask(options={**GREEDY, "num_predict": 3}, logprobs=True, top_logprobs=2)
        self.assertEqual(len(answer.logprobs), 3)
        self.assertEqual(len(answer.logprobs[0].top_logprobs), 2)
        self.assertLessEqual(answer.logprobs[0].logprob, 0)

    def test_no_messages_load_a_model_and_no_time_unloads_it(self):
        self.assertEqual(ask(messages=[]).done_reason, "load")
        self.assertIn(CHAT_MODEL, [model.name for model in client.ps().models])
        self.assertEqual(ask(messages=[], keep_alive=0).done_reason, "unload")
        self.assertNotIn(CHAT_MODEL, [model.name for model in client.ps().models])

    def test_thinking_needs_a_model_that_thinks(self):
        with self.assertRaisesRegex(ollama.ResponseError, "does not support thinking"):
            ask(think=True)
        self.assertIn("January", ask(think=False).message.content)

    def test_a_larger_context_is_given_and_a_smaller_one_changes_nothing(self):
        ask(options={**GREEDY, "num_ctx": 512})
        self.assertEqual(daemon.running()["context_length"], 4096)
        ask(options={**GREEDY, "num_ctx": 6000})
        self.assertGreaterEqual(daemon.running()["context_length"], 6000)
        raised = daemon.running()["pid"]
        ask()
        self.assertEqual(daemon.running()["pid"], raised)


# proves: POST /api/generate
class Generate(unittest.TestCase):
    def test_a_prompt_is_answered_by_the_models_template(self):
        answer = client.generate(CHAT_MODEL, QUESTION, options=GREEDY)
        self.assertEqual(answer.response, ask().message.content)
        pieces = client.generate(CHAT_MODEL, QUESTION, options=GREEDY, stream=True)
        self.assertEqual("".join(piece.response for piece in pieces), answer.response)

    def test_a_system_prompt_goes_before_it(self):
        plain = client.generate(CHAT_MODEL, QUESTION, options=GREEDY).prompt_eval_count
        self.assertNotEqual(client.generate(CHAT_MODEL, QUESTION, system="Be kind.", options=GREEDY).prompt_eval_count, plain)

    def test_a_raw_prompt_is_continued_as_it_is(self):
        options = {"temperature": 0, "num_predict": 8}
        answer = client.generate(CHAT_MODEL, "The capital of France is", raw=True, options=options)
        self.assertIn("Paris", answer.response)
        self.assertEqual((answer.done_reason, answer.eval_count), ("length", 8))
        pieces = list(client.generate(CHAT_MODEL, "The capital of France is", raw=True, options=options, stream=True))
        self.assertEqual("".join(piece.response for piece in pieces), answer.response)

    def test_a_suffix_needs_a_model_that_fills_in(self):
        with self.assertRaisesRegex(ollama.ResponseError, "(?i)infill"):
            client.generate("tiny-tools", "def f(", suffix="return x", options={"num_predict": 4})

    def test_what_ollamas_templates_and_contexts_were_for_is_refused_with_the_way_out(self):
        for member in ({"template": "{{ .Prompt }}"}, {"context": [1, 2, 3]}):
            status, error = refusal("/api/generate", model=CHAT_MODEL, prompt="x", **member)
            self.assertEqual(status, 400)
            self.assertIn("/api/chat", error)


class Embeddings(unittest.TestCase):
    # proves: POST /api/embed
    def test_texts_become_unit_vectors(self):
        answer = client.embed("tiny-embed", ["one", "two"])
        self.assertEqual(len(answer.embeddings), 2)
        self.assertAlmostEqual(sum(x * x for x in answer.embeddings[0]), 1.0, places=3)
        self.assertGreater(answer.prompt_eval_count, 1)
        short = client.embed("tiny-embed", "one", dimensions=4).embeddings[0]
        self.assertEqual(len(short), 4)
        self.assertAlmostEqual(sum(x * x for x in short), 1.0, places=3)

    # proves: POST /api/embeddings
    def test_the_older_endpoint_gives_one_vector(self):
        vector = client.embeddings("tiny-embed", "one").embedding
        for a, b in zip(vector, client.embed("tiny-embed", "one").embeddings[0], strict=True):
            self.assertAlmostEqual(a, b, places=5)


class Models(unittest.TestCase):
    # proves: GET /api/tags
    # proves: GET /api/ps
    def test_models_are_listed_with_what_clients_rely_on(self):
        listed = {model.model: model for model in client.list().models}
        self.assertLessEqual({CHAT_MODEL, "tiny-embed:latest", "tiny-tools:latest"}, set(listed))
        model = listed[CHAT_MODEL]
        self.assertEqual(model.digest, hashlib.sha256(SMOLLM2.read_bytes()).hexdigest())
        self.assertEqual((model.details.format, model.details.family), ("gguf", "llama"))
        self.assertRegex(model.details.parameter_size, r"^134\.\d+M$")
        ask()
        running = client.ps().models[0]
        self.assertEqual((running.name, running.digest), (CHAT_MODEL, model.digest))
        self.assertGreater(running.context_length, 1000)

    # proves: POST /api/show
    def test_a_model_is_shown_with_template_and_metadata(self):
        shown = client.show(CHAT_MODEL)
        self.assertIn("<|im_start|>", shown.template)
        self.assertIn("completion", shown.capabilities)
        self.assertEqual(shown.modelinfo["general.architecture"], "llama")
        self.assertIn("FROM ", shown.modelfile)
        self.assertIn("tools", client.show("tiny-tools").capabilities)

    # proves: GET /api/version
    def test_versions_are_told(self):
        answer = httpx.get(url + "/api/version").json()
        self.assertRegex(answer["version"], r"^0\.\d+\.\d+$")
        self.assertIn("puna", answer)

    def test_the_listener_says_what_clients_look_for(self):
        self.assertEqual(httpx.get(url + "/").text, "Ollama is running")
        self.assertEqual(httpx.head(url + "/").status_code, 200)
        self.assertEqual(httpx.get(daemon.url + "/api/tags").json(), httpx.get(url + "/api/tags").json())

    # proves: POST /api/copy
    # proves: DELETE /api/delete
    def test_models_are_copied_and_deleted(self):
        client.copy("tiny-tools", "twin")
        self.assertIn("twin:latest", [model.model for model in client.list().models])
        client.delete("twin")
        self.assertNotIn("twin:latest", [model.model for model in client.list().models])
        with self.assertRaises(ollama.ResponseError) as caught:
            client.delete("twin-of-nobody")
        self.assertEqual(caught.exception.status_code, 404)


class Making(unittest.TestCase):
    # proves: POST /api/create
    def test_a_model_is_made_of_another_with_its_own_ways(self):
        lines = list(
            client.create("pirate", from_=CHAT_MODEL, system="You are a pirate.\nSay \"arr\".", stream=True,
                          parameters={"temperature": 0.25, "num_ctx": 2048, "stop": ["\n\n"]})
        )
        self.assertEqual(lines[-1].status, "success")
        shown = client.show("pirate")
        self.assertIn('SYSTEM """You are a pirate.\nSay "arr"."""', shown.modelfile)
        self.assertRegex(shown.parameters, r"temperature +0\.25")
        self.assertRegex(shown.parameters, r"num_ctx +2048")

    # proves: POST /api/blobs/{digest}
    # proves: HEAD /api/blobs/{digest}
    def test_a_file_is_brought_and_made_into_a_model(self):
        file = daemon.home / "brought.gguf"
        subprocess.run([os.environ["PUNA_TINY_MODEL"], str(file), "--endless"], check=True)
        digest = client.create_blob(file)
        self.assertEqual(httpx.head(f"{url}/api/blobs/{digest}").status_code, 200)
        self.assertEqual(client.create("brought", files={"brought.gguf": digest}).status, "success")
        self.assertIn("completion", client.show("brought").capabilities)
        self.assertEqual(list(daemon.home.rglob("uploads/sha256-*")), [])  # the library has it now

    def test_content_of_another_digest_is_refused_and_leaves_nothing(self):
        answer = httpx.post(f"{url}/api/blobs/sha256:{'0' * 64}", content=b"something else")
        self.assertEqual(answer.status_code, 400)
        self.assertIn(hashlib.sha256(b"something else").hexdigest(), answer.json()["error"])
        self.assertEqual(httpx.head(f"{url}/api/blobs/sha256:{'0' * 64}").status_code, 404)
        self.assertEqual(refusal("/api/create", model="x", files={"a.gguf": f"sha256:{'0' * 64}"})[0], 404)

    # proves: POST /api/pull
    # proves: POST /api/push
    def test_what_cannot_be_pulled_or_pushed_is_told_in_the_stream_or_at_once(self):
        self.assertEqual(refusal("/api/pull", model="no good name!")[0], 400)
        self.assertEqual(refusal("/api/push", model="nobody/nothing")[0], 404)


class Failures(unittest.TestCase):
    def test_an_unknown_model_is_404_with_the_nearest_name(self):
        status, error = refusal(model="smolm2:135m", messages=[{"role": "user", "content": "x"}])
        self.assertEqual(status, 404)
        self.assertIn(CHAT_MODEL, error)

    def test_each_malformed_member_is_named(self):
        for body, name in (
            ({"messages": 7}, "messages: "),
            ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role: "),
            ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content: "),
            ({"messages": [{"role": "user", "images": [7]}]}, "messages[0].images[0]: "),
            ({"options": {"temperature": "hot"}}, "options.temperature: "),
            ({"options": {"num_ctx": 0}}, "options.num_ctx: "),
            ({"format": "yaml"}, "format: "),
            ({"think": "much"}, "think: "),
            ({"keep_alive": []}, "keep_alive: "),
            ({"stream": "yes"}, "stream: "),
        ):
            status, error = refusal(**{"model": CHAT_MODEL, "messages": [{"role": "user", "content": "x"}], **body})
            self.assertEqual(status, 400, error)
            self.assertTrue(error.startswith(name), error)

    def test_members_that_nobody_knows_are_ignored_and_told(self):
        body = {"model": CHAT_MODEL, "messages": [{"role": "user", "content": "x"}], "stream": False, "temprature": 1,
                "options": {"num_predict": 2, "top_kk": 3}}
        answer = httpx.post(url + "/api/chat", json=body, timeout=180)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["X-Puna-Ignored"], "temprature, options.top_kk")

    def test_an_overlong_prompt_is_refused_with_its_counts(self):
        with self.assertRaisesRegex(ollama.ResponseError, r"\d{4,}"):
            ask("word " * 20000)

    def test_a_dropped_stream_stops_the_generation(self):
        stream = ask("Tell me a very long story.", stream=True, options={"num_predict": 3000})
        next(iter(stream))
        stream.close()
        daemon.until(lambda: daemon.running()["active_requests"] == 0)

    def test_a_taken_port_is_told_with_its_holder_and_the_daemon_goes_on(self):
        with Daemon(ollama_port=url.rpartition(":")[2]) as second:
            problems = " ".join(second.get("/api/v1/status")["problems"])
            self.assertIn("server.ollama_port", problems)
            self.assertIn(str(daemon.process.pid), problems)


if __name__ == "__main__":
    unittest.main()
