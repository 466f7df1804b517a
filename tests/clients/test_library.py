"""What Puna pulls from Hugging Face is found by Python's tools, and what they have is used in place. Other stores and recipes, too."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import httpx
from hub_support import Hub
from support import DEADLINE, TINY_MODEL, Daemon

REPOSITORY = "ada/tiny-GGUF"
# What the tiny model can say; chance decides in which order.
WORDS = set(
    "Llamas walk slowly over a high plain while wind moves dry grass and far snow keeps its quiet light, nobody hurries, every animal "
    "knows where water waits, so evening finds them all together under cold clear stars.".split()
)


def tiny_model(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([TINY_MODEL, str(path)], check=True, timeout=DEADLINE)
    return path


def python(script, environment, *words):
    """Runs a script with huggingface_hub in an environment of its own; returns what it printed, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", script, *words], env=environment, capture_output=True, text=True, timeout=DEADLINE
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


LOOK = """
import json, sys
from huggingface_hub import scan_cache_dir, try_to_load_from_cache
info = scan_cache_dir()
print(json.dumps({
    "file": try_to_load_from_cache(sys.argv[1], sys.argv[2]),
    "repositories": [repository.repo_id for repository in info.repos],
    "bytes": info.size_on_disk,
    "warnings": [str(warning) for warning in info.warnings],
}))
"""
FETCH = """
import json, sys
from huggingface_hub import hf_hub_download
print(json.dumps(hf_hub_download(sys.argv[1], sys.argv[2])))
"""

SNAPSHOT = """
import json, sys
from huggingface_hub import snapshot_download
print(json.dumps(snapshot_download(sys.argv[1])))
"""


class Library(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="puna-library-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.model = tiny_model(self.folder / "tiny.Q4_K_M.gguf")

    def hub(self):
        return Hub(repositories=[{"id": REPOSITORY, "files": [{"path": self.model.name, "disk": str(self.model)}]}])

    def daemon(self, **variables):
        daemon = Daemon()
        daemon.environment |= variables
        return daemon

    def names(self, daemon):
        return [model["name"] for model in daemon.get("/api/v1/models")["models"]]

    def test_python_finds_offline_what_puna_pulled(self):
        with self.hub() as hub, self.daemon(HF_ENDPOINT=hub.url, HF_HOME=str(self.folder / "hf")) as daemon:
            daemon.command("pull", f"{REPOSITORY}:Q4_K_M", "--name", "tiny")
            offline = hub.environment(self.folder) | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(self.folder / "hf")}
            found = python(LOOK, offline, REPOSITORY, self.model.name)
            self.assertEqual(Path(found["file"]).read_bytes(), self.model.read_bytes())
            self.assertEqual(found["repositories"], [REPOSITORY])
            self.assertEqual(found["warnings"], [])
            self.assertEqual(found["bytes"], self.model.stat().st_size)
            self.assertEqual(self.names(daemon), ["tiny:latest"])
            self.assertEqual(python(FETCH, offline, REPOSITORY, self.model.name), found["file"])
            daemon.command("rm", "--yes", "--now", "tiny")
            self.assertEqual(python(LOOK, offline, REPOSITORY, self.model.name)["repositories"], [])

    def test_puna_uses_in_place_what_python_fetched(self):
        with self.hub() as hub, self.daemon(HF_HOME=str(self.folder / "hf")) as daemon:
            self.assertEqual(self.names(daemon), [])
            place = python(FETCH, hub.environment(self.folder) | {"HF_HOME": str(self.folder / "hf")}, REPOSITORY, self.model.name)
            self.assertEqual(self.names(daemon), [f"{REPOSITORY}:Q4_K_M"])
            answer = daemon.command("run", f"{REPOSITORY}:Q4_K_M", "hello", stdin=subprocess.DEVNULL).stdout
            self.assertTrue(WORDS & set(answer.split()), answer)
            refused = daemon.command("rm", "--yes", f"{REPOSITORY}:Q4_K_M", check=False)
            self.assertEqual(refused.returncode, 4)
            self.assertIn("belongs to the Hugging Face cache", refused.stderr)
            self.assertTrue(os.path.exists(place))

    # ledger: F13
    def test_python_fetches_what_puna_pushed_and_a_second_push_sends_nothing(self):
        token = "hf_adas_secret"
        with Hub(users=[{"token": token, "name": "ada"}]) as hub, self.daemon(HF_ENDPOINT=hub.url, HF_TOKEN=token) as daemon:
            daemon.command("pull", str(self.model), "--name", "tiny")
            told = daemon.command("push", "tiny", "ada/mine-GGUF").stderr
            self.assertIn(f"{hub.url}/ada/mine-GGUF", told)
            files = [one["path"] for one in httpx.get(f"{hub.url}/api/models/ada/mine-GGUF/tree/main", timeout=DEADLINE).json()]
            self.assertIn("README.md", files)
            model = next(name for name in files if name.endswith(".gguf"))
            place = python(FETCH, hub.environment(self.folder), "ada/mine-GGUF", model)
            self.assertEqual(Path(place).read_bytes(), self.model.read_bytes())
            self.assertIn("has it already", daemon.command("push", "tiny", "ada/mine-GGUF").stderr)
            self.assertNotIn(token, (daemon.home / "state" / "puna.log").read_text())

    def test_python_fetches_a_pushed_adapter_in_the_form_of_peft(self):
        token = "hf_adas_secret"
        rows = self.folder / "rows.jsonl"
        rows.write_text(json.dumps({"prompt": "What do llamas eat?", "completion": "Hay."}) + "\n")
        with Hub(users=[{"token": token, "name": "ada"}]) as hub, self.daemon(HF_ENDPOINT=hub.url, HF_TOKEN=token) as daemon:
            daemon.command("pull", str(self.model), "--name", "tiny")
            daemon.command("tune", "tiny", str(rows), "--name", "care", "--rank", "4", "--max-steps", "2", "--eval-fraction", "0")
            daemon.command("push", "care", "ada/care")
            place = Path(python(SNAPSHOT, hub.environment(self.folder), "ada/care"))
            self.assertEqual(
                {file.name for file in place.iterdir()} - {".gitattributes"},
                {"README.md", "adapter_config.json", "adapter_model.safetensors", "care.gguf"},
            )
            self.assertEqual(json.loads((place / "adapter_config.json").read_text())["r"], 4)
            self.assertIn("has it already", daemon.command("push", "care", "ada/care").stderr)

    # ledger: T29
    def test_a_model_of_a_recipe_says_what_the_recipe_says(self):
        recipe = self.folder / "Modelfile"
        recipe.write_text(f"FROM {self.model}\nSYSTEM You are terse.\nPARAMETER num_predict 3\nPARAMETER temperature 0\n")
        with self.daemon() as daemon:
            daemon.command("create", "terse", "-f", str(recipe))
            body = {"model": "terse", "messages": [{"role": "user", "content": "hello"}]}
            answer = daemon.http.post("/v1/chat/completions", json=body).json()
            self.assertEqual(answer["usage"]["completion_tokens"], 3)
            longer = daemon.http.post("/v1/chat/completions", json=body | {"max_tokens": 5}).json()
            self.assertEqual(longer["usage"]["completion_tokens"], 5)
            own = body["messages"] + [{"role": "system", "content": ""}]
            without = daemon.http.post("/v1/chat/completions", json=body | {"messages": own}).json()
            self.assertLess(without["usage"]["prompt_tokens"], answer["usage"]["prompt_tokens"])
            recipe.write_text(f"FROM {self.model}\nTEMPLATE {{{{ .Prompt }}}}\n")
            refused = daemon.command("create", "x", "-f", str(recipe), check=False)
            self.assertIn("line 2: the template is written in Go's template language", refused.stderr)

    # ledger: D11
    def test_a_removal_is_undone_and_the_bytes_come_back_when_its_time_is_over(self):
        with self.daemon(PUNA_UNDO="1s") as daemon:
            daemon.command("pull", str(self.model), "--name", "tiny")
            blob = Path(daemon.get("/api/v1/models/tiny")["path"])
            daemon.command("rm", "--yes", "tiny")
            daemon.command("undo")
            self.assertEqual(self.names(daemon), ["tiny:latest"])
            daemon.command("rm", "--yes", "tiny")
            daemon.until(lambda: not blob.exists())


if __name__ == "__main__":
    unittest.main()
