"""What a download costs: Puna's engine, with verification, beside curl, aria2c -x16, `hf download` and, where PUNA_TEST_OLLAMA names an
ollama program, `ollama pull`, against the hub double."""

import contextlib
import hashlib
import json
import os
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

SIZE = int(os.environ.get("PUNA_BENCH_TRANSFER_SIZE", 1 << 30))
DEADLINE = 600
ROUNDS = 5
PACED_ROUNDS = 3
PACE = {"rate": 20_000_000, "delay_ms": 50, "connect_ms": 50}
REPOSITORY, FILE, MODEL = "bench/large-GGUF", "large.Q8_0.gguf", "library/large"


class Double:
    """The hub double, with one large file on disk."""

    def __init__(self, program, file):
        self.program, self.file = program, file

    def __enter__(self):
        scenario = {
            "repositories": [{"id": REPOSITORY, "files": [{"path": FILE, "disk": str(self.file)}]}],
            "models": [{"name": f"{MODEL}:latest", "layers": [{"path": "model", "disk": str(self.file)}]}],
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as told:
            json.dump(scenario, told)
            told.flush()
            self.process = subprocess.Popen([self.program, told.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
            line = self.process.stdout.readline() if ready else ""
        if not line:
            raise SystemExit("bench: the hub double did not start")
        origins = json.loads(line)
        self.hub, self.registry = origins["hub"], origins["registry"].removeprefix("http://")
        self.url = f"{self.hub}/{REPOSITORY}/resolve/main/{FILE}"
        urllib.request.urlopen(urllib.request.Request(self.url, method="HEAD"), timeout=DEADLINE).close()  # its digest is computed once
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(DEADLINE)

    def _control(self, method, verb, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.hub}/_double/{verb}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.loads(answer.read())

    def pace(self, pace):
        self._control("POST", "pace", {"role": "storage", "pace": pace})

    def forget(self):
        self._control("DELETE", "requests")

    def sent(self):
        return sum(entry["sent"] for entry in self._control("GET", "requests") if entry["role"] == "storage")


def clients(fetch, hf, double, digest):
    """name -> (folder -> command, environment); each goes on where a killed run of it ended."""
    plain = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    out = {
        "puna": (lambda folder: [fetch, folder, double.url, str(SIZE), digest], plain),
        "aria2c -x16": (
            lambda folder: ["aria2c", "-q", "-x16", "-s16", "-k1M", "-c", "--file-allocation=falloc", "-d", folder, "-o", "file", double.url],
            plain,
        ),
        "curl": (lambda folder: ["curl", "-sSfL", "-C", "-", "-o", f"{folder}/file", double.url], plain),
    }
    if hf:
        out["hf download"] = (
            lambda folder: [hf, "download", REPOSITORY, FILE, "--local-dir", folder, "--quiet"],
            {**plain, "HF_ENDPOINT": double.hub, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HOME": tempfile.gettempdir()},
        )
    if ollama := os.environ.get("PUNA_TEST_OLLAMA"):
        pull = [sys.executable, str(Path(__file__).with_name("ollama_pull.py")), ollama]
        out["ollama serve + pull"] = (lambda folder: [*pull, folder, f"{double.registry}/{MODEL}"], plain)
    return out


@contextlib.contextmanager
def empty_folder(beside):
    folder = tempfile.mkdtemp(prefix="fetch-", dir=beside)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_once(command, environment, cwd):
    """Wall and processor seconds, peak memory in MiB, and what the program printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"bench: {command[0]} failed with {process.returncode}")
    return {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024, "printed": printed.decode()}


def side_by_side(contestants, beside, rounds):
    results = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, (command, environment) in contestants.items():
            with empty_folder(beside) as folder:
                results[name].append(run_once(command(folder), environment, folder))
    return results


def resent_after_kill(double, contestant, beside, share):
    command, environment = contestant
    with empty_folder(beside) as folder:
        double.forget()
        process = subprocess.Popen(command(folder), env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        while process.poll() is None and double.sent() < SIZE * share:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE)
        run_once(command(folder), environment, folder)
        return double.sent() - SIZE


def median(results, name, what):
    return statistics.median(entry[what] for entry in results[name])


def rows_of(results, what, goal):
    rows = []
    ours = median(results, "puna", "seconds")
    for name in results:
        took = median(results, name, "seconds")
        ratio = "" if name == "puna" else f"Puna takes {ours / took:.2f} of that; "
        rows.append((f"{what}: `{name}`", f"{took:.2f} s", goal if name == "puna" else "",
                     f"{ratio}{SIZE / took / 1e6:.0f} MB/s, {median(results, name, 'cpu') / SIZE * 1e9:.2f} s of processor a GB, "
                     f"{median(results, name, 'memory'):.0f} MiB at most"))
    return rows


def measured_by_puna(results):
    reports = [json.loads(entry["printed"]) for entry in results["puna"]]
    grown = max(report["peak_memory_growth"] for report in reports) / 2**20
    after = statistics.median(report["after_last_byte"] for report in reports)
    most = max(report["most_connections"] for report in reports)
    return [
        ("memory of the engine over its start", f"{grown:.1f} MiB", "under 64 MB", f"{most} connections at most"),
        ("from the last byte to the verified, synced file", f"{after:.2f} s", "under 1 s", "seen from progress that is up to 0.2 s old"),
    ]


def transfers(build, hf):
    rows = []
    with empty_folder(None) as place:
        served = Path(place) / "served"
        digest = hashlib.sha256()
        with served.open("wb") as file:
            for _ in range(SIZE >> 20):
                block = os.urandom(1 << 20)
                digest.update(block)
                file.write(block)
        with Double(build / "bin" / "puna-fake-hub", served) as double:
            contestants = clients(build / "bench" / "puna-fetch", hf, double, digest.hexdigest())
            results = side_by_side(contestants, place, ROUNDS)
            rows += rows_of(results, f"{SIZE >> 20} MiB over loopback", "at least aria2c's speed") + measured_by_puna(results)
            double.pace(PACE)
            results = side_by_side(contestants, place, PACED_ROUNDS)
            rows += rows_of(results, "20 MB/s a connection, 50 ms to connect and to answer", "at least aria2c's speed")
            rows += measured_by_puna(results)
            for share in (0.5, 0.9):
                for name, contestant in contestants.items():
                    resent = max(0, resent_after_kill(double, contestant, place, share)) / 1e6
                    rows.append((f"`kill -9` at {share:.0%}, then again: `{name}`", f"{resent:.1f} MB sent twice",
                                 "at most connections × 8 MiB" if name == "puna" else "", "as the server counts"))
    return rows
