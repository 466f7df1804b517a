"""Many models and many clients: Puna beside llama-server's router on the same GGUF, a flood, swaps, predictions, idle connections."""

import contextlib
import http.client
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

DEADLINE = 600
CHAT = "/v1/chat/completions"
MODELS = ("one", "two")
TOKENS = 32
FLOOD = 50
ASKED = 40
HELD_SECONDS = float(os.environ.get("PUNA_BENCH_HELD_SECONDS", 60))
IDLE, STREAMING = 500, 64


def question():
    return [{"role": "user", "content": "Tell a story about " + "a llama and " * 5 + f"the sea, number {time.monotonic_ns()}."}]


def chat(target, model, tokens, address="127.0.0.1", messages=None):
    """One streamed answer from HOST:PORT, asked from a loopback address of its own: (seconds to the first token, seconds, tokens)."""
    body = {"model": model, "stream": True, "temperature": 0, "max_tokens": tokens, "ignore_eos": True, "messages": messages or question()}
    start = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection(target, timeout=DEADLINE, source_address=(address, 0))) as connection:
        connection.request("POST", CHAT, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"bench: {target} answered {answer.status}: {answer.read(300)!r}")
        first, count = None, 0
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            if b'"error"' in line:
                raise SystemExit(f"bench: {target} broke off: {line!r}")
            first = first or time.perf_counter() - start
            count += 1
    return first, time.perf_counter() - start, count


def together(jobs):
    """Runs functions at the same time; their results in order. The first failure ends the benchmark."""
    results, failures = [None] * len(jobs), []

    def run(index, job):
        try:
            results[index] = job()
        except BaseException as problem:  # told by the main thread
            failures.append(problem)

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    if failures:
        raise failures[0]
    return results


def p95(values):
    """By nearest rank: at least 95 % of the values are at most this."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


class Router:
    """llama-server without a model of its own: it starts one instance for each that is asked for."""

    def __init__(self, program, model, options):
        self.home = tempfile.mkdtemp(prefix="puna-bench-")
        for name in MODELS:
            (Path(self.home) / f"{name}.gguf").symlink_to(model)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.target = f"127.0.0.1:{probe.getsockname()[1]}"
        self.words = [program, "--models-dir", self.home, "--host", "127.0.0.1", "--port", self.target.split(":")[1], "--no-webui", *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env={"PATH": os.environ["PATH"], "HOME": self.home, "LLAMA_CACHE": self.home})
        ready = subprocess.run(["curl", "-s", "--fail", "--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--max-time", "60",
                                f"http://{self.target}/health"], capture_output=True)
        if ready.returncode != 0:
            raise SystemExit("bench: llama-server's router did not start")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.home, ignore_errors=True)


class Ollama:
    """`ollama serve` with a folder of its own and the model under the name that is asked for."""

    def __init__(self, program, model):
        self.program, self.home = program, tempfile.mkdtemp(prefix="puna-bench-")
        (Path(self.home) / "Modelfile").write_text(f"FROM {model}\n")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.target = f"127.0.0.1:{probe.getsockname()[1]}"
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home, "OLLAMA_HOST": self.target, "OLLAMA_NUM_PARALLEL": "4",
                            "OLLAMA_CONTEXT_LENGTH": "2048"}

    def __enter__(self):
        self.process = subprocess.Popen([self.program, "serve"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        subprocess.run(["curl", "-s", "--fail", "--retry", "60", "--retry-all-errors", "--retry-delay", "1", "--max-time", "60",
                        f"http://{self.target}/"], check=True, capture_output=True)
        subprocess.run([self.program, "create", MODELS[0], "-f", f"{self.home}/Modelfile"], check=True, capture_output=True, timeout=DEADLINE,
                       env=self.environment)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.home, ignore_errors=True)


def with_models(daemon, model):
    for name in MODELS:
        daemon.pull(model, name)
    return daemon.tcp


def round_of(target, clients, models, requests=2):
    """Clients ask at the same time, each the next model: (tokens a second, p95 of the first token in ms)."""
    start = time.perf_counter()
    jobs = [lambda i=i: [chat(target, models[i % len(models)], TOKENS) for _ in range(requests)] for i in range(clients)]
    answers = [answer for several in together(jobs) for answer in several]
    return sum(count for _, _, count in answers) / (time.perf_counter() - start), p95([1000 * first for first, _, _ in answers])


def compared(what, puna, other, name, rate_goal="", first_goal=""):
    """Rows of rounds that were measured in pairs."""
    rate, first = (statistics.median(p[i] / o[i] for p, o in zip(puna, other)) for i in (0, 1))
    seen = [statistics.median(one[i] for one in side) for side in (puna, other) for i in (0, 1)]
    return [(f"tokens/s, {what}", f"{rate:.3f} of {name}", rate_goal, f"{seen[0]:.1f} against {seen[2]:.1f}"),
            (f"p95 time to first token, {what}", f"{first:.3f} of {name}", first_goal, f"{seen[1]:.0f} against {seen[3]:.0f} ms")]


def clients_of(count):
    return f"{count} client{'s' if count > 1 else ''}"


def against_router(daemon_class, server, model, options):
    rows = []
    with daemon_class() as daemon, Router(server, model, [*options, "--models-max", "2"]) as router:
        targets = with_models(daemon, model), router.target
        for target in targets:
            for name in MODELS:
                chat(target, name, 4)
        for clients in (1, 4, 16):
            puna, llama = zip(*[[round_of(target, clients, MODELS[:1]) for target in targets] for _ in range(3)])
            rows += compared(clients_of(clients), puna, llama, "the router", "at least 0.95", "within 1.1")
        # A single answer of each model, once: the router's threads spin against each other (docs/decisions/cpu-oversubscription.md).
        puna, llama = zip(*[[round_of(target, 2, MODELS, 1) for target in targets]])
        return rows + compared("two models at once", puna, llama, "the router", "at least 0.95", "within 1.1")


def against_ollama(daemon_class, model):
    """Where PUNA_TEST_OLLAMA names an ollama program; one made by `go install` wants CGO_CFLAGS and CGO_CXXFLAGS with "-O3 -march=native"."""
    program = os.environ.get("PUNA_TEST_OLLAMA")
    if not program:
        return []
    rows = []
    with daemon_class() as daemon, Ollama(program, model) as ollama:
        targets = with_models(daemon, model), ollama.target
        for target in targets:
            chat(target, MODELS[0], 4)
        for clients in (1, 4, 16):
            puna, other = zip(*[[round_of(target, clients, MODELS[:1]) for target in targets] for _ in range(3)])
            rows += compared(clients_of(clients), puna, other, "Ollama")
    return rows


def flood(daemon_class, model):
    """A person asks now and then while another client sends its requests all at once."""
    with daemon_class() as daemon:
        target = with_models(daemon, model)
        ask = lambda: chat(target, "one", TOKENS, "127.0.0.3")  # noqa: E731
        ask()
        alone = [ask() for _ in range(ASKED)]
        jobs = [lambda: chat(target, "one", TOKENS, "127.0.0.2") for _ in range(FLOOD)]
        beside = []
        flooding = threading.Thread(target=together, args=(jobs,))
        flooding.start()
        while flooding.is_alive() and len(beside) < ASKED:
            beside.append(ask())
        flooding.join(DEADLINE)
    rows = []
    for what, index in (("time to first token", 0), ("whole answer", 1)):
        solo, flooded = (1000 * p95([one[index] for one in side]) for side in (alone, beside))
        rows.append((f"p95 {what} beside a flood of {FLOOD}", f"{flooded / solo:.2f} of solo", "at most 2",
                     f"{flooded:.0f} against {solo:.0f} ms, {len(beside)} answers"))
    return rows


def swaps(daemon_class, server, model, options):
    """One place for two models: what the first token after a change of model takes."""
    def rounds(target):
        chat(target, "two", 1)
        return statistics.median(1000 * chat(target, name, 1)[0] for _ in range(5) for name in MODELS)

    with daemon_class(max_models=1) as daemon:
        ours = rounds(with_models(daemon, model))
    with Router(server, model, [*options, "--models-max", "1"]) as router:
        theirs = rounds(router.target)
    return [("swap between two models, to the first token", f"{ours / theirs:.2f} of the router", "at most 1", f"{ours:.0f} against {theirs:.0f} ms")]


def second_turn(daemon_class, model, opening, **settings):
    """kill -9 of the daemon after the first turn of a long conversation: the seconds to the first token of the second one."""
    with daemon_class(context=8192, **settings) as daemon:
        chat(with_models(daemon, model), "one", 8, messages=opening)
        if settings.get("warm_disk") != 0:
            end = time.monotonic() + DEADLINE
            while not any(Path(daemon.home).rglob("*.kv")):  # written a second after the answer
                if time.monotonic() > end:
                    raise SystemExit("bench: the conversation was not saved")
                time.sleep(0.1)
        daemon.killed_and_started()
        return chat(daemon.tcp, "one", 1, messages=[*opening, {"role": "assistant", "content": "Of rivers."},
                                                    {"role": "user", "content": "And where do they end?"}])[0]


def warm_return(daemon_class, model):
    pairs = []
    for turn in range(3):
        opening = [{"role": "user", "content": f"Text {turn}: " + "the river runs from the mountain to the sea and meets other rivers " * 300}]
        pairs.append((second_turn(daemon_class, model, opening), second_turn(daemon_class, model, opening, warm_disk=0)))
    warm, cold = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(warm / cold for warm, cold in pairs)
    return [("second turn of 4,000 tokens after `kill -9`, to the first token", f"{100 * ratio:.1f} % of cold", "at most 10 %",
             f"{1000 * warm:.0f} against {1000 * cold:.0f} ms, start of the worker included")]


def prediction(daemon_class, model):
    with daemon_class() as daemon:
        target = with_models(daemon, model)
        errors = []
        for _ in range(2):
            together([lambda: chat(target, "one", 64) for _ in range(4)])
            running = next(entry for entry in daemon.command("running")["models"] if entry["name"].startswith("one"))
            errors.append((100 * (running["predicted_bytes"] / running["memory_bytes"] - 1), running))
            subprocess.run(["curl", "-sS", "--fail", "-X", "DELETE", "--unix-socket", daemon.socket,
                            f"http://puna/api/v1/running/{running['name']}"], check=True, capture_output=True, timeout=DEADLINE)
    return [(f"memory prediction, {when} the first load", f"{error:+.1f} %", goal,
             f"{running['predicted_bytes'] / 2**20:.0f} MiB predicted, {running['memory_bytes'] / 2**20:.0f} MiB resident")
            for (error, running), when, goal in zip(errors, ("before", "after"), ("within 15 %", "within 5 %"))]


def connections(daemon_class, model):
    """Idle connections and streams at the same time; what the daemon uses at the beginning and at the end."""
    with daemon_class(slots=STREAMING, context=256) as daemon, contextlib.ExitStack() as stack:
        target = with_models(daemon, model)
        chat(target, "one", 4)
        host, port = target.rsplit(":", 1)
        for _ in range(IDLE):
            stack.enter_context(contextlib.closing(socket.create_connection((host, int(port)))))
        end = time.monotonic() + HELD_SECONDS

        def stream():
            tokens = 0
            while time.monotonic() < end:
                tokens += chat(target, "one", 128)[2]
            return tokens

        held = threading.Thread(target=together, args=([stream] * STREAMING,))
        held.start()
        time.sleep(HELD_SECONDS / 4)  # until everything that is made once is made
        before = daemon.command("status")
        held.join(HELD_SECONDS / 2)
        after = daemon.command("status")
        held.join(DEADLINE)
    grown = (after["memory_bytes"] - before["memory_bytes"]) / 2**20
    return [(f"{IDLE} idle and {STREAMING} streaming connections, {HELD_SECONDS:.0f} s", f"{grown:+.1f} MiB", "no growth",
             f"{after['memory_bytes'] / 2**20:.0f} MiB resident, {after['open_descriptors']} descriptors ({before['open_descriptors']} before), "
             f"{after['connections']} connections")]


def fleet(daemon_class, server, model, options):
    """Rows of the table; `options` are the engine's for the router, as the daemon's workers have them."""
    return [*against_router(daemon_class, server, model, options), *against_ollama(daemon_class, model), *flood(daemon_class, model),
            *swaps(daemon_class, server, model, options), *warm_return(daemon_class, model),
            *prediction(daemon_class, model), *connections(daemon_class, model)]
