"""Keys, TLS, limits, usage and metrics, as official clients and a scraper meet them."""

import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import unittest
from pathlib import Path

import anthropic
import httpx
import openai

from support import CHAT_MODEL, DEADLINE, PUNA, Daemon

QUESTION = [{"role": "user", "content": "Name the first month of the year."}]


def make_certificate(folder):
    """A key and a certificate for localhost, made on the spot."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "tls-key.pem", folder / "tls-cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return key, certificate


def setUpModule():
    global daemon, certificate, secure_url
    daemon = Daemon(require_key="true")
    unittest.addModuleCleanup(daemon.__exit__)
    key, certificate = make_certificate(daemon.home / "certificates")
    daemon.environment |= {"PUNA_TLS_CERT": str(certificate), "PUNA_TLS_KEY": str(key)}
    daemon.__enter__()
    daemon.add_chat_model()
    secure_url = daemon.url.replace("http://", "https://")


def new_key(name, *options):
    return daemon.command("key", "create", name, *options).stdout.strip()


def web(key=None):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    context = ssl.create_default_context(cafile=certificate)
    return httpx.Client(base_url=secure_url, headers=headers, verify=context, timeout=DEADLINE)


def official(key):
    context = ssl.create_default_context(cafile=certificate)
    http = openai.DefaultHttpxClient(verify=context)
    return openai.OpenAI(base_url=secure_url + "/v1", api_key=key, max_retries=0, timeout=DEADLINE, http_client=http)


def chat(client, **options):
    return client.chat.completions.create(model=CHAT_MODEL, messages=QUESTION, temperature=0, max_tokens=8, **options)


class Tls(unittest.TestCase):
    # ledger: M6
    def test_the_official_client_chats_with_a_key(self):
        answer = chat(official(new_key("official")))
        self.assertGreater(answer.usage.completion_tokens, 0)
        with self.assertRaises(openai.AuthenticationError) as refused:
            chat(official("puna_" + "x" * 43))
        self.assertEqual(refused.exception.code, "invalid_api_key")

    def test_plain_http_gets_nothing(self):
        with self.assertRaises(httpx.HTTPError):
            httpx.get(daemon.url + "/health")

    def test_a_stranger_does_not_trust_the_certificate(self):
        with self.assertRaises(httpx.ConnectError):
            httpx.get(secure_url + "/health")


class Refusals(unittest.TestCase):
    def test_are_told_in_each_dialect(self):
        with web() as client:
            of_openai = client.post("/v1/chat/completions", json={})
            of_anthropic = client.post("/v1/messages", json={})
            of_ollama = client.get("/api/tags")
            native = client.get("/api/v1/models")
        for answer in (of_openai, of_anthropic, of_ollama, native):
            self.assertEqual(answer.status_code, 401, answer.text)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        self.assertEqual(of_openai.json()["error"]["code"], "invalid_api_key")
        self.assertEqual(of_anthropic.json()["type"], "error")
        self.assertEqual(of_anthropic.json()["error"]["type"], "authentication_error")
        self.assertIsInstance(of_ollama.json()["error"], str)
        self.assertEqual(native.json()["error"]["code"], "unauthenticated")

    def test_anthropics_client_knows_them(self):
        http = anthropic.DefaultHttpxClient(verify=ssl.create_default_context(cafile=certificate))
        client = anthropic.Anthropic(base_url=secure_url, api_key="puna_" + "y" * 43, max_retries=0, http_client=http)
        with self.assertRaises(anthropic.AuthenticationError):
            client.messages.create(model=CHAT_MODEL, max_tokens=4, messages=QUESTION)

    def test_name_the_scope_and_the_models(self):
        with web(new_key("narrow", "--model", "other")) as client:
            settings = client.get("/api/v1/settings")
            used = client.post("/v1/chat/completions", json={"model": CHAT_MODEL, "messages": QUESTION})
        self.assertEqual(settings.status_code, 403)
        self.assertIn("admin", settings.json()["error"]["message"])
        self.assertEqual(used.status_code, 403, used.text)
        self.assertEqual(used.json()["error"]["type"], "permission_error")

    def test_of_certain_models_lists_only_those(self):
        with web(new_key("lister", "--model", CHAT_MODEL)) as client:
            listed = [model["id"] for model in client.get("/v1/models").json()["data"]]
            tags = [model["name"] for model in client.get("/api/tags").json()["models"]]
        with web(new_key("blind", "--model", "other")) as client:
            self.assertEqual(client.get("/v1/models").json()["data"], [])
            self.assertEqual(client.get(f"/v1/models/{CHAT_MODEL}").status_code, 403)
        self.assertEqual((listed, tags), ([CHAT_MODEL], [CHAT_MODEL]))

    def test_health_needs_no_key(self):
        with web() as client:
            self.assertEqual(client.get("/health").status_code, 200)


class Loopback(unittest.TestCase):
    """Any program of any user of this machine comes here without a key."""

    def test_without_a_key_nobody_can_have_a_program_run_or_make_a_key(self):
        change = {"key": "models.worker_program", "value": "/bin/false"}
        profile = {"name": "evil", "settings": {"engine": "command", "command": ["/bin/false", "{port}"]}}
        with Daemon() as open_daemon:
            with httpx.Client(base_url=open_daemon.url, timeout=DEADLINE) as stranger:
                for refused in (
                    stranger.patch("/api/v1/settings", json=change),
                    stranger.post("/api/v1/profiles", json=profile),
                    stranger.post("/api/v1/keys", json={"name": "mine", "scopes": ["admin"]}),
                ):
                    self.assertEqual(refused.status_code, 403, refused.text)
                    self.assertIn("scope admin", refused.json()["error"]["message"])
                harmless = stranger.patch("/api/v1/settings", json={"key": "models.slots", "value": "2"})
                self.assertEqual(harmless.status_code, 200, harmless.text)
                key = open_daemon.command("key", "create", "owner", "--scope", "admin").stdout.strip()
                allowed = stranger.patch("/api/v1/settings", json=change, headers={"Authorization": f"Bearer {key}"})
                self.assertEqual(allowed.status_code, 200, allowed.text)
            over_the_socket = open_daemon.http.patch("/api/v1/settings", json={"key": "models.worker_program", "value": ""})
            self.assertEqual(over_the_socket.status_code, 200, over_the_socket.text)


class Limits(unittest.TestCase):
    def test_of_a_minute_are_told_and_kept(self):
        with web(new_key("slow", "--requests-per-minute", "1")) as client:
            body = {"model": CHAT_MODEL, "messages": QUESTION, "max_tokens": 2}
            first = client.post("/v1/chat/completions", json=body)
            second = client.post("/v1/chat/completions", json=body)
            third = client.post("/v1/messages", json=body)
        self.assertEqual(first.status_code, 200, first.text)
        self.assertEqual(first.headers["x-ratelimit-limit-requests"], "1")
        self.assertEqual(first.headers["x-ratelimit-remaining-requests"], "0")
        self.assertEqual(second.status_code, 429)
        self.assertGreater(int(second.headers["Retry-After"]), 0)
        self.assertEqual(second.json()["error"]["code"], "rate_limit_exceeded")
        self.assertEqual(third.status_code, 429)
        self.assertEqual(third.json()["error"]["type"], "rate_limit_error")

    def test_of_a_budget_end_a_key(self):
        client = official(new_key("poor", "--budget-requests", "1", "--budget-period", "day"))
        chat(client)
        with self.assertRaises(openai.RateLimitError) as refused:
            chat(client)
        self.assertEqual(refused.exception.code, "insufficient_quota")


class Revocation(unittest.TestCase):
    # ledger: M6
    def test_cuts_what_runs_and_refuses_what_follows(self):
        key = new_key("lost")
        body = {"model": CHAT_MODEL, "messages": QUESTION, "max_tokens": 3000, "ignore_eos": True, "stream": True}
        with web(key) as client, client.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            daemon.command("key", "revoke", "lost")
            with self.assertRaises(httpx.HTTPError):
                for _ in lines:
                    pass
        with web(key) as client:
            self.assertEqual(client.get("/v1/models").status_code, 401)


class Usage(unittest.TestCase):
    def test_is_what_the_client_was_told_streamed_or_not(self):
        client = official(new_key("counted"))
        whole = chat(client).usage
        pieces = list(chat(client, stream=True, stream_options={"include_usage": True}))
        streamed = pieces[-1].usage
        report = json.loads(daemon.command("usage", "--key", "counted", "--json").stdout)
        self.assertEqual(len(report["rows"]), 1)
        row = report["rows"][0]
        self.assertEqual(row["name"], "counted")
        self.assertEqual(row["requests"], 2)
        self.assertEqual(row["tokens_in"], whole.prompt_tokens + streamed.prompt_tokens)
        self.assertEqual(row["tokens_out"], whole.completion_tokens + streamed.completion_tokens)

    def test_of_others_is_for_admins(self):
        with web(new_key("curious")) as client:
            self.assertEqual(client.get("/api/v1/access/usage").json(), {"rows": []})
            self.assertEqual(client.get("/api/v1/access/usage?key=counted").status_code, 403)
            self.assertEqual(client.get("/api/v1/access/usage?key=curious").json(), {"rows": []}, "its own, by its name")

    def test_and_logs_hold_no_key_and_no_words(self):
        key = new_key("logged")
        chat(official(key))
        daemon.command("usage")  # writes what is pending
        files = [path for path in Path(daemon.home).rglob("*") if path.is_file() and path.suffix != ".gguf"]
        self.assertTrue(any(path.name == "requests.log" for path in files))
        for path in files:
            if "blobs" not in path.parts:
                self.assertNotIn(key.encode(), path.read_bytes(), path)
        log = next(path for path in files if path.name == "requests.log")
        self.assertNotIn("first month", log.read_text())
        last = [json.loads(line) for line in log.read_text().splitlines() if '"/v1/chat/completions"' in line][-1]
        self.assertEqual(last["status"], 200)
        self.assertEqual(last["model"], CHAT_MODEL)
        self.assertGreater(last["tokens_out"], 0)


SAMPLE = re.compile(r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="(\\.|[^"\\])*",?)*\})? (\+Inf|-Inf|NaN|[-0-9.e+]+)$')


class Metrics(unittest.TestCase):
    # ledger: M18
    def test_are_a_page_that_scrapers_read_and_its_figures_move(self):
        list(chat(official(new_key("measured")), stream=True))
        chat(official(new_key("measured-whole")))
        with web(new_key("scraper", "--scope", "metrics")) as client:
            answer = client.get("/metrics")
            self.assertEqual(client.get("/api/v1/models").status_code, 403)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertIn("version=0.0.4", answer.headers["Content-Type"])
        values = {}
        for line in answer.text.splitlines():
            if line.startswith("#"):
                self.assertRegex(line, r"^# (HELP|TYPE) [a-z_0-9]+ .+$")
                continue
            self.assertRegex(line, SAMPLE)
            name, value = line.rsplit(" ", 1)
            values[name] = float(value)
        label = f'model_name="{CHAT_MODEL}"'
        for name in ("puna_prompt_tokens_total", "puna_generation_tokens_total", "puna_model_loads_total"):
            self.assertGreater(values[f"{name}{{{label}}}"], 0, name)
        for name in ("time_to_first_token_seconds", "time_per_output_token_seconds", "e2e_request_latency_seconds"):
            self.assertGreater(values[f"puna_{name}_count{{{label}}}"], 0, name)
        worker = f'{{{label},purpose="generate"}}'
        self.assertIn("puna_num_requests_waiting" + worker, values)
        self.assertIn("puna_worker_device_memory_bytes" + worker, values)
        self.assertEqual(values['puna_transfer_bytes_total{direction="received"}'], 0)
        for name in ("puna_worker_memory_bytes", "puna_worker_cpu_seconds_total", "puna_kv_cache_usage_ratio"):
            self.assertGreater(values[name + worker], 0, name)

    # ledger: M18
    def test_of_workers_are_streamed_to_who_watches(self):
        chat(official(new_key("watched")))
        with web(new_key("watcher", "--scope", "read")) as client:
            with client.stream("GET", "/api/v1/running/samples?every=250ms") as answer:
                data = (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))
                next(data)
                worker = next(data)["workers"][0]
        self.assertEqual(worker["name"], CHAT_MODEL)
        self.assertGreater(worker["memory_bytes"], 0)
        self.assertIn("cpu_percent", worker)
        self.assertIn("tokens_per_second", worker)


    def test_of_workers_end_with_the_daemon_however_seldom_they_come(self):
        with Daemon(drain="1h") as ending:
            with ending.http.stream("GET", "/api/v1/running/samples?every=1m") as answer:
                lines = answer.iter_lines()
                next(line for line in lines if line.startswith("data: "))
                ending.process.terminate()
                self.assertEqual([line for line in lines if line.startswith("data: ")], [])
            self.assertEqual(ending.process.wait(DEADLINE), 0)


class Exposure(unittest.TestCase):
    # ledger: M6
    def test_without_key_and_certificate_is_refused_with_what_to_do(self):
        with Daemon() as fresh:
            fresh.http.post("/api/v1/shutdown")
            fresh.process.wait(DEADLINE)
            done = subprocess.run(
                [PUNA, "serve", "--host", "0.0.0.0"], env=fresh.environment, capture_output=True, text=True, timeout=DEADLINE
            )
            self.assertEqual(done.returncode, 4)
            self.assertIn("puna key create", done.stderr)
            self.assertIn("server.tls_cert", done.stderr)

    def test_that_is_insecure_lets_work_and_says_so(self):
        with Daemon(host="0.0.0.0", insecure="true") as open_one:
            self.assertEqual(httpx.get(open_one.url.replace("0.0.0.0", "127.0.0.1") + "/health").status_code, 200)
            problems = " ".join(open_one.get("/api/v1/status")["problems"])
            self.assertIn("server.insecure", problems)


class OwnCertificate(unittest.TestCase):
    """`puna key tls`, and a daemon that other machines reach."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.daemon.__enter__()
        cls.made = json.loads(cls.daemon.command("key", "tls", "--json").stdout)
        cls.key = cls.daemon.command("key", "create", "laptop").stdout.strip()
        cls.daemon.command("config", "set", "server.host", "0.0.0.0")
        cls.daemon.disconnect()
        cls.daemon.process.terminate()
        cls.daemon.process.wait(DEADLINE)
        cls.daemon.start()
        cls.port = cls.daemon.url.rsplit(":", 1)[1]
        outside = [name for name in cls.made["names"] if name.count(".") == 3 and not name.startswith("127.")]
        cls.urls = [f"https://{host}:{cls.port}" for host in ["localhost", "127.0.0.1", *outside]]

    def shown(self):
        """The SHA-256 fingerprint of what the port shows."""
        context = ssl.create_default_context(cafile=self.made["authority"])
        with socket.create_connection(("127.0.0.1", int(self.port)), DEADLINE) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                digest = hashlib.sha256(secured.getpeercert(binary_form=True)).hexdigest().upper()
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))

    # ledger: M6
    def test_is_trusted_by_official_clients_and_by_curl(self):
        code = "import openai, sys; print(openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0).models.list().data)"
        trust = {**os.environ, "SSL_CERT_FILE": self.made["authority"]}
        for url in self.urls:
            listed = subprocess.run(
                [sys.executable, "-c", code, url + "/v1", self.key], env=trust, capture_output=True, text=True, timeout=DEADLINE
            )
            self.assertEqual((listed.stdout, listed.returncode), ("[]\n", 0), listed.stderr)
            said = subprocess.run(
                ["curl", "-sS", "--cacert", self.made["authority"], "-H", f"Authorization: Bearer {self.key}", url + "/v1/models"],
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            self.assertEqual(json.loads(said.stdout)["data"], [], said.stderr)
        self.assertEqual(self.shown(), self.made["fingerprint"])

    def test_is_not_trusted_without_the_authority(self):
        with self.assertRaises(httpx.ConnectError):
            httpx.get(self.urls[0] + "/health")

    def test_carries_its_names_past_the_check_of_hosts(self):
        context = ssl.create_default_context(cafile=self.made["authority"])
        for name in self.made["names"]:
            host = f"[{name}]" if ":" in name else name
            answer = httpx.get(self.urls[1] + "/health", headers={"Host": f"{host}:{self.port}"}, verify=context)
            self.assertEqual(answer.status_code, 200, answer.text)

    def test_that_is_renewed_is_shown_at_once_and_trusted_already(self):
        again = self.daemon.command("key", "tls", "--days", "30", check=False)
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("--renew` puts another one in its place", again.stderr)
        renewed = json.loads(self.daemon.command("key", "tls", "--days", "90", "--renew", "--json").stdout)
        self.assertEqual(renewed["authority_fingerprint"], self.made["authority_fingerprint"])
        self.assertNotEqual(renewed["fingerprint"], self.made["fingerprint"])
        self.assertEqual(self.shown(), renewed["fingerprint"])

    def test_near_its_end_is_told_by_the_doctor(self):
        self.daemon.command("key", "tls", "--days", "20", "--renew")
        self.assertIn("expires at", self.daemon.command("doctor", check=False).stdout)
        self.daemon.command("key", "tls", "--renew", "--name", "elsewhere.example")
        self.daemon.command("config", "unset", "server.allowed_hosts")
        self.assertIn("for none of the names", self.daemon.command("doctor", check=False).stdout)
        self.made.update(json.loads(self.daemon.command("key", "tls", "--renew", "--json").stdout))


if __name__ == "__main__":
    unittest.main()
