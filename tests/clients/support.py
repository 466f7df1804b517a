"""A real daemon in a folder of its own, for tests that talk to it as a client would."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import httpx

PUNA = os.environ["PUNA"]
MODELS = Path(os.environ["PUNA_TEST_MODELS"])
TINY_MODEL = os.environ["PUNA_TINY_MODEL"]
SMOLLM2 = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
CHAT_MODEL = "smollm2:135m"
DEADLINE = 180.0


def wait_readable(descriptor, seconds=DEADLINE):
    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        raise TimeoutError(f"nothing happened within {seconds} s")


def wait_for_end(pid, seconds=DEADLINE):
    """Returns once no process of that number is left."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with contextlib.closing(os.fdopen(pidfd)):
        wait_readable(pidfd, seconds)


# What the tools of tests are given, in every dialect.
WEATHER_PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Rome"]}},
    "required": ["city"],
}

# name -> what makes a tiny model of that kind.
TINY_MODELS = {"tiny-embed": "--embedding", "tiny-tools": "--tools", "tiny-rank": "--reranker"}


class Daemon:
    """`puna serve` with a home of its own; use as a context manager."""

    def __init__(self, home=None, **settings):
        self.home = Path(home or tempfile.mkdtemp(prefix="puna-test-"))
        self.owns_home = home is None
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PUNA_HOME": str(self.home),
            "PUNA_PORT": "0",
            "PUNA_PROBE": "false",
            **{f"PUNA_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.process = None
        self.http = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.disconnect()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(DEADLINE)
        if self.owns_home:
            shutil.rmtree(self.home, ignore_errors=True)

    def start(self):
        told, tell = os.pipe()
        self.process = subprocess.Popen(
            [PUNA, "serve", "--ready-fd", str(tell)],
            env=self.environment,
            pass_fds=[tell],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(tell)
        with os.fdopen(told) as pipe:
            wait_readable(told)
            word = pipe.readline()
        if word != "ready\n":
            raise RuntimeError(f"the daemon did not start: {word!r}")
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket())), base_url="http://puna", timeout=DEADLINE
        )
        self.url = "http://" + self.get("/api/v1/status")["tcp"]
        return self

    def socket(self):
        return next(self.home.rglob("puna.sock"))

    def disconnect(self):
        if self.http:
            self.http.close()
            self.http = None

    def kill(self):
        self.disconnect()
        self.process.kill()
        self.process.wait(DEADLINE)

    def command(self, *words, check=True, **options):
        """Runs `puna WORDS…` against this daemon."""
        done = subprocess.run(
            [PUNA, *words], env=self.environment, capture_output=True, text=True, timeout=DEADLINE, **options
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"puna {' '.join(words)}: exit code {done.returncode}\n{done.stderr}")
        return done

    def get(self, path):
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.json()

    def running(self, model=CHAT_MODEL):
        found = [entry for entry in self.get("/api/v1/running")["models"] if entry["name"] == model]
        return found[0] if found else None

    @contextlib.contextmanager
    def events(self):
        """An iterator over the events from now on; reading one has a deadline."""
        with self.http.stream("GET", "/api/v1/events") as stream:
            yield (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))

    def until(self, happened):
        """Runs through events until `happened()` holds; looks once before the first one."""
        with self.events() as events:
            if happened():
                return
            for _ in events:
                if happened():
                    return
        raise TimeoutError("the event stream ended")

    def add_chat_model(self):
        self.command("pull", str(SMOLLM2), "--name", CHAT_MODEL)

    def add_tiny_model(self, name, *options):
        file = self.home / f"{name.replace(':', '-')}.gguf"
        subprocess.run([TINY_MODEL, str(file), *options], check=True, timeout=DEADLINE)
        self.command("pull", str(file), "--name", name)


def daemon_for_module(*tiny_models, **settings):
    """A daemon with the chat model and some of TINY_MODELS, for all tests of a file: to be called in its setUpModule."""
    daemon = Daemon(**settings)
    daemon.__enter__()
    unittest.addModuleCleanup(daemon.__exit__)
    daemon.add_chat_model()
    for name in tiny_models:
        daemon.add_tiny_model(f"{name}:latest", TINY_MODELS[name])
    return daemon
