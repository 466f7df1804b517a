// Writes the reference documentation from the tables that the program itself runs by.
//
//   puna-reference --write DOCS   writes DOCS/settings.md, DOCS/api.md and a page for each dialect (DOCS/openai.md …)
//   puna-reference --check DOCS   fails when a file there says something else, or no client test proves an endpoint
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "api/conformance.h"
#include "api/spec.h"
#include "base/settings_registry.h"
#include "base/text.h"

namespace {

using namespace puna;

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

// Endpoint to the names of the client tests whose comment "# proves: POST /v1/rerank" claims it.
using Proofs = std::multimap<std::string, std::string>;

Proofs read_proofs(const std::filesystem::path& tests) {
  constexpr std::string_view kClaim = "# proves: ";
  Proofs out;
  for (const auto& entry : std::filesystem::directory_iterator(tests)) {
    if (entry.path().extension() != ".py") continue;
    std::ifstream stream(entry.path());
    std::vector<std::string> claimed;
    for (std::string line; std::getline(stream, line);) {
      const auto text = trim(line);
      if (text.starts_with(kClaim)) claimed.emplace_back(text.substr(kClaim.size()));
      if (!text.starts_with("def ")) continue;
      const auto name = text.substr(4, text.find('(') - 4);
      for (const auto& endpoint : std::exchange(claimed, {})) out.emplace(endpoint, name);
    }
  }
  return out;
}

std::string proofs_of(const Proofs& proofs, std::string_view endpoint) {
  std::set<std::string_view> names;
  const auto [begin, end] = proofs.equal_range(std::string(endpoint));
  for (auto proof = begin; proof != end; ++proof) names.insert(proof->second);
  return fmt::format("`{}`", fmt::join(names, "`<br>`"));
}

std::string_view summary_of(std::string_view endpoint) {
  for (const auto& route : api::routes())
    if (fmt::format("{} {}", route.method, route.path) == endpoint) return route.summary;
  return "";
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

std::string_view treatment_text(api::Treatment treatment) {
  switch (treatment) {
    case api::Treatment::honoured:
      return "honoured";
    case api::Treatment::noted:
      return "accepted, without effect";
    case api::Treatment::refused:
      return "refused by name";
  }
  return "";
}

std::string bounds_text(const api::Parameter& row) {
  const bool low = row.min > -api::kUnbounded;
  const bool high = row.max < api::kUnbounded;
  if (low && high) return fmt::format(", {} to {}", row.min, row.max);
  if (low) return fmt::format(", from {}", row.min);
  return high ? fmt::format(", to {}", row.max) : "";
}

std::string members_text(const api::ConformanceTable& table) {
  std::string out = fmt::format("\n## {}{}\n\n", table.endpoint, table.of.empty() ? "" : fmt::format(": `{}`", table.of));
  if (table.unlisted == api::Unlisted::ignored) out += "Members that are not listed are ignored, as the dialect's own server does.\n\n";
  out += "| member | kind | treatment | note |\n| --- | --- | --- | --- |\n";
  for (const auto& row : table.members) {
    const bool refused = row.treatment == api::Treatment::refused;
    out +=
        fmt::format("| `{}` | {}{} | {} | {}{}{} |\n", row.name, refused ? "" : json::enum_name(row.kind), bounds_text(row),
                    treatment_text(row.treatment), row.ours ? "extension" : "", row.ours && !row.note.empty() ? "; " : "", cell(row.note));
  }
  return out;
}

// A page for each dialect: its endpoints with the tests of the official client that prove them, then what each takes.
std::string dialect_page(const api::DialectSheet& sheet, const Proofs& proofs) {
  std::string out = fmt::format(
      "# {}\n\n{}\n\nEvery member of a request is honoured, accepted because it asks for nothing that could be done differently here, or\n"
      "refused by name with the way out.\n\n| endpoint | what | proved with the official client by |\n| --- | --- | --- |\n",
      sheet.title, sheet.introduction);
  for (const auto& table : sheet.tables)
    if (table.of.empty())
      out += fmt::format("| `{}` | {} | {} |\n", table.endpoint, cell(summary_of(table.endpoint)), proofs_of(proofs, table.endpoint));
  for (const auto& table : sheet.tables)
    if (!table.members.empty()) out += members_text(table);
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
  std::string text;
};

std::vector<Page> pages(const Proofs& proofs) {
  std::vector<Page> out = {{"settings.md", settings_page()}, {"api.md", api_page()}};
  for (const auto& sheet : api::dialect_sheets()) out.push_back({sheet.page, dialect_page(sheet, proofs)});
  return out;
}

int count_unproved(const Proofs& proofs) {
  int unproved = 0;
  for (const auto& sheet : api::dialect_sheets())
    for (const auto& table : sheet.tables) {
      if (!table.of.empty() || proofs.contains(std::string(table.endpoint))) continue;
      fmt::print(stderr, "{}: no client test proves it; put \"# proves: {}\" above one\n", table.endpoint, table.endpoint);
      ++unproved;
    }
  return unproved;
}

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

int check(const std::filesystem::path& docs, const Proofs& proofs) {
  int stale = count_unproved(proofs);
  for (const auto& page : pages(proofs)) {
    if (read(docs / page.file) == page.text) continue;
    fmt::print(stderr, "docs/{} is not what the program says; run ./dev docs\n", page.file);
    ++stale;
  }
  return stale == 0 ? 0 : 1;
}

int write(const std::filesystem::path& docs, const Proofs& proofs) {
  for (const auto& page : pages(proofs)) {
    std::ofstream stream(docs / page.file, std::ios::binary);
    stream << page.text;
    if (!stream.flush()) {
      fmt::print(stderr, "cannot write docs/{}\n", page.file);
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  if (verb == "--check" || verb == "--write") {
    const std::filesystem::path docs = argv[2];
    const auto proofs = read_proofs(docs / "../tests/clients");
    return verb == "--check" ? check(docs, proofs) : write(docs, proofs);
  }
  std::fprintf(stderr, "usage: puna-reference --write|--check DOCS\n");
  return 2;
}
