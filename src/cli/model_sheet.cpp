#include "cli/model_sheet.h"

#include "base/text.h"
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
  sheet.heading("File");
  sheet.row("size", size_text(model.size));
  sheet.row("sha256", model.sha256);
  sheet.row("path", detail.path);
  sheet.row("source", model.source);
  sheet.row("modified", time_ago(model.modified_at, now));
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
