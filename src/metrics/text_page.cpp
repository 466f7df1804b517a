#include "metrics/text_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace puna::metrics {
namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += out.ends_with('{') ? "" : ",";
  out.append(name).append("=\"");
  append_escaped(out, value);
  out += '"';
}

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return "counter";
    case Kind::gauge:
      return "gauge";
    case Kind::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

void Histogram::observe(double value) {
  ++counts_[static_cast<std::size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin())];
  sum_ += value;
}

void TextPage::family(std::string_view name, Kind kind, std::string_view help) {
  family_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind_text(kind));
}

void TextPage::line(std::string_view suffix, Labels labels, std::string_view le, double value) {
  text_.append(family_).append(suffix);
  if (labels.size() > 0 || !le.empty()) {
    text_ += '{';
    for (const auto& [name, text] : labels) append_label(text_, name, text);
    if (!le.empty()) append_label(text_, "le", le);
    text_ += '}';
  }
  text_.append(" ").append(number_text(value)).append("\n");
}

void TextPage::sample(Labels labels, double value) {
  line("", labels, "", value);
}

void TextPage::histogram(Labels labels, const Histogram& histogram) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    total += histogram.counts()[i];
    const bool last = i == histogram.bounds().size();
    line("_bucket", labels, last ? "+Inf" : number_text(histogram.bounds()[i]), static_cast<double>(total));
  }
  line("_sum", labels, "", histogram.sum());
  line("_count", labels, "", static_cast<double>(total));
}

}  // namespace puna::metrics
