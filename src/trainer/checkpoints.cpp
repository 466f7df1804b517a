#include "trainer/checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "os/sha256.h"
#include "tune/checkpoint.h"

namespace puna::trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBefore = "step-";
constexpr std::string_view kBehind = ".gguf";

std::optional<std::int64_t> step_of(std::string_view name) {
  if (!name.starts_with(kBefore) || !name.ends_with(kBehind)) return std::nullopt;
  const auto digits = name.substr(kBefore.size(), name.size() - kBefore.size() - kBehind.size());
  std::int64_t step = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), step);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? std::optional(step) : std::nullopt;
}

}  // namespace

Result<std::string> identity_of(const wire::TuneOrder& order) {
  json::array parts;
  for (const auto& file : order.base) parts.emplace_back(file.sha256);
  if (order.data)
    for (const auto& source : *order.data) parts.emplace_back(source.digest);
  parts.push_back(json::encode(order.settings));
  parts.push_back(json::encode(order.request.mapping));
  return os::sha256_of(json::to_text(parts));
}

Checkpoints::Checkpoints(const fs::path& run_folder, std::string identity, std::int64_t keep)
    : folder_(run_folder / "checkpoints"),
      identity_(std::move(identity)),
      keep_(static_cast<std::size_t>(std::max<std::int64_t>(1, keep))) {}

fs::path Checkpoints::path_of(std::int64_t step) const {
  return folder_ / fmt::format("{}{}{}", kBefore, step, kBehind);
}

std::vector<std::int64_t> Checkpoints::steps() const {
  std::vector<std::int64_t> out;
  std::error_code error;
  for (fs::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error))
    if (const auto step = step_of(at->path().filename().string())) out.push_back(*step);
  std::ranges::sort(out, std::greater());
  return out;
}

std::optional<std::int64_t> Checkpoints::newest() const {
  const auto all = steps();
  return all.empty() ? std::nullopt : std::optional(all.front());
}

Result<std::optional<Cursor>> Checkpoints::restore(tune::Trainer& trainer) const {
  std::optional<Error> unreadable;
  for (const auto step : steps()) {
    auto text = tune::read_checkpoint(path_of(step), trainer, identity_);
    if (text) {
      PUNA_TRY(const auto cursor, json::decode_text<Cursor>(*text, json::Unknown::ignore));
      return cursor;
    }
    // One that a disk has damaged is no reason to lose those before it.
    if (text.error().code != Code::corrupt_data) return fail(std::move(text).error());
    unreadable = std::move(text).error();
  }
  if (unreadable) return fail(std::move(*unreadable));
  return std::nullopt;
}

Result<std::string> Checkpoints::save(tune::Trainer& trainer, const Cursor& cursor) {
  std::error_code error;
  fs::create_directory(folder_, error);
  if (error) return fail(errno_error(error.value(), fmt::format("cannot make {}", folder_.string())));
  const auto path = path_of(cursor.step);
  PUNA_CHECK(tune::write_checkpoint(path, trainer, {.identity = identity_, .cursor = json::to_text(json::encode(cursor))}));
  const auto all = steps();
  for (std::size_t i = keep_; i < all.size(); ++i) {
    fs::remove(path_of(all[i]), error);
    if (error) return fail(errno_error(error.value(), fmt::format("cannot remove {}", path_of(all[i]).string())));
  }
  return path.filename().string();
}

void Checkpoints::clear() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

}  // namespace puna::trainer
