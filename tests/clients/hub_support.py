"""The hub double as a program, for tests that meet it as any other program does."""

import json
import os
import select
import subprocess
import tempfile
from pathlib import Path

import httpx

FAKE_HUB = os.environ["PUNA_FAKE_HUB"]
DEADLINE = 60.0


class Hub:
    """`puna-fake-hub` with a scenario; use as a context manager."""

    def __init__(self, **scenario):
        self.scenario = scenario
        self.process = None
        self.origins = {}

    def __enter__(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.scenario, file)
            file.flush()
            self.process = subprocess.Popen([FAKE_HUB, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
            line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            raise RuntimeError("the hub double did not start")
        self.origins = json.loads(line)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()

    @property
    def url(self):
        return self.origins["hub"]

    def control(self, verb, **body):
        httpx.post(f"{self.url}/_double/{verb}", json=body, timeout=DEADLINE).raise_for_status()

    def fault(self, **what):
        self.control("faults", **what)

    def requests(self, **of):
        everything = httpx.get(f"{self.url}/_double/requests", timeout=DEADLINE).json()
        return [one for one in everything if all(one[name] == value for name, value in of.items())]

    def forget(self):
        httpx.delete(f"{self.url}/_double/requests", timeout=DEADLINE).raise_for_status()

    def environment(self, home: Path, token=None):
        """For a client of the hub that must not find anything of ours."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HOME": str(home / "hf"),
            "HF_ENDPOINT": self.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }
        return variables | ({"HF_TOKEN": token} if token else {})
