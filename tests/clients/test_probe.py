"""New models are tried in the background."""

import unittest

from support import CHAT_MODEL, Daemon


class Probing(unittest.TestCase):
    def probed(self, daemon, name):
        model = {}

        def happened():
            model.update(daemon.get(f"/api/v1/models/{name}")["model"])
            return "probe" in model

        daemon.until(happened)
        return model

    # ledger: M17
    def test_a_pulled_model_is_tried_and_says_so_everywhere(self):
        with Daemon(probe="true") as daemon:
            daemon.add_tiny_model("tiny:tools", "--tools")
            model = self.probed(daemon, "tiny:tools")
            self.assertEqual(model["probe"]["tool_calls"]["outcome"], "passed")
            self.assertIn("tools", model["details"]["capabilities"])
            self.assertIn("chat tools", daemon.command("list").stdout)
            self.assertIn("Tried", daemon.command("show", "tiny:tools").stdout)

    def test_a_real_model_is_tried_by_command(self):
        with Daemon() as daemon:
            daemon.add_chat_model()
            self.assertNotIn("probe", daemon.get(f"/api/v1/models/{CHAT_MODEL}")["model"])
            told = daemon.command("probe", CHAT_MODEL, "--quiet").stdout
            self.assertRegex(told, r"loads +works")
            self.assertRegex(told, r"chat +works")
            self.assertEqual(daemon.get("/api/v1/running")["models"], [])


if __name__ == "__main__":
    unittest.main()
