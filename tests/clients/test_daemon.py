"""The daemon as its own API shows it: settings, events, loading and leaving."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import unittest

import httpx

from support import DEADLINE, PUNA, Daemon, wait_for_end, wait_readable

CHAT = {"messages": [{"role": "user", "content": "How are you?"}], "max_tokens": 4}


def setting(daemon, key):
    return next(row for row in daemon.get("/api/v1/settings")["settings"] if row["key"] == key)


@contextlib.contextmanager
def following_logs(daemon):
    words = [PUNA, "logs", "--follow", "--lines", "0"]
    with subprocess.Popen(words, env=daemon.environment, stdout=subprocess.PIPE) as follower:
        try:
            yield follower
        finally:
            follower.kill()


class Settings(unittest.TestCase):
    # ledger: M5
    def test_a_browser_origin_must_be_allowed_by_the_setting(self):
        with Daemon(origins="http://app.example") as daemon:
            def answer(origin):
                return httpx.get(daemon.url + "/api/v1/version", headers={"Origin": origin})

            self.assertEqual(answer("http://app.example").headers["access-control-allow-origin"], "http://app.example")
            self.assertEqual(answer("http://evil.example").status_code, 403)

    def test_a_change_is_written_to_the_file_applies_at_once_and_tells_its_origin(self):
        with Daemon() as daemon:
            daemon.http.patch("/api/v1/settings", json={"key": "models.slots", "value": "2"}).raise_for_status()
            self.assertEqual((setting(daemon, "models.slots")["value"], setting(daemon, "models.slots")["origin"]), ("2", "file"))
            self.assertIn("slots = 2", next(daemon.home.rglob("config.toml")).read_text())
            refused = daemon.http.patch("/api/v1/settings", json={"key": "models.slots", "value": "many"})
            self.assertEqual(refused.status_code, 400)
            self.assertIn("models.slots", refused.json()["error"]["message"])

    # ledger: T10
    def test_sighup_reads_the_file_anew_and_a_broken_one_is_reported_and_kept(self):
        with Daemon() as daemon:
            file = daemon.home / daemon.command("config", "path").stdout.strip()
            broken = "[models]\nslots = = 3\n"
            file.write_text(broken)
            with daemon.events() as events:
                daemon.process.send_signal(signal.SIGHUP)
                for _ in range(1000):  # each turn is a round trip; the signal overtakes none of them for long
                    problems = daemon.get("/api/v1/status")["problems"]
                    if problems:
                        break
                self.assertTrue(any(f"{file}:2:" in problem for problem in problems), problems)
                self.assertEqual(file.read_text(), broken)
                file.write_text("[models]\nslots = 3\n")
                daemon.process.send_signal(signal.SIGHUP)
                event = next(event for event in events if event["type"] == "setting.changed")
            self.assertEqual(event["data"]["key"], "models.slots")
            self.assertEqual(setting(daemon, "models.slots")["value"], "3")


class Events(unittest.TestCase):
    # ledger: T23
    def test_a_pull_is_seen_by_every_face_and_a_returning_one_misses_nothing(self):
        with Daemon() as daemon:
            with daemon.events() as first, daemon.events() as second:
                daemon.add_tiny_model("tiny:latest")
                for events in (first, second):
                    added = next(event for event in events if event["type"] == "model.added")
                    self.assertEqual(added["data"]["name"], "tiny:latest")
            with daemon.http.stream("GET", "/api/v1/events", headers={"Last-Event-ID": str(added["sequence"] - 1)}) as stream:
                line = next(line for line in stream.iter_lines() if line.startswith("data: "))
            self.assertEqual(json.loads(line[6:])["sequence"], added["sequence"])

    # ledger: M9
    def test_an_idle_daemon_gets_no_request_from_the_faces_that_watch_it(self):
        with Daemon() as daemon:
            with following_logs(daemon) as follower, daemon.events():
                for _ in range(1000):  # each turn is a round trip through the daemon
                    before = daemon.get("/api/v1/status")
                    if before["event_subscribers"] == 2:
                        break
                with self.assertRaises(TimeoutError):
                    wait_readable(follower.stdout, seconds=3)
                self.assertEqual(daemon.get("/api/v1/status")["requests"], before["requests"] + 1)


class Loading(unittest.TestCase):
    def test_keep_alive_zero_unloads_after_the_answer_and_minus_one_keeps_for_ever(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:latest")
            daemon.http.post("/v1/chat/completions", json={"model": "tiny", "keep_alive": -1, **CHAT}).raise_for_status()
            self.assertNotIn("expires_at", daemon.running("tiny:latest"))
            worker = daemon.running("tiny:latest")["pid"]
            daemon.http.post("/v1/chat/completions", json={"model": "tiny", "keep_alive": 0, **CHAT}).raise_for_status()
            wait_for_end(worker)
            daemon.until(lambda: daemon.running("tiny:latest") is None)

    def test_load_progress_reaches_the_event_stream(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:latest")
            with daemon.events() as events:
                daemon.http.post("/api/v1/running/tiny", json={}).raise_for_status()
                states = []
                for event in events:
                    if event["type"].startswith("worker."):
                        states.append(event["data"]["state"])
                    if states and states[-1] == "ready":
                        break
            self.assertEqual([state for i, state in enumerate(states) if state not in states[:i]], ["loading", "ready"])

    def test_a_malformed_file_is_refused_with_its_fault_and_the_daemon_goes_on(self):
        with Daemon() as daemon:
            file = daemon.home / "broken.gguf"
            file.write_bytes(b"GGUF" + b"\x03\0\0\0" + b"\xff" * 40)
            refused = daemon.command("pull", str(file), "--name", "broken", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("broken.gguf", refused.stderr)
            self.assertEqual(daemon.get("/api/v1/models")["models"], [])
            self.assertEqual(daemon.get("/ready"), {"status": "ok"})


class Leaving(unittest.TestCase):
    def test_a_daemon_started_on_demand_leaves_when_idle_and_a_busy_one_stays(self):
        with Daemon(idle_exit="300ms") as daemon:
            self.assertEqual(daemon.command("serve", "--stop").returncode, 0)
            daemon.process.wait(DEADLINE)
            daemon.disconnect()
            daemon.command("list")  # starts one on demand
            pid = int((next(daemon.home.rglob("puna.lock"))).read_text().split()[0])
            wait_for_end(pid)

    def test_health_and_readiness_are_told(self):
        with Daemon() as daemon:
            self.assertEqual(daemon.get("/health"), {"status": "ok"})
            self.assertEqual(daemon.get("/ready"), {"status": "ok"})
            self.assertEqual(daemon.get("/openapi.json")["openapi"], "3.1.0")

    def test_systemd_is_told_when_the_daemon_is_ready_and_when_it_stops(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0puna-notify-%d" % os.getpid())
            manager.settimeout(DEADLINE)
            daemon = Daemon()
            daemon.environment["NOTIFY_SOCKET"] = "@puna-notify-%d" % os.getpid()
            with daemon:
                self.assertEqual(manager.recv(100), b"READY=1")
                daemon.process.terminate()
                self.assertEqual(manager.recv(100), b"STOPPING=1")


class CommandLine(unittest.TestCase):
    def test_a_port_that_is_taken_is_told_with_its_holder_and_the_way_out(self):
        with Daemon() as first, Daemon() as other:
            other.kill()
            other.environment["PUNA_PORT"] = str(first.get("/api/v1/status")["tcp"].split(":")[1])
            refused = other.command("list", check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn(f"pid {first.process.pid}", refused.stderr)
            self.assertIn("server.port (PUNA_PORT)", refused.stderr)

    def test_data_goes_to_stdout_narration_to_stderr_and_codes_tell_what_happened(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:latest")
            listed = daemon.command("list", "--json")
            self.assertEqual(json.loads(listed.stdout)["models"][0]["name"], "tiny:latest")
            self.assertEqual(daemon.command("show", "nothing", check=False).returncode, 3)
            self.assertEqual(daemon.command("lst", check=False).returncode, 2)
            self.assertIn("list", daemon.command("lst", check=False).stderr)
            answer = daemon.command("run", "tiny", "How are you?")
            self.assertEqual(answer.returncode, 0)
            self.assertTrue(answer.stdout.strip())

    def test_a_pipe_is_joined_with_the_prompt(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:latest")
            done = subprocess.run([PUNA, "run", "tiny", "Summarise:"], env=daemon.environment, input="some notes",
                                  capture_output=True, text=True, timeout=DEADLINE)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(done.stdout.strip())

    def test_the_file_goes_with_its_last_name_and_not_while_that_can_be_undone(self):
        with Daemon() as daemon:
            daemon.add_tiny_model("tiny:latest")
            daemon.command("cp", "tiny", "second")
            self.assertEqual(len(list(daemon.home.rglob("blobs/sha256-*"))), 1)
            daemon.command("rm", "--now", "tiny")
            self.assertEqual(len(list(daemon.home.rglob("blobs/sha256-*"))), 1)
            daemon.command("rm", "second")
            self.assertEqual(len(list(daemon.home.rglob("blobs/sha256-*"))), 1)
            daemon.command("undo", "second")
            self.assertTrue(daemon.command("run", "second", "Hi").stdout)
            daemon.command("rm", "--now", "second")
            self.assertEqual(list(daemon.home.rglob("blobs/sha256-*")), [])


if __name__ == "__main__":
    unittest.main()
