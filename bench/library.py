"""What a library of 10,000 models costs: lists and starts of the daemon, beside huggingface_hub's scan of the same cache."""

import contextlib
import hashlib
import http.client
import os
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

MODELS = int(os.environ.get("PUNA_BENCH_MODELS", 10_000))
DEADLINE = 600
ROUNDS = 15
SCANS = 3
SCAN = """
import time
from huggingface_hub import scan_cache_dir
begun = time.perf_counter()
count = len(scan_cache_dir().repos)
print(count, (time.perf_counter() - begun) * 1000)
"""


def fill(cache, model):
    """A cache as huggingface_hub leaves it, each repository with one file of its own."""
    for number in range(MODELS):
        repository = cache / f"models--owner-{number % 100}--model-{number:05}-GGUF"
        commit = hashlib.sha1(str(number).encode()).hexdigest()
        blob = hashlib.sha256(str(number).encode()).hexdigest()
        for folder in ("blobs", "refs", f"snapshots/{commit}"):
            (repository / folder).mkdir(parents=True)
        (repository / "blobs" / blob).hardlink_to(model)  # ten thousand copies would fill 3 GiB
        (repository / "refs" / "main").write_text(commit)
        (repository / "snapshots" / commit / "model-Q4_K_M.gguf").symlink_to(f"../../blobs/{blob}")


class Daemon:
    def __init__(self, program, home, cache):
        self.program, self.home = program, home
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PUNA_HOME": str(home), "PUNA_TCP": "false",
                            "HF_HUB_CACHE": str(cache), "PUNA_MODEL_STORES": "huggingface"}

    @contextlib.contextmanager
    def running(self):
        told, tell = os.pipe()
        process = subprocess.Popen([self.program, "serve", "--ready-fd", str(tell)], env=self.environment, pass_fds=[tell],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(tell)
        with os.fdopen(told) as pipe:
            if pipe.readline() != "ready\n":
                raise SystemExit("bench: the daemon did not start")
        try:
            yield
        finally:
            process.terminate()
            process.wait(DEADLINE)

    def list(self):
        """Milliseconds of GET /api/v1/models over the socket, and the answer's size."""
        connection = http.client.HTTPConnection("puna", timeout=DEADLINE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(next(self.home.rglob("puna.sock"))))
        begun = time.perf_counter()
        connection.request("GET", "/api/v1/models")
        body = connection.getresponse().read()
        took = (time.perf_counter() - begun) * 1000
        connection.close()
        if body.count(b'"modified_at"') != MODELS:
            raise SystemExit("bench: the list is not whole")
        return took


def started(daemon):
    """Milliseconds from the start of the process to a whole list, and those of further lists."""
    begun = time.perf_counter()
    with daemon.running():
        daemon.list()
        first = (time.perf_counter() - begun) * 1000
        return first, [daemon.list() for _ in range(ROUNDS)]


def scan(python, cache):
    environment = {"PATH": os.environ["PATH"], "HF_HUB_CACHE": str(cache), "HOME": str(cache)}
    done = subprocess.run([python, "-c", SCAN], env=environment, check=True, capture_output=True, text=True, timeout=DEADLINE)
    count, took = done.stdout.split()
    assert int(count) == MODELS
    return float(took)


def library(program, tiny_model, python):
    with tempfile.TemporaryDirectory(prefix="puna-bench-") as folder:
        home, cache = Path(folder) / "home", Path(folder) / "hub"
        home.mkdir()
        subprocess.run([tiny_model, f"{folder}/tiny.gguf"], check=True, timeout=DEADLINE)
        fill(cache, Path(folder) / "tiny.gguf")
        daemon = Daemon(program, home, cache)
        cold, _ = started(daemon)
        warm, lists = started(daemon)
        scans = [scan(python, cache) for _ in range(SCANS)]
    listed, scanned = statistics.median(lists), statistics.median(scans)
    how = f"{MODELS} repositories of one file each in a Hugging Face cache"
    return [
        ("list, warm", f"{listed:.1f} ms", "under 50 ms (M10)", f"{how}; GET /api/v1/models over the socket, median of {ROUNDS}"),
        ("scan_cache_dir of huggingface_hub", f"{scanned:.0f} ms", "", f"the same cache, median of {SCANS}, without Python's start"),
        ("ratio", f"{scanned / listed:.0f} times", "50 times", ""),
        ("start to the first whole list", f"{warm:.0f} ms", "", "the daemon's process, its database and a look at every stamp"),
        ("the same, the first time", f"{cold:.0f} ms", "", "every header is read"),
    ]

