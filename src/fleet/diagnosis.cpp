#include "fleet/diagnosis.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <span>

#include "base/text.h"
#include "os/file.h"

namespace puna::fleet {
namespace {

using wire::WorkerFault;

constexpr std::string_view kMemoryAdvice =
    "use a smaller model or quantization, a shorter context (models.context), fewer slots, or unload another model";

std::string_view advice(WorkerFault fault) {
  switch (fault) {
    case WorkerFault::model_missing:
      return "pull the model again";
    case WorkerFault::model_malformed:
      return "the file is damaged or no model: pull it again";
    case WorkerFault::model_unsupported:
      return "this version of llama.cpp cannot run it: another model, or a newer Puna, is needed";
    case WorkerFault::out_of_memory:
      return kMemoryAdvice;
    case WorkerFault::crashed:
      return "the next request starts it again; if it keeps happening, its log tells where";
    case WorkerFault::killed:
      return "the next request starts it again";
    case WorkerFault::hung:
      return "the next request starts it again; a device that fails is the usual reason";
    case WorkerFault::stalled:
      return "a slow disk needs a longer models.load_stall";
    case WorkerFault::spawn_failed:
      return "check models.worker_program and the limits of this user";
    case WorkerFault::port_taken:
      return "the next start takes another port; if the command names one itself, write {port} there";
    case WorkerFault::not_ready:
      return "its log tells more; start_deadline allows it more time, health names the path that it answers when it is ready";
    case WorkerFault::key_refused:
      return "key_env or key_file of the profile has to lead to a key that the server takes";
    case WorkerFault::none:
      return "";
  }
  return "";
}

wire::WorkerFailure with_advice(WorkerFault fault, const std::string& what, std::vector<std::string> log) {
  return {fault, fmt::format("{}; {}", what, advice(fault)), std::move(log)};
}

WorkerFault fault_of_signal(int signal, bool oom_kill_seen) {
  if (signal == SIGKILL && oom_kill_seen) return WorkerFault::out_of_memory;
  switch (signal) {
    case SIGKILL:
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
    case SIGQUIT:
      return WorkerFault::killed;
    default:
      return WorkerFault::crashed;
  }
}

// What programs and their libraries write, in lower case.
constexpr auto kPortTaken =
    std::to_array<std::string_view>({"address already in use", "address in use", "eaddrinuse", "couldn't bind", "could not bind"});
constexpr auto kNoMemory = std::to_array<std::string_view>(
    {"bad_alloc", "out of memory", "cannot allocate memory", "failed to allocate", "unable to allocate", "memoryerror"});

bool says_any(const std::vector<std::string>& log, std::span<const std::string_view> phrases) {
  return std::ranges::any_of(log, [&](const std::string& line) {
    const auto lower = lower_ascii(line);
    return std::ranges::any_of(phrases, [&](std::string_view phrase) { return lower.find(phrase) != std::string::npos; });
  });
}

std::string limit_reached(const Evidence& evidence, WorkerFault fault) {
  if (fault != WorkerFault::out_of_memory || !evidence.memory_limit) return "";
  return fmt::format("; its memory_limit is {}", format_bytes(*evidence.memory_limit));
}

std::string what_happened(const Evidence& evidence, WorkerFault fault) {
  const std::string_view when = evidence.was_ready ? "" : " while it loaded the model";
  const std::string status = evidence.exit ? evidence.exit->text() : "an unknown status";
  if (fault == WorkerFault::out_of_memory) return fmt::format("the kernel ended the worker for want of memory{}", when);
  if (fault == WorkerFault::killed) return fmt::format("somebody else ended the worker{} ({})", when, status);
  if (evidence.log.empty()) return fmt::format("the worker crashed{} ({})", when, status);
  return fmt::format("the worker crashed{} ({}), its last line was: {}", when, status, evidence.log.back());
}

// "oom_kill 3" in a file of "name number" lines.
std::optional<std::uint64_t> find_count(const std::filesystem::path& file, std::string_view name) {
  const auto text = os::read_file(file, kib(64));
  if (!text) return std::nullopt;
  for (const auto line : split(*text, '\n')) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.substr(0, space) != name) continue;
    const auto digits = trim(line.substr(space));
    std::uint64_t count = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), count).ec == std::errc()) return count;
  }
  return std::nullopt;
}

// The folder of our group in a unified (version 2) hierarchy: the line "0::/path".
std::optional<std::filesystem::path> own_control_group() {
  const auto text = os::read_file("/proc/self/cgroup", kib(64));
  if (!text) return std::nullopt;
  for (const auto line : split(*text, '\n'))
    if (line.starts_with("0::/")) return std::filesystem::path("/sys/fs/cgroup") / line.substr(4);
  return std::nullopt;
}

}  // namespace

wire::WorkerFailure diagnose(const Evidence& evidence) {
  if (evidence.reported)
    return with_advice(evidence.reported->fault, evidence.reported->message + limit_reached(evidence, evidence.reported->fault),
                       evidence.log);
  const bool by_itself = evidence.exit && !evidence.exit->ok() && (!evidence.exit->signal || *evidence.exit->signal == SIGABRT);
  if (by_itself && says_any(evidence.log, kPortTaken))
    return with_advice(WorkerFault::port_taken, "another program listens at its port", evidence.log);
  if (by_itself && says_any(evidence.log, kNoMemory))
    return with_advice(WorkerFault::out_of_memory,
                       fmt::format("it could not get the memory that it asked for{}", limit_reached(evidence, WorkerFault::out_of_memory)),
                       evidence.log);
  WorkerFault fault = WorkerFault::crashed;
  if (evidence.exit && evidence.exit->signal) fault = fault_of_signal(*evidence.exit->signal, evidence.oom_kill_seen);
  // A worker ends with code 0 only when it is asked to, and we did not ask.
  if (evidence.exit && evidence.exit->ok()) fault = WorkerFault::killed;
  return with_advice(fault, what_happened(evidence, fault), evidence.log);
}

Code code_of(WorkerFault fault) {
  switch (fault) {
    case WorkerFault::model_missing:
      return Code::not_found;
    case WorkerFault::model_malformed:
      return Code::corrupt_data;
    case WorkerFault::model_unsupported:
      return Code::unsupported;
    case WorkerFault::out_of_memory:
      return Code::out_of_memory;
    case WorkerFault::crashed:
    case WorkerFault::killed:
    case WorkerFault::hung:
      return Code::upstream_failed;
    case WorkerFault::stalled:
      return Code::deadline_exceeded;
    case WorkerFault::spawn_failed:
    case WorkerFault::port_taken:
      return Code::unavailable;
    case WorkerFault::not_ready:
      return Code::deadline_exceeded;
    case WorkerFault::key_refused:
      return Code::upstream_failed;
    case WorkerFault::none:
      return Code::internal;
  }
  return Code::internal;
}

Error to_error(const std::string& model, const wire::WorkerFailure& failure) {
  return {code_of(failure.fault), fmt::format("model {}: {}", model, failure.message)};
}

std::uint64_t count_oom_kills() {
  if (const auto group = own_control_group())
    if (const auto count = find_count(*group / "memory.events", "oom_kill")) return *count;
  return find_count("/proc/vmstat", "oom_kill").value_or(0);
}

}  // namespace puna::fleet
