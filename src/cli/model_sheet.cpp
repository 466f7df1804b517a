#include "cli/model_sheet.h"

#include "base/text.h"
#include "cli/probe_text.h"
#include "cli/screen/time_text.h"
#include "cli/screen/width.h"
#include "cli/text.h"

namespace puna::cli {
namespace {

class Sheet {
 public:
  explicit Sheet(Stream& out) : out_(out) {}
  void heading(std::string_view title) {
    if (!first_) out_.line("");
    first_ = false;
    out_.line("  " + out_.paint(Tone::bold, title));
  }
  void row(std::string_view name, std::string_view value) {
    constexpr std::size_t kNames = 20;
    if (!value.empty()) out_.line(fmt::format("    {}{}", pad_right(name, kNames), printable(value)));
  }
  void row(std::string_view text) { out_.line("    " + printable(text)); }

 private:
  Stream& out_;
  bool first_ = true;
};

void print_files(Sheet& sheet, const wire::ModelDetail& detail) {
  sheet.heading(detail.files.size() > 1 ? "Files" : "File");
  if (detail.files.size() <= 1) {
    sheet.row("size", size_text(detail.model.size));
    sheet.row("sha256", detail.model.sha256);
    sheet.row("path", detail.path);
    return;
  }
  for (const auto& file : detail.files)
    sheet.row(json::enum_name(file.role), fmt::format("{}  {}  {}", pad_right(size_text(file.size), 10),
                                                      file.sha256.empty() ? std::string("-") : short_id(file.sha256), file.path));
  sheet.row("size", size_text(detail.model.size));
  sheet.row("path", detail.path);
}

// What the model adds to requests that do not say otherwise.
void print_recipe(Sheet& sheet, const wire::Recipe& recipe) {
  constexpr std::size_t kLongest = 100;
  const bool says = recipe.system || recipe.context || recipe.chat_template || !recipe.messages.empty() || !recipe.parameters.empty();
  if (!says) return;
  sheet.heading("Defaults");
  if (recipe.system) sheet.row("system", shorten(printable(split(*recipe.system, '\n').front()), kLongest));
  for (const auto& entry : recipe.parameters) sheet.row(std::string_view(entry.key()), json::to_text(entry.value()));
  if (recipe.context) sheet.row("context", std::to_string(*recipe.context));
  if (!recipe.messages.empty()) sheet.row("messages", std::to_string(recipe.messages.size()));
  if (recipe.chat_template) sheet.row("template", "its own, see --template");
}

std::string count_text(std::int64_t count) {
  return count > 0 ? std::to_string(count) : std::string();
}

std::string value_text(const json::value& value) {
  constexpr std::size_t kLongest = 100;
  const std::string text = value.is_string() ? std::string(std::string_view(value.get_string())) : json::to_text(value);
  return shorten(printable(split(text, '\n').front()), kLongest);
}

}  // namespace

void print_model(Stream& out, const wire::ModelDetail& detail, WallTime now) {
  Sheet sheet(out);
  const auto& model = detail.model;
  const auto& details = model.details;
  sheet.heading("Model");
  sheet.row("name", model.name);
  sheet.row("architecture", details.architecture);
  sheet.row("parameters", details.parameters > 0 ? parameter_text(details.parameters) : "");
  sheet.row("context length", count_text(details.context_length));
  sheet.row("embedding length", count_text(details.embedding_length));
  sheet.row("layers", count_text(details.block_count));
  sheet.row("quantization", details.quantization);
  if (!details.capabilities.empty()) sheet.heading("Capabilities");
  for (const auto& capability : details.capabilities) sheet.row(capability);
  if (model.probe) {
    sheet.heading(fmt::format("Tried {}", time_ago(model.probe->probed_at, now)));
    for (const auto& [name, text] : findings_of(*model.probe)) sheet.row(name, text);
  }
  print_files(sheet, detail);
  sheet.heading("Origin");
  sheet.row("source", model.source);
  sheet.row("commit", model.provenance.commit.value_or(""));
  sheet.row("chosen by", model.provenance.filter.value_or(""));
  sheet.row("modified", time_ago(model.modified_at, now));
  if (model.store != "puna") sheet.row("store", model.store + " (read in place, never changed)");
  if (model.pinned) sheet.row("pinned", "yes");
  print_recipe(sheet, detail.recipe);
  if (details.licence) sheet.heading("License");
  if (details.licence) sheet.row(*details.licence);
}

void print_metadata(Stream& out, const wire::ModelDetail& detail) {
  Sheet sheet(out);
  out.line("");
  sheet.heading("Metadata");
  for (const auto& entry : detail.metadata) sheet.row(fmt::format("{}  {}", std::string_view(entry.key()), value_text(entry.value())));
}

}  // namespace puna::cli
