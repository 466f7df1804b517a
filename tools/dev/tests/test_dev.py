"""./dev itself: what it says, and that it stops where something fails."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent


class Dev(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "cache").mkdir()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        for name in ("PUNA_DEV_STARTED", "PUNA_LLAMA_SOURCE", "PUNA_LLAMA_CPU"):
            self.environment.pop(name, None)

    def bash(self, script: str):
        """Runs a script that has the steps and libraries of ./dev, in a checkout of its own."""
        checkout = self.folder / "checkout"
        if not checkout.exists():
            checkout.mkdir()
            for part in ("tools/dev", "deps"):
                shutil.copytree(ROOT / part, checkout / part)
        libraries = ". tools/dev/lib/steps.sh; . tools/dev/lib/presets.sh; . tools/dev/lib/llama.sh; . tools/dev/lib/packages.sh\n"
        return subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{libraries}{script}"], cwd=checkout, env=self.environment, capture_output=True, text=True
        )

    def program(self, name: str, text: str):
        """Puts a program in front of the one of that name."""
        bin_folder = self.folder / "bin"
        bin_folder.mkdir(exist_ok=True)
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_folder / name).chmod(0o755)
        self.environment["PATH"] = f"{bin_folder}:{os.environ['PATH']}"

    def test_an_unknown_command_is_a_usage_error(self):
        run = subprocess.run([ROOT / "dev", "buidl"], capture_output=True, text=True)
        self.assertEqual(2, run.returncode)
        self.assertIn("no command 'buidl'", run.stderr)

    def test_help_has_a_line_for_every_command(self):
        run = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True, check=True)
        for file in (ROOT / "tools/dev").glob("*.sh"):
            self.assertIn(f"./dev {file.stem} ", run.stdout)

    def test_a_step_stops_at_the_first_failure_inside_it(self):
        run = self.bash("work() { echo one; false; echo two; }\nstep working work\necho status $step_status")
        self.assertEqual("one\nstatus 1\n", run.stdout)
        self.assertNotIn("done in", run.stderr)

    def test_a_quiet_step_shows_the_end_of_its_log_only_when_it_failed(self):
        run = self.bash("quiet_step good good echo unheard\nquiet_step bad bad ls /does/not/exist\necho status $step_status")
        self.assertNotIn("unheard", run.stderr)
        self.assertIn("/does/not/exist", run.stderr)
        self.assertEqual("status 2\n", run.stdout)

    def test_time_is_written_for_people(self):
        self.assertRegex(self.bash("elapsed $EPOCHREALTIME").stdout, r"^0\.\d s$")
        self.assertEqual("2 min 05 s", self.bash("elapsed $((${EPOCHREALTIME/[.,]/} - 125200000))").stdout)

    def test_packages_that_are_not_installed_are_named(self):
        self.program("dpkg-query", 'case "$*" in *libfmt-dev) exit 1 ;; *) printf installed ;; esac')
        self.assertEqual("libfmt-dev\n", self.bash("missing_packages").stdout)

    def test_a_llama_that_no_origin_has_is_told_with_what_to_do_by_hand(self):
        self.program("curl", "echo no network >&2; exit 6")
        self.program("npm", "echo no network >&2; exit 1")
        run = self.bash("fetch_llama")
        self.assertEqual(1, run.returncode)
        self.assertIn("could not be had from any origin", run.stderr)
        self.assertIn(f"put the archive to {self.folder}/cache/puna-dev/downloads/", run.stderr)

    def test_a_llama_with_other_content_than_the_pinned_one_is_refused(self):
        other = self.folder / "other"
        for part in ("cmake", "common", "ggml", "include", "licenses", "scripts", "src", "tools", "vendor"):
            (other / part).mkdir(parents=True)
        (other / "CMakeLists.txt").write_text("project(other)\n")
        (other / "LICENSE").write_text("none\n")
        self.environment["PUNA_LLAMA_SOURCE"] = str(other)
        run = self.bash("fetch_llama")
        self.assertEqual(1, run.returncode)
        self.assertIn("holds other files than the pinned release", run.stderr)
        self.assertFalse((self.folder / "checkout/build/deps/llama-src").exists())

    def test_a_damaged_npm_tarball_is_refused(self):
        self.program("curl", "exit 6")
        self.program("npm", "exit 1")
        downloads = self.folder / "cache/puna-dev/downloads"
        downloads.mkdir(parents=True)
        (downloads / "node-llama-cpp-3.22.1.tgz").write_bytes(b"damaged")
        run = self.bash("fetch_llama")
        self.assertEqual(1, run.returncode)
        self.assertIn("has integrity sha512-", run.stderr)

    def test_a_second_setup_of_llama_runs_nothing_and_asks_no_network(self):
        self.program("curl", "echo curl was called >&2; exit 6")
        self.program("ninja", "echo ninja was called >&2; exit 6")
        link = f"mkdir -p build/deps && ln -s {ROOT}/build/deps/llama-src build/deps/llama-src && "
        link += f"ln -s {ROOT}/build/deps/llama build/deps/llama && cp {ROOT}/build/deps/*.sha256 {ROOT}/build/deps/llama.built build/deps\n"
        run = self.bash(f"{link}fetch_llama\nbuild_llama dev")
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertNotIn("was called", run.stderr)


if __name__ == "__main__":
    unittest.main()
