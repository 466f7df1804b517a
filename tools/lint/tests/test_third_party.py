from tools.lint.rules import third_party
from tools.lint.tests.support import RuleTest


class ThirdParty(RuleTest):
    rule = third_party

    def test_a_wrapped_library_in_a_header_is_caught(self):
        for name in ("<nlohmann/json.hpp>", "<spdlog/spdlog.h>", "<CLI/CLI.hpp>", "<curl/curl.h>", "<soci/soci.h>", '"llama.h"', '"ggml-cpu.h"', "<toml++/toml.h>"):
            self.assertEqual(["src/net/http.h:2"], self.found({"src/net/http.h": f"#pragma once\n#include {name}\n"}), name)

    def test_in_a_source_file_it_is_at_home(self):
        self.assertEqual([], self.found({"src/net/http.cpp": "#include <curl/curl.h>\n"}))

    def test_json_asio_and_our_own_headers_are_fine(self):
        text = '#include <boost/json.hpp>\n#include <boost/asio/awaitable.hpp>\n#include "gguf/reader.h"\n'
        self.assertEqual([], self.found({"src/net/http.h": text}))
