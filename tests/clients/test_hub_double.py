"""The hub double, judged by the official clients: what works with the hub and the registry works with it, with the same results."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

# Read by huggingface_hub when it is imported.
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ.pop("HF_TOKEN", None)

import httpx
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    DisabledRepoError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from hub_support import DEADLINE, Hub

MIB = 1024 * 1024
ADA = {"token": "hf_adas_secret", "name": "ada", "accepted": ["bob/closed"]}
BOB = {"token": "hf_bobs_secret", "name": "bob", "organizations": ["guild"]}
TINY = {
    "id": "ada/tiny-GGUF",
    "tags": ["gguf", "license:mit"],
    "pipeline_tag": "text-generation",
    "downloads": 7,
    "gguf": {"total": 1000, "architecture": "llama", "context_length": 64},
    "files": [
        {"path": "README.md", "text": "# Tiny\n"},
        {"path": "tiny.Q4_K_M.gguf", "size": 3 * MIB, "seed": 1},
        {"path": "more/tiny.Q8_0.gguf", "size": 2 * MIB + 1, "seed": 2},
        {"path": "empty.txt", "text": ""},
    ],
    "revisions": [{"name": "old", "files": [{"path": "README.md", "text": "old"}]}],
}


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="puna-hub-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def hub(self, **scenario):
        scenario.setdefault("users", [ADA, BOB])
        scenario.setdefault("repositories", [TINY])
        return self.enterContext(Hub(**scenario))

    def api(self, hub, token=False):
        return HfApi(endpoint=hub.url, token=token)

    def hf(self, hub, *words, token=None, check=True):
        """Runs the `hf` of the official client."""
        program = Path(sys.executable).with_name("hf")
        done = subprocess.run(
            [program, *map(str, words)],
            env=hub.environment(self.folder, token),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            stdin=subprocess.DEVNULL,
        )
        if check:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done


class Reading(Folder):
    def test_a_whole_repository_comes_with_the_digests_that_were_told(self):
        hub = self.hub()
        self.hf(hub, "download", "ada/tiny-GGUF", "--local-dir", self.folder / "out")
        told = self.api(hub).model_info("ada/tiny-GGUF", files_metadata=True)
        for sibling in told.siblings:
            file = self.folder / "out" / sibling.rfilename
            self.assertEqual(file.stat().st_size, sibling.size)
            if sibling.lfs:
                self.assertEqual(digest(file), sibling.lfs.sha256)

    def test_a_pattern_chooses_files_and_a_revision_another_state(self):
        hub = self.hub()
        self.hf(hub, "download", "ada/tiny-GGUF", "--include", "*Q8_0*", "--local-dir", self.folder / "some")
        self.assertEqual([path.name for path in (self.folder / "some").rglob("*.*") if ".cache" not in path.parts], ["tiny.Q8_0.gguf"])
        self.hf(hub, "download", "ada/tiny-GGUF", "README.md", "--revision", "old", "--local-dir", self.folder / "old")
        self.assertEqual((self.folder / "old" / "README.md").read_text(), "old")

    def test_a_snapshot_fills_the_cache_and_a_second_one_fetches_nothing(self):
        hub = self.hub()
        path = Path(snapshot_download("ada/tiny-GGUF", endpoint=hub.url, cache_dir=self.folder, token=False))
        self.assertEqual(path.name, self.api(hub).model_info("ada/tiny-GGUF").sha)
        hub.forget()
        snapshot_download("ada/tiny-GGUF", endpoint=hub.url, cache_dir=self.folder, token=False)
        self.assertEqual(hub.requests(role="storage"), [])

    def test_a_connection_that_breaks_is_continued_with_a_range(self):
        hub = self.hub(repositories=[{"id": "ada/big", "files": [{"path": "big.gguf", "size": 24 * MIB}]}])
        hub.fault(role="storage", method="GET", cut_after=15 * MIB)
        path = hf_hub_download("ada/big", "big.gguf", endpoint=hub.url, cache_dir=self.folder, token=False)
        self.assertEqual(digest(path), self.api(hub).get_paths_info("ada/big", "big.gguf")[0].lfs.sha256)
        last = hub.requests(role="storage")[-1]
        self.assertEqual((last["range"], last["status"], last["from"]), (f"bytes={10 * MIB}-", 206, 10 * MIB))

    def test_a_token_stays_at_the_hub(self):
        hub = self.hub()
        hf_hub_download("ada/tiny-GGUF", "tiny.Q4_K_M.gguf", endpoint=hub.url, cache_dir=self.folder, token=ADA["token"])
        self.assertEqual({one["authorization"] for one in hub.requests(role="hub")}, {"Bearer " + ADA["token"]})
        self.assertEqual({one["authorization"] for one in hub.requests(role="storage")}, {""})

    def test_trees_come_in_pages(self):
        files = [{"path": f"part/{number:04}.txt", "text": str(number)} for number in range(2500)]
        hub = self.hub(repositories=[{"id": "ada/many", "files": files}])
        tree = list(self.api(hub).list_repo_tree("ada/many", recursive=True))
        self.assertEqual(len([entry for entry in tree if hasattr(entry, "blob_id")]), 2500)
        self.assertEqual(len(hub.requests(role="hub", method="GET")), 3)

    def test_a_small_folder_and_expanded_entries(self):
        api = self.api(self.hub())
        names = sorted(entry.path for entry in api.list_repo_tree("ada/tiny-GGUF"))
        self.assertEqual(names, ["README.md", "empty.txt", "more", "tiny.Q4_K_M.gguf"])
        entry = next(iter(api.list_repo_tree("ada/tiny-GGUF", "more", expand=True)))
        self.assertEqual((entry.size, entry.security.safe), (2 * MIB + 1, True))
        self.assertTrue(entry.last_commit.oid)

    def test_info_tells_gguf_and_refs_tell_branches(self):
        api = self.api(self.hub())
        self.assertEqual(api.model_info("ada/tiny-GGUF", expand=["gguf"]).gguf["architecture"], "llama")
        refs = api.list_repo_refs("ada/tiny-GGUF")
        self.assertEqual(sorted(branch.name for branch in refs.branches), ["main", "old"])

    def test_a_search_is_filtered_sorted_and_paged(self):
        repositories = [{"id": f"guild/m{number:02}-GGUF", "tags": ["gguf"], "downloads": number, "files": []} for number in range(25)]
        hub = self.hub(repositories=repositories + [{"id": "guild/plain", "files": []}], search_page=10)
        found = list(self.api(hub).list_models(search="gguf", author="guild", filter="gguf", sort="downloads"))
        self.assertEqual([model.downloads for model in found], list(range(24, -1, -1)))
        self.assertEqual(len(hub.requests(role="hub")), 3)

    def test_a_private_repository_is_seen_by_its_owner_alone(self):
        hub = self.hub(repositories=[{"id": "bob/secret", "visibility": "private", "files": []}])
        self.assertEqual([], list(self.api(hub).list_models()))
        self.assertTrue(self.api(hub, BOB["token"]).model_info("bob/secret").private)
        self.assertEqual(self.api(hub, BOB["token"]).whoami()["name"], "bob")

    def test_a_moved_repository_is_followed(self):
        hub = self.hub(repositories=[TINY, {"id": "ada/former", "moved_to": "ada/tiny-GGUF", "files": []}])
        path = hf_hub_download("ada/former", "README.md", endpoint=hub.url, cache_dir=self.folder, token=False)
        self.assertEqual(Path(path).read_text(), "# Tiny\n")


class Refusals(Folder):
    def expect(self, error, hub, repository, file="README.md", token=False, **options):
        with self.assertRaises(error) as caught:
            hf_hub_download(repository, file, endpoint=hub.url, cache_dir=self.folder, token=token, **options)
        return caught.exception

    def test_each_reason_has_its_own_error(self):
        hub = self.hub(
            repositories=[
                TINY,
                {"id": "bob/closed", "gated": "manual", "files": [{"path": "a.gguf", "size": 10}]},
                {"id": "bob/off", "disabled": True, "files": []},
            ]
        )
        self.expect(RepositoryNotFoundError, hub, "ada/none")
        self.expect(RepositoryNotFoundError, hub, "ada/none", token=ADA["token"])
        self.expect(RevisionNotFoundError, hub, "ada/tiny-GGUF", revision="none")
        self.expect(EntryNotFoundError, hub, "ada/tiny-GGUF", "none.txt")
        with self.assertRaises(DisabledRepoError):
            self.api(hub, BOB["token"]).model_info("bob/off")
        self.assertEqual(self.expect(GatedRepoError, hub, "bob/closed", "a.gguf").response.status_code, 401)
        hub.control("users", token="hf_eve", name="eve")
        self.assertEqual(self.expect(GatedRepoError, hub, "bob/closed", "a.gguf", token="hf_eve").response.status_code, 403)
        hf_hub_download("bob/closed", "a.gguf", endpoint=hub.url, cache_dir=self.folder, token=ADA["token"])

    def test_access_can_be_asked_for_before(self):
        hub = self.hub(repositories=[{"id": "bob/closed", "gated": "auto", "files": []}])
        self.api(hub, ADA["token"]).auth_check("bob/closed")
        with self.assertRaises(GatedRepoError):
            self.api(hub).auth_check("bob/closed")

    def test_a_revoked_token_means_nobody(self):
        hub = self.hub()
        hub.control("revoke", token=ADA["token"])
        with self.assertRaises(HfHubHTTPError) as caught:
            self.api(hub, ADA["token"]).whoami()
        self.assertEqual(caught.exception.response.status_code, 401)

    def test_a_full_quota_says_when_it_ends_and_the_client_waits_for_that(self):
        hub = self.hub(api_quota=1, quota_window_ms=2000)
        api = self.api(hub)
        api.model_info("ada/tiny-GGUF")
        refused = httpx.get(f"{hub.url}/api/models/ada/tiny-GGUF")
        self.assertEqual(refused.status_code, 429)
        self.assertRegex(refused.headers["ratelimit"], r'^"api";r=0;t=[12]$')
        self.assertEqual(len(list(api.list_repo_tree("ada/tiny-GGUF"))), 4)

    def test_an_expired_link_is_refused_in_xml(self):
        hub = self.hub(link_life_ms=0)
        link = httpx.get(f"{hub.url}/ada/tiny-GGUF/resolve/main/tiny.Q4_K_M.gguf").headers["location"]
        answer = httpx.get(link)
        self.assertEqual(answer.status_code, 403)
        self.assertIn("Request has expired", answer.text)

    def test_an_encoded_slash_is_refused(self):
        self.assertEqual(httpx.get(f"{self.hub().url}/api/models/ada%2Ftiny-GGUF").status_code, 400)


class Writing(Folder):
    def test_a_repository_is_created_filled_and_deleted(self):
        hub = self.hub()
        api = self.api(hub, BOB["token"])
        api.create_repo("guild/new", private=True)
        with self.assertRaises(HfHubHTTPError) as caught:
            api.create_repo("guild/new")
        self.assertEqual(caught.exception.response.status_code, 409)
        api.upload_file(path_or_fileobj=b"small", path_in_repo="notes/small.txt", repo_id="guild/new")
        self.assertEqual(Path(api.hf_hub_download("guild/new", "notes/small.txt", cache_dir=self.folder)).read_text(), "small")
        api.delete_file("notes/small.txt", "guild/new")
        self.assertFalse(api.file_exists("guild/new", "notes/small.txt"))
        api.delete_repo("guild/new")
        self.assertFalse(api.repo_exists("guild/new"))

    def test_large_files_go_to_storage_in_one_piece_or_in_parts(self):
        hub = self.hub(part_size=5 * MIB)
        for name, size in (("one.bin", 4 * MIB), ("parts.bin", 12 * MIB + 3)):
            file = self.folder / name
            file.write_bytes(os.urandom(size))
            self.hf(hub, "upload", "ada/tiny-GGUF", file, name, token=ADA["token"])
            told = self.api(hub).get_paths_info("ada/tiny-GGUF", name)[0]
            self.assertEqual((told.size, told.lfs.sha256), (size, digest(file)))
        puts = hub.requests(role="storage", method="PUT")
        self.assertEqual((len(puts), {put["authorization"] for put in puts}), (4, {""}))

    def test_a_folder_is_one_commit_and_what_is_there_is_not_sent_again(self):
        hub = self.hub()
        for name in ("a.gguf", "sub/b.gguf", "c.txt"):
            file = self.folder / "up" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(name.encode() * 1000)
        for _ in range(2):
            self.hf(hub, "upload", "ada/tiny-GGUF", self.folder / "up", ".", token=ADA["token"])
        self.assertEqual(len(hub.requests(role="storage", method="PUT")), 2)
        self.assertTrue(self.api(hub).file_exists("ada/tiny-GGUF", "sub/b.gguf"))

    def test_a_commit_on_a_parent_that_is_no_longer_the_head_fails(self):
        api = self.api(self.hub(), ADA["token"])
        head = api.model_info("ada/tiny-GGUF").sha
        first = [CommitOperationAdd("a.txt", b"a")]
        api.create_commit("ada/tiny-GGUF", first, commit_message="one", parent_commit=head)
        with self.assertRaises(HfHubHTTPError) as caught:
            api.create_commit("ada/tiny-GGUF", [CommitOperationAdd("b.txt", b"b")], commit_message="two", parent_commit=head)
        self.assertEqual(caught.exception.response.status_code, 412)

    def test_a_reader_may_not_write(self):
        hub = self.hub(users=[{"token": "hf_reader", "name": "ada", "role": "read"}])
        with self.assertRaises(HfHubHTTPError) as caught:
            self.api(hub, "hf_reader").upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="ada/tiny-GGUF")
        self.assertEqual(caught.exception.response.status_code, 403)

    def test_branches_and_tags_come_and_go(self):
        api = self.api(self.hub(), ADA["token"])
        api.create_branch("ada/tiny-GGUF", branch="next")
        api.create_tag("ada/tiny-GGUF", tag="v1")
        refs = api.list_repo_refs("ada/tiny-GGUF")
        self.assertEqual((refs.tags[0].name, sorted(branch.name for branch in refs.branches)), ("v1", ["main", "next", "old"]))
        api.delete_branch("ada/tiny-GGUF", branch="next")
        self.assertEqual(len(api.list_repo_refs("ada/tiny-GGUF").branches), 2)


@unittest.skipUnless(os.environ.get("PUNA_TEST_OLLAMA"), "PUNA_TEST_OLLAMA names no ollama program")
class Ollama(Folder):
    """PUNA_TEST_OLLAMA names a program made by `go install github.com/ollama/ollama@v0.17.4`, with the headers that its module leaves
    out: CGO_CXXFLAGS="-O2 -I…/llama.cpp/vendor"."""

    def serve(self):
        """A daemon of the official Ollama; returns how to run its commands."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "OLLAMA_HOST": "127.0.0.1:11997"}
        program = os.environ["PUNA_TEST_OLLAMA"]
        log = self.enterContext(open(self.folder / "log", "w+"))
        daemon = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
        self.addCleanup(daemon.wait, DEADLINE)
        self.addCleanup(daemon.terminate)
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get("http://127.0.0.1:11997").raise_for_status()

        def run(*words):
            done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        return run

    def test_a_closed_model_is_pulled_in_parts_and_pushed_under_another_name(self):
        layers = [{"path": "model", "size": 120 * MIB, "seed": 3}, {"path": "template", "kind": "template", "text": "{{ .Prompt }}"}]
        hub = self.hub(models=[{"name": "library/tiny:latest", "closed": True, "layers": layers}])
        registry = hub.origins["registry"].removeprefix("http://")
        ollama = self.serve()
        ollama("pull", "--insecure", f"http://{registry}/library/tiny")
        blob = max((self.folder / ".ollama" / "models" / "blobs").iterdir(), key=lambda file: file.stat().st_size)
        self.assertEqual(blob.name, "sha256-" + digest(blob))
        self.assertEqual({one["authorization"] for one in hub.requests(role="storage")}, {""})
        ollama("cp", f"{registry}/library/tiny", f"{registry}/ada/mine")
        ollama("push", "--insecure", f"http://{registry}/ada/mine")
        self.assertTrue(hub.requests(role="registry", method="PUT", target="/v2/ada/mine/manifests/latest", status=201))


if __name__ == "__main__":
    unittest.main()
