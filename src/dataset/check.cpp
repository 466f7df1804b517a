#include "dataset/check.h"

#include <fmt/format.h>

namespace puna::dataset {
namespace {

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7F;
  });
}

// U+00C3 or U+00C2 before a character of Latin-1's upper half, and the remains of typographic quotes: two characters that no language
// writes side by side, but each UTF-8 letter becomes.
bool looks_wrongly_decoded(std::string_view text) {
  for (std::size_t i = text.find('\xC3'); i != std::string_view::npos; i = text.find('\xC3', i + 1)) {
    const auto rest = text.substr(i);
    if (rest.size() < 4) break;
    const bool lead = rest[1] == '\x83' || rest[1] == '\x82';  // Ã, Â
    const auto third = static_cast<unsigned char>(rest[2]), fourth = static_cast<unsigned char>(rest[3]);
    if (lead && third == 0xC2 && fourth >= 0x80 && fourth <= 0xBF) return true;
  }
  return text.contains("\u00E2\u20AC");
}

}  // namespace

void check_text(const Row& row, std::size_t characters, std::size_t very_long, Problems& problems) {
  const auto add_once = [&](Kind kind, const std::string& field, std::string_view message) {
    if (std::ranges::find(problems, kind, &Problem::kind) == problems.end()) problems.push_back({kind, field, std::string(message)});
  };
  for_each_text(row, [&](const std::string& field, std::string_view text) {
    if (has_control_character(text)) add_once(Kind::control_characters, field, "a control character");
    if (text.contains("\uFFFD")) add_once(Kind::replacement_characters, field, "U+FFFD stands for a character that was lost");
    if (looks_wrongly_decoded(text)) add_once(Kind::mojibake, field, "UTF-8 that was read as Latin-1 or Windows-1252");
  });
  if (characters > very_long) problems.push_back({Kind::very_long, "", fmt::format("{} characters", characters)});
}

}  // namespace puna::dataset
