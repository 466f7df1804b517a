#include "cli/chat/history.h"

#include <fcntl.h>

#include "base/json.h"
#include "base/text.h"
#include "os/descriptor.h"
#include "os/file.h"

namespace puna::cli {
namespace {

constexpr Bytes kLargestFile = mib(16);
constexpr mode_t kMode = 0600;

std::string line_of(const std::string& text) {
  return json::to_text(json::value(text)) + '\n';
}

std::vector<std::string> read_entries(std::string_view text) {
  std::vector<std::string> out;
  for (const auto line : split(text, '\n')) {
    const auto entry = line.empty() ? Result<json::value>(fail(Code::not_found, "")) : json::parse(line);
    if (entry && entry->is_string()) out.emplace_back(std::string_view(entry->get_string()));
  }
  return out;
}

// The file grows to twice the limit before it is written anew.
Result<> shorten(const std::filesystem::path& file, const std::vector<std::string>& entries) {
  std::string text;
  for (const auto& entry : entries) text += line_of(entry);
  return os::write_file_atomic(file, text, kMode);
}

}  // namespace

Result<InputHistory> InputHistory::open(std::filesystem::path file, std::size_t limit) {
  auto text = os::read_file(file, kLargestFile);
  if (!text && text.error().code != Code::not_found) return fail(std::move(text).error().within("cannot read what was typed before"));
  auto entries = text ? read_entries(*text) : std::vector<std::string>();
  const bool too_long = entries.size() > 2 * limit;
  if (entries.size() > limit) entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(limit));
  if (too_long) PUNA_CHECK(shorten(file, entries));
  return InputHistory(std::move(file), std::move(entries));
}

Result<> InputHistory::add(const std::string& text) {
  if (trim(text).empty() || (!entries_.empty() && entries_.back() == text)) return {};
  entries_.push_back(text);
  const os::UniqueFd descriptor(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!descriptor) return fail(errno_error(errno, fmt::format("cannot keep what was typed in {}", file_.string())));
  return os::write_all(descriptor.get(), line_of(text));
}

}  // namespace puna::cli
