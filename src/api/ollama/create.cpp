#include "api/ollama/create.h"

#include "api/ollama/uploads.h"
#include "api/openai/members.h"
#include "base/text.h"

namespace puna::api::ollama {
namespace {

using openai::bad;
using openai::present;
using openai::text_member;
using Finder = std::function<Result<std::filesystem::path>(const std::string& sha256)>;

// TOML's texts know the escapes that JSON's have.
std::string toml_text(std::string_view text) {
  return json::to_text(json::value(text));
}

Result<std::vector<std::string>> files_of(const json::object& body, std::string_view member, const Finder& find, Creation& out) {
  std::vector<std::string> places;
  const json::value* files = present(body, member);
  if (!files) return places;
  for (const auto& file : files->get_object()) {
    const std::string path = fmt::format("{}.{}", member, printable(file.key()));
    if (!file.value().is_string()) return bad(path, "expected a digest");
    const auto sha256 = parse_digest(std::string_view(file.value().get_string()));
    if (!sha256) return bad(path, "expected sha256: and 64 hexadecimal digits");
    if (!lower_ascii(std::string_view(file.key())).ends_with(".gguf"))
      return fail(Code::unsupported, fmt::format("{}: only GGUF files can be made into a model here", path));
    PUNA_TRY(const auto place, find(*sha256));
    places.push_back(place.string());
    out.uploads.push_back(*sha256);
  }
  return places;
}

Result<std::string> base_of(const json::object& body, const Finder& find, Creation& out) {
  PUNA_TRY(const auto files, files_of(body, "files", find, out));
  if (const auto from = text_member(body, "from"); !from.empty()) return std::string(from);
  if (files.empty()) return bad("from", "either 'from' or 'files' must say what the model is made of");
  if (files.size() > 1) return fail(Code::unsupported, "files: one GGUF makes a model here; bring models of several files with /api/pull");
  return files.front();
}

Result<> add_parameters(const json::object& body, std::string& recipe) {
  const json::value* parameters = present(body, "parameters");
  if (!parameters || parameters->get_object().empty()) return {};
  recipe += "[parameters]\n";
  for (const auto& entry : parameters->get_object()) {
    if (entry.value().is_null()) continue;
    if (entry.value().is_object() || entry.value().is_bool())
      return fail(Code::unsupported, fmt::format("parameters.{}: only numbers and texts can be kept with a model", printable(entry.key())));
    recipe += fmt::format("{} = {}\n", toml_text(entry.key()), json::to_text(entry.value()));
  }
  return {};
}

Result<> add_messages(const json::object& body, std::string& recipe) {
  const json::value* messages = present(body, "messages");
  if (!messages) return {};
  for (std::size_t i = 0; i < messages->get_array().size(); ++i) {
    const json::value& message = messages->get_array()[i];
    if (!message.is_object()) return bad(fmt::format("messages[{}]", i), "expected an object");
    recipe += fmt::format("[[messages]]\nrole = {}\ncontent = {}\n", toml_text(text_member(message.get_object(), "role")),
                          toml_text(text_member(message.get_object(), "content")));
  }
  return {};
}

}  // namespace

Result<Creation> read_creation(const json::object& body, const Finder& find) {
  Creation out;
  PUNA_TRY(const auto from, base_of(body, find, out));
  out.recipe = fmt::format("from = {}\n", toml_text(from));
  for (const std::string_view name : {"system", "template"})
    if (const auto text = text_member(body, name); !text.empty()) out.recipe += fmt::format("{} = {}\n", name, toml_text(text));
  PUNA_TRY(const auto adapters, files_of(body, "adapters", find, out));
  if (!adapters.empty()) out.recipe += fmt::format("adapters = {}\n", json::to_text(json::encode(adapters)));
  if (const json::value* licence = present(body, "license")) out.recipe += fmt::format("licence = {}\n", json::to_text(*licence));
  PUNA_CHECK(add_parameters(body, out.recipe));
  PUNA_CHECK(add_messages(body, out.recipe));
  out.quantize = text_member(body, "quantize");
  if (out.quantize.empty()) out.quantize = text_member(body, "quantization");
  return out;
}

}  // namespace puna::api::ollama
