"""Several LoRA adapters on one base, with OpenAI's client."""

import subprocess
import unittest

import openai

from support import CHAT_MODEL, DEADLINE, SMOLLM2, TINY_MODEL, Daemon

QUESTION = [{"role": "user", "content": "Write one sentence about the sea."}]


class Adapters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(context=512, slots=2))
        cls.daemon.add_chat_model()
        for seed, name in enumerate(("pirate", "poet"), start=1):
            cls.add_adapter(name, SMOLLM2, seed)
        cls.daemon.add_tiny_model("tiny:1")
        cls.add_adapter("misfit", cls.daemon.home / "tiny-1.gguf", 3)
        cls.client = openai.OpenAI(base_url=cls.daemon.url + "/v1", api_key="none", max_retries=0, timeout=180)

    @classmethod
    def add_adapter(cls, name, base, seed):
        file = cls.daemon.home / f"{name}.gguf"
        subprocess.run([TINY_MODEL, str(file), "--adapter", str(base), str(seed)], check=True, timeout=DEADLINE)
        cls.daemon.command("pull", str(file), "--name", name)

    def ask(self, model, **extra):
        answer = self.client.chat.completions.create(
            model=model, messages=QUESTION, max_tokens=12, temperature=0, extra_body=extra
        )
        return answer.choices[0].message.content

    def test_requests_choose_adapters_and_the_base_comes_back_exactly(self):
        base = self.ask(CHAT_MODEL)
        pirate = self.ask(f"{CHAT_MODEL}+pirate")
        poet = self.ask(f"{CHAT_MODEL}+poet")
        self.assertEqual(len({base, pirate, poet}), 3)
        worker = self.daemon.running()["pid"]
        self.assertEqual(self.ask(CHAT_MODEL), base)
        self.assertEqual(self.ask(CHAT_MODEL, adapters=[{"name": "pirate"}]), pirate)
        self.assertEqual(self.ask(f"{CHAT_MODEL}+poet"), poet)
        self.assertEqual(self.ask(CHAT_MODEL, adapters=[]), base)
        self.assertEqual(self.ask(CHAT_MODEL, adapters=[{"name": "pirate", "scale": 0}]), base)
        self.assertNotEqual(self.ask(f"{CHAT_MODEL}+pirate+poet"), pirate)
        self.assertEqual(self.daemon.running()["pid"], worker, "switching needs no new worker")

    def test_what_does_not_fit_is_refused_with_the_reason(self):
        for model, reason in (
            (f"{CHAT_MODEL}+misfit", "misfit:latest does not fit"),
            (f"{CHAT_MODEL}+nobody", "nobody"),
            (f"{CHAT_MODEL}+tiny:1", "it is no adapter"),
            ("pirate", "name it after its base"),
        ):
            with self.assertRaises(openai.APIStatusError) as caught:
                self.ask(model)
            self.assertIn(reason, caught.exception.message)
            self.assertLess(caught.exception.status_code, 500)

    def test_the_command_line_takes_the_same_name(self):
        self.assertTrue(self.daemon.command("run", f"{CHAT_MODEL}+pirate", "--set", "max_tokens=4", "Hello").stdout)
        self.assertIn("adapter", self.daemon.command("show", "pirate").stdout)


if __name__ == "__main__":
    unittest.main()
