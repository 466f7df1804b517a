#include "training/run_folder.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <system_error>

#include "os/file.h"

namespace puna::training {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kLargestFile = mib(64);
constexpr std::streamoff kTail = 256 << 10;

template <class T>
Result<T> read_as(const fs::path& file) {
  PUNA_TRY(const auto text, os::read_file(file, kLargestFile));
  auto out = json::decode_text<T>(text, json::Unknown::ignore);
  if (!out) return fail(Code::corrupt_data, fmt::format("{}: {}", file.string(), out.error().message));
  return out;
}

// The last bytes of a file; nothing, when it cannot be read.
std::string tail_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  std::string out(static_cast<std::size_t>(std::min<std::streamoff>(size, kTail)), '\0');
  file.seekg(size - static_cast<std::streamoff>(out.size()));
  file.read(out.data(), static_cast<std::streamsize>(out.size()));
  return file ? out : std::string();
}

template <class T>
Result<> write_as(const fs::path& file, const T& value) {
  return os::write_file_atomic(file, json::pretty(json::encode(value)));
}

}  // namespace

Result<> RunFolder::require_absent() const {
  std::error_code error;
  if (!fs::exists(path_, error)) return {};
  return fail(Code::already_exists, fmt::format("there is a run {} already; give this one another name", path_.filename().string()));
}

Result<> RunFolder::become(const RunFolder& other) const {
  PUNA_CHECK(other.require_absent());
  std::error_code error;
  fs::rename(path_, other.path_, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", other.path_.string())));
  return {};
}

Result<wire::TuneOrder> RunFolder::order() const {
  return read_as<wire::TuneOrder>(path_ / "run.json");
}
Result<> RunFolder::write(const wire::TuneOrder& order) const {
  return write_as(path_ / "run.json", order);
}
Result<RunState> RunFolder::state() const {
  return read_as<RunState>(path_ / "state.json");
}
Result<> RunFolder::write(const RunState& state) const {
  return write_as(path_ / "state.json", state);
}
Result<std::optional<wire::TuneResult>> RunFolder::result() const {
  auto out = read_as<wire::TuneResult>(path_ / "result.json");
  if (out) return std::move(*out);
  if (out.error().code == Code::not_found) return std::nullopt;
  return fail(std::move(out).error());
}
Result<> RunFolder::write(const wire::TuneResult& result) const {
  return write_as(path_ / "result.json", result);
}

std::optional<std::int64_t> RunFolder::resumes_at() const {
  std::optional<std::int64_t> out;
  std::error_code error;
  for (fs::directory_iterator at(path_ / "checkpoints", error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().stem().string();  // "step-20"
    std::int64_t step = 0;
    const auto digits = std::string_view(name).substr(std::min(name.size(), name.rfind('-') + 1));
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), step);
    if (read.ec == std::errc() && read.ptr == digits.data() + digits.size() && name.starts_with("step-"))
      out = std::max(step, out.value_or(0));
  }
  return out;
}

std::optional<wire::TuneEvent> RunFolder::last(wire::TuneEventKind kind) const {
  const auto text = tail_of(metrics());
  std::string_view rest(text);
  while (!rest.empty()) {
    const auto newline = rest.find_last_of('\n', rest.size() - 1);
    const auto line = newline == std::string_view::npos ? rest : rest.substr(newline + 1);
    const auto event = json::decode_text<wire::TuneEvent>(line, json::Unknown::ignore);
    if (event && event->kind == kind) return *event;
    if (newline == std::string_view::npos) break;
    rest = rest.substr(0, newline);
  }
  return std::nullopt;
}

Bytes RunFolder::size() const {
  Bytes out;
  std::error_code error;
  for (fs::recursive_directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    std::error_code one;
    const auto size = at->is_regular_file(one) ? at->file_size(one) : 0;
    if (!one) out += Bytes(size);
  }
  return out;
}

}  // namespace puna::training
