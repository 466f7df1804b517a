// puna-tiny-model OUT [--endless | --tools | --embedding | --reranker | --random ARCHITECTURE | --adapter BASE SEED]: writes a tiny model,
// or a random LoRA for a model, for tests that are not C++.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "models/random_adapter.h"
#include "models/random_model.h"
#include "models/tiny_model.h"

namespace {

int told(const puna::Result<>& written) {
  if (written) return 0;
  fmt::print(stderr, "puna-tiny-model: {}\n", written.error().text());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  using puna::tiny_model::Kind;
  const auto arguments = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
  if (arguments.size() == 4 && std::string_view(arguments[1]) == "--adapter") {
    std::uint64_t seed = 0;
    const std::string_view digits = arguments[3];
    std::from_chars(digits.data(), digits.data() + digits.size(), seed);
    return told(puna::tiny_model::write_random_adapter(arguments[0], arguments[2], seed));
  }
  if (arguments.size() == 3 && std::string_view(arguments[1]) == "--random")
    return told(puna::tiny_model::write(arguments[0], {.architecture = arguments[2]}));
  Kind kind = Kind::chat;
  std::string_view out;
  for (const std::string_view argument : arguments) {
    if (argument == "--endless")
      kind = Kind::endless;
    else if (argument == "--tools")
      kind = Kind::tools;
    else if (argument == "--embedding")
      kind = Kind::embedding;
    else if (argument == "--reranker")
      kind = Kind::reranker;
    else if (out.empty() && !argument.starts_with("-"))
      out = argument;
    else
      out = "-";
  }
  if (out.empty() || out == "-") {
    fmt::print(
        stderr,
        "usage: puna-tiny-model OUT [--endless | --tools | --embedding | --reranker | --random ARCHITECTURE | --adapter BASE SEED]\n");
    return 2;
  }
  return told(puna::tiny_model::write(out, kind));
}
