"""A released Puna, as it lies on somebody's disk: one program, kernels for every CPU beside it.

Run by ./dev package on what it is about to pack. PUNA is the program, PUNA_TINY_MODEL writes tiny models.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PUNA = Path(os.environ["PUNA"]).resolve()
TINY_MODEL = os.environ["PUNA_TINY_MODEL"]
ANSWER = "Llamas walk slowly over a high plain"
DEADLINE = 120

# A library that tells when it is loaded, and would win any contest between kernels.
EVIL = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void tell(void) { close(open("%s", O_CREAT | O_WRONLY, 0600)); }
int ggml_backend_score(void) { return 1 << 30; }
"""


class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="puna-package-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # Elsewhere than where it was built or installed.
        self.root = self.folder / "moved"
        (self.root / "bin").mkdir(parents=True)
        shutil.copy2(PUNA, self.root / "bin/puna")
        shutil.copytree(PUNA.parent.parent / "lib/puna", self.root / "lib/puna")
        self.puna = self.root / "bin/puna"
        self.home = self.folder / "home"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "PUNA_HOME": str(self.home), "PUNA_PORT": "0"}

    def run_puna(self, *words, **options):
        options = {"env": self.environment, "capture_output": True, "text": True, "timeout": DEADLINE, **options}
        return subprocess.run([self.puna, *words], **options)

    def tiny_model(self):
        file = self.folder / "tiny.gguf"
        subprocess.run([TINY_MODEL, file], check=True, timeout=DEADLINE)
        return file

    def variants(self):
        return {file.name.removeprefix("libggml-cpu-").removesuffix(".so") for file in (self.root / "lib/puna").glob("libggml-cpu-*.so")}

    def kernels_named_by_doctor(self):
        return re.search(r"models compute with the (\S+) kernels", self.run_puna("doctor").stdout)

    def test_it_computes_with_one_of_the_variants_beside_it(self):
        self.assertGreaterEqual(len(self.variants()), 10)
        self.assertIn(self.kernels_named_by_doctor()[1], self.variants())

    def test_it_answers_right_and_loads_nothing_from_the_current_folder_or_by_environment(self):
        here, marker = self.folder / "here", self.folder / "evil was loaded"
        here.mkdir()
        source, evil = here / "evil.c", here / "libggml-cpu-evil.so"
        source.write_text(EVIL % marker)
        subprocess.run(["clang-19", "-shared", "-fPIC", "-o", evil, source], check=True, timeout=DEADLINE)
        shutil.copy(evil, here / "libggml-cpu.so")
        self.environment |= {"GGML_BACKEND_PATH": str(evil), "GGML_BACKEND_DIR": str(here)}
        self.addCleanup(self.run_puna, "serve", "--stop")
        self.assertEqual(0, self.run_puna("pull", str(self.tiny_model()), "--name", "tiny", cwd=here).returncode)
        answer = self.run_puna("run", "tiny", "hello", cwd=here)
        self.assertIn(ANSWER, answer.stdout, answer.stderr)
        self.run_puna("doctor", cwd=here)
        self.assertFalse(marker.exists())
        ctypes.CDLL(str(evil))  # it would have told
        self.assertTrue(marker.exists())

    def test_a_worker_started_by_hand_looks_beside_itself_alone(self):
        marker = self.folder / "evil was loaded"
        source, evil = self.folder / "evil.c", self.folder / "libggml-cpu-evil.so"
        source.write_text(EVIL % marker)
        subprocess.run(["clang-19", "-shared", "-fPIC", "-o", evil, source], check=True, timeout=DEADLINE)
        told, tell = os.pipe()
        worker = subprocess.Popen(
            [self.puna, "worker", "--model", self.tiny_model(), "--socket", self.folder / "w.sock", "--status-fd", str(tell)],
            env={**self.environment, "GGML_BACKEND_PATH": str(evil)}, cwd=self.folder, pass_fds=[tell], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        os.close(tell)
        with os.fdopen(told) as lines:
            states = (json.loads(line) for line in lines)
            ready = next(state for state in states if state["report"] != "loading")
        worker.stdin.close()
        worker.wait(DEADLINE)
        self.assertEqual("ready", ready["report"], ready)
        self.assertIn(re.fullmatch(r"CPU \((\w+)\)", ready["devices"][0])[1], self.variants())
        self.assertFalse(marker.exists())

    def test_without_a_variant_that_runs_here_it_says_so(self):
        for file in (self.root / "lib/puna").glob("libggml-cpu-*.so"):
            file.unlink()
        doctor = self.run_puna("doctor")
        self.assertEqual(1, doctor.returncode)
        self.assertIn(f"no compute kernels for this CPU in {self.root}/lib/puna", doctor.stdout)

    def test_another_ggml_on_the_library_path_does_not_take_its_place(self):
        other = self.folder / "other"
        other.mkdir()
        for name in ("libggml.so.0", "libggml-base.so.0"):
            (other / name).write_bytes(b"not a library")
        self.environment["LD_LIBRARY_PATH"] = str(other)
        self.assertEqual(0, self.run_puna("version").returncode)
        self.assertIsNotNone(self.kernels_named_by_doctor())

    @unittest.skipUnless(os.uname().machine == "x86_64", "the instruction sets are x86's")
    def test_all_but_the_variants_runs_on_any_x86_64(self):
        for file in [self.puna, *(self.root / "lib/puna").glob("libggml*.so.0"), self.root / "lib/puna/libggml-cpu-x64.so"]:
            self.assertEqual(0, self.avx_instructions(file), f"{file.name} holds AVX instructions")
        self.assertGreater(self.avx_instructions(self.root / "lib/puna/libggml-cpu-haswell.so"), 1000)

    def avx_instructions(self, file):
        words = ["llvm-objdump-19", "--disassemble", "--no-show-raw-insn", file]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as listing:
            return sum(1 for line in listing.stdout if "%ymm" in line or "%zmm" in line or re.search(r"\tv[a-z0-9]+\t.*%xmm", line))


if __name__ == "__main__":
    unittest.main()
