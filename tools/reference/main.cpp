// Writes the reference documentation from the tables that the program itself runs by.
//
//   puna-reference --write DOCS   writes DOCS/settings.md, DOCS/openai.md, DOCS/api.md
//   puna-reference --check DOCS   fails when a file there says something else
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "api/openai/parameters.h"
#include "api/spec.h"
#include "base/settings_registry.h"

namespace {

using namespace puna;

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string settings_page() {
  std::string out =
      "# Settings\n\n"
      "A flag beats an environment variable, which beats the user's file, which beats the default. `puna config show --origin` says what "
      "holds "
      "and why,\n`puna config set KEY VALUE` writes the file (`puna config path`). A broken file is reported with line and column and "
      "kept; "
      "only the keys it spoils\nfall back. Durations are written 30s, 5m, 1h30m (-1: for ever), sizes 512 MiB, 4G.\n\n"
      "| key | default | environment | what | applies |\n| --- | --- | --- | --- | --- |\n";
  for (const auto* spec : setting::all())
    out += fmt::format("| `{}` | {} | `{}` | {} ({}) | {} |\n", spec->key,
                       spec->default_value.empty() ? "" : fmt::format("`{}`", spec->default_value), spec->environment, cell(spec->help),
                       kind_name(*spec), spec->live ? "at once" : "at the next start");
  return out;
}

std::string_view treatment_text(api::openai::Treatment treatment) {
  switch (treatment) {
    case api::openai::Treatment::honoured:
      return "honoured";
    case api::openai::Treatment::noted:
      return "accepted, without effect";
    case api::openai::Treatment::refused:
      return "refused by name";
  }
  return "";
}

std::string openai_page() {
  std::string out =
      "# OpenAI's API\n\nEvery member of a request is honoured, accepted because it asks for nothing that could be done differently here, "
      "or "
      "refused by name; unknown\nones are refused with the nearest name. Extensions are llama.cpp's sampling options and Puna's "
      "`keep_alive`.\n";
  for (const auto endpoint : {api::openai::Endpoint::chat, api::openai::Endpoint::completions, api::openai::Endpoint::embeddings}) {
    out += fmt::format("\n## {}\n\n| member | kind | treatment | note |\n| --- | --- | --- | --- |\n", json::enum_name(endpoint));
    for (const auto& row : api::openai::parameters(endpoint))
      out += fmt::format("| `{}` | {} | {} | {} |\n", row.name, json::enum_name(row.kind), treatment_text(row.treatment),
                         row.ours ? std::string_view("extension") : row.advice);
  }
  return out;
}

std::string api_page() {
  std::string out =
      "# HTTP API\n\nOn the Unix socket and on 127.0.0.1:17862. `/openapi.json` has the schemas. Failures of `/api/v1` are "
      "`{\"error\":{\"code\",\"message\"}}` with codes\nfrom one table; those of `/v1` have OpenAI's shape.\n\n| method | path | what |\n| "
      "--- | --- | --- |\n";
  for (const auto& route : api::routes()) out += fmt::format("| {} | `{}` | {} |\n", route.method, route.path, cell(route.summary));
  return out;
}

struct Page {
  std::string_view file;
  std::string (*text)();
};
constexpr Page kPages[] = {{"settings.md", settings_page}, {"openai.md", openai_page}, {"api.md", api_page}};

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

int check(const std::filesystem::path& docs) {
  int stale = 0;
  for (const auto& page : kPages) {
    if (read(docs / page.file) == page.text()) continue;
    std::fprintf(stderr, "docs/%s is not what the program says; run ./dev docs\n", std::string(page.file).c_str());
    ++stale;
  }
  return stale == 0 ? 0 : 1;
}

int write(const std::filesystem::path& docs) {
  for (const auto& page : kPages) {
    std::ofstream stream(docs / page.file, std::ios::binary);
    stream << page.text();
    if (!stream.flush()) {
      std::fprintf(stderr, "cannot write docs/%s\n", std::string(page.file).c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  if (verb == "--check") return check(argv[2]);
  if (verb == "--write") return write(argv[2]);
  std::fprintf(stderr, "usage: puna-reference --write|--check DOCS\n");
  return 2;
}
