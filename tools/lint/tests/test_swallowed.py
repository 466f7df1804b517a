from tools.lint.rules import swallowed
from tools.lint.tests.support import RuleTest


class Swallowed(RuleTest):
    rule = swallowed

    def cpp(self, text):
        return self.found({"src/a.cpp": text})

    # ledger: M1
    def test_an_empty_handler_is_caught(self):
        self.assertEqual(["src/a.cpp:2"], self.cpp("try { f(); }\ncatch (...) {}\n"))

    # ledger: M1
    def test_a_handler_with_nothing_but_a_comment_is_empty(self):
        self.assertEqual(["src/a.cpp:1"], self.cpp("try { f(); } catch (const std::exception&) {\n  // cannot happen\n}\n"))

    def test_a_handler_that_does_something_is_fine(self):
        self.assertEqual([], self.cpp("try { f(); } catch (const E& e) { return fail(e.what()); }\n"))

    # ledger: M1
    def test_a_result_cast_away_is_caught(self):
        for text in ("(void)store.save(x);", "(void)f();", "(void) ::close(fd);", "static_cast<void>(f());", "std::ignore = f();", "[[maybe_unused]] const auto r = f();"):
            self.assertEqual(["src/a.cpp:1"], self.cpp(text), text)

    def test_an_unused_name_is_no_result(self):
        for text in ("(void)name;", "void f(void);", "int main(void) { g(); }", "void* p = (void*)q();", "auto f(void) -> int;", "[[maybe_unused]] auto lock = guard;"):
            self.assertEqual([], self.cpp(text), text)

    def test_a_reason_makes_it_deliberate(self):
        self.assertEqual([], self.cpp("// ignored: only asked whether it parses\nstd::ignore = parse(text);\n"))
        self.assertEqual(["src/a.cpp:2"], self.cpp("// for fun\nstd::ignore = parse(text);\n"))

    def test_strings_and_comments_are_no_code(self):
        self.assertEqual([], self.cpp('auto s = "catch (...) {}"; // (void)f();\nauto r = R"(catch (...) {})";\n'))

    def test_pythons_silent_handlers_are_caught(self):
        self.assertEqual(["tests/t.py:3"], self.found({"tests/t.py": "try:\n    f()\nexcept OSError:\n    pass\n"}))
        self.assertEqual([], self.found({"tests/t.py": "try:\n    f()\nexcept OSError as e:\n    report(e)\n"}))
