#include "fleet/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "os/descriptor.h"

namespace puna::fleet {
namespace {

constexpr std::size_t kLinesKept = 50;
constexpr std::size_t kLongestLine = 4096;
constexpr std::size_t kLongestName = 200;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::filesystem::path numbered(const std::filesystem::path& file, std::size_t number) {
  return number == 0 ? file : std::filesystem::path(fmt::format("{}.{}", file.string(), number));
}

}  // namespace

Result<> check_model_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alphanumeric(c) || std::string_view("._-:/@+").find(c) != std::string_view::npos; };
  const auto parts = split(name, '/');
  const bool climbs = std::ranges::any_of(parts, [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
  if (name.empty() || name.size() > kLongestName || !is_alphanumeric(name.front()) || !std::ranges::all_of(name, allowed) || climbs)
    return fail(Code::invalid_argument, fmt::format("'{}' is no model name: letters, digits and . _ - : / @ + may stand in one",
                                                    printable(name.substr(0, kLongestName))));
  return {};
}

std::filesystem::path worker_log_file(const std::filesystem::path& folder, std::string_view model) {
  std::string file = "worker-";
  for (const char c : model) {
    // Signs that a file name cannot have, or that shells and other systems trip over; written so that no two names meet.
    switch (c) {
      case '/':
        file += "+-";
        break;
      case ':':
        file += "@";
        break;
      case '@':
        file += "+a";
        break;
      case '+':
        file += "++";
        break;
      default:
        file += c;
    }
  }
  return folder / (file + ".log");
}

Result<> WorkerLog::add(std::string_view bytes) {
  std::string batch;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto end = bytes.find('\n', begin);
    const auto piece = bytes.substr(begin, end == std::string_view::npos ? end : end - begin);
    if (partial_.size() < kLongestLine) partial_ += piece.substr(0, kLongestLine - partial_.size());
    if (end == std::string_view::npos) break;
    take_line(std::exchange(partial_, {}), batch);
    begin = end + 1;
  }
  return write(batch);
}

Result<> WorkerLog::finish() {
  std::string batch;
  if (!partial_.empty()) take_line(std::exchange(partial_, {}), batch);
  return write(batch);
}

void WorkerLog::take_line(std::string_view line, std::string& batch) {
  std::string clean = redact(printable(trim(line)));
  if (clean.empty()) return;
  batch += fmt::format("{} {}\n", format_time(std::chrono::system_clock::now()), clean);
  if (lines_.size() == kLinesKept) lines_.pop_front();
  lines_.push_back(std::move(clean));
}

Result<> WorkerLog::write(const std::string& batch) const {
  if (batch.empty()) return {};
  struct stat info{};
  if (::stat(file_.c_str(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) + batch.size() > limits_.file_size.count) rotate();
  const os::UniqueFd file(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(errno_error(errno, fmt::format("cannot open {}", file_.string())));
  return os::write_all(file.get(), batch);
}

void WorkerLog::rotate() const {
  // A name that cannot be moved is written on: a log longer than it should be is better than none.
  std::error_code failed;
  for (std::size_t number = limits_.files - 1; number > 0; --number)
    std::filesystem::rename(numbered(file_, number - 1), numbered(file_, number), failed);
  if (limits_.files == 1) std::filesystem::remove(file_, failed);
}

}  // namespace puna::fleet
