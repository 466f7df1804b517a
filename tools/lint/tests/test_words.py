from tools.lint.rules import words
from tools.lint.tests.support import RuleTest


class Words(RuleTest):
    rule = words

    def test_a_sleep_in_a_test_is_caught(self):
        for text in ("std::this_thread::sleep_for(1ms);", "co_await sleep_for(1ms);", "usleep(10);", "sleep(1);"):
            self.assertEqual(["src/a_test.cpp:1"], self.found({"src/a_test.cpp": text}), text)
        self.assertEqual(["tests/t.py:1"], self.found({"tests/t.py": "time.sleep(1)\n"}))

    def test_waiting_to_be_cancelled_and_looking_for_an_event_are_no_sleeps(self):
        for text in ("co_await sleep_for(kForever);", "while (!seen) PUNA_CO_CHECK(co_await sleep_for(1ms));"):
            self.assertEqual([], self.found({"src/a_test.cpp": text}), text)

    def test_outside_of_tests_and_in_comments_it_is_not(self):
        self.assertEqual([], self.found({"src/a.cpp": "co_await sleep_for(wait);", "src/b_test.cpp": "// no sleep_for here"}))

    def test_unfinished_marks_are_caught(self):
        for mark in ("TO" + "DO", "FIX" + "ME"):
            self.assertEqual(["README.md:1"], self.found({"README.md": f"{mark}: write\n"}))

    def test_a_shell_is_caught(self):
        for text in ('system("ls");', 'std::system("ls");', '::popen("ls", "r");'):
            self.assertEqual(["src/a.cpp:1"], self.found({"src/a.cpp": text}), text)
        self.assertEqual(["tests/t.py:1"], self.found({"tests/t.py": "subprocess.run(c, shell=True)"}))

    def test_a_member_of_that_name_is_no_shell(self):
        self.assertEqual([], self.found({"src/a.cpp": 'routes.system(call); file_system("x"); auto s = "system(1)";'}))

    def test_a_registrys_host_is_caught_anywhere(self):
        host = ".".join(("registry", "npmjs", "org"))
        self.assertEqual(["docs/setup.md:2"], self.found({"docs/setup.md": f"see\nhttps://{host}/x\n"}))
