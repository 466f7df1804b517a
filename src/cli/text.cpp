#include "cli/text.h"

#include "base/units.h"

namespace puna::cli {

std::string short_id(std::string_view sha256) {
  constexpr std::size_t kDigits = 12;
  return std::string(sha256.substr(0, kDigits));
}

std::string size_text(std::int64_t bytes) {
  return format_bytes(Bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0))));
}

std::string rounded_count(std::int64_t count) {
  if (count < 1'000) return std::to_string(count);
  if (count < 1'000'000) return fmt::format("{:.3g}k", static_cast<double>(count) / 1e3);
  return fmt::format("{:.3g}M", static_cast<double>(count) / 1e6);
}

std::string job_tail(std::string_view id) {
  constexpr std::size_t kDigits = 6;
  return std::string(id.size() > kDigits ? id.substr(id.size() - kDigits) : id);
}

std::string parameter_text(std::int64_t parameters) {
  const auto count = static_cast<double>(parameters);
  if (count >= 1e9) return fmt::format("{:.3g}B", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.4g}M", count / 1e6);
  return fmt::format("{}", parameters);
}

std::string state_text(const wire::RunningModel& model) {
  const std::string name = fmt::format("{}{}", json::enum_name(model.state), model.purpose == "embed" ? " (embed)" : "");
  const std::string queue = model.queued_requests > 0 ? fmt::format(", {} waiting", model.queued_requests) : "";
  if (model.state == wire::WorkerState::loading) return fmt::format("{} {:.0f}%{}", name, model.load_progress * 100, queue);
  return name + queue;
}

Error failure_of(const wire::Job& job) {
  if (!job.failure) return {Code::internal, fmt::format("job {} failed without a reason", job.id)};
  return error_of(*job.failure);
}

Error error_of(const wire::JobFailure& failure) {
  return {code_from_name(failure.code).value_or(Code::internal), failure.message};
}

}  // namespace puna::cli
