#include "client/launch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>

#include "base/text.h"
#include "client/address.h"
#include "os/process.h"
#include "os/readable.h"

namespace puna::client {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kReadyDescriptor = 3;

// "error CODE message" as the daemon writes it.
Error told_error(std::string_view line) {
  line.remove_prefix(std::string_view("error ").size());
  const std::size_t space = std::min(line.find(' '), line.size());
  return {code_from_name(line.substr(0, space)).value_or(Code::internal), std::string(trim(line.substr(space)))};
}

Result<> await_ready(int pipe, os::Process& daemon, const os::StopDescriptor& stop, Clock::time_point until) {
  std::string line;
  while (!line.contains('\n')) {
    switch (os::wait_readable(pipe, stop, until)) {
      case os::Wake::stopped:
        return fail(Code::cancelled, "interrupted while the daemon was starting");
      case os::Wake::late:
        return fail(Code::deadline_exceeded, "the daemon did not become ready in time; `puna logs` may tell why");
      case os::Wake::readable:
        break;
    }
    std::array<char, 1024> buffer;
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "cannot hear from the starting daemon"));
    if (count == 0) break;
    line.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (line.starts_with("ready")) return {};
  if (line.starts_with("error ")) return fail(told_error(line.substr(0, line.find('\n'))));
  constexpr Milliseconds kToEnd(1'000);
  const auto status = daemon.wait(kToEnd);
  return fail(Code::unavailable, fmt::format("the daemon ended before it was ready ({}); `puna serve` shows why",
                                             status ? status->text() : std::string("it still runs, but says nothing")));
}

// Another program's daemon has the lock and is about to listen.
Result<> await_other(const os::Places& places, const os::StopDescriptor& stop, Clock::time_point until) {
  while (!is_listening(places.socket())) {
    constexpr Milliseconds kPause(20);
    if (Clock::now() >= until)
      return fail(Code::deadline_exceeded,
                  fmt::format("a daemon owns {}, but does not answer at {}", places.data.string(), places.socket().string()));
    if (os::wait_readable(-1, stop, Clock::now() + kPause) == os::Wake::stopped)
      return fail(Code::cancelled, "interrupted while the daemon was starting");
    if (!is_owned(places) && !is_listening(places.socket()))
      return fail(Code::unavailable, "another daemon was starting, but ended before it answered; try again");
  }
  return {};
}

Result<> start_daemon(const LaunchOptions& options, const os::StopDescriptor& stop, Clock::time_point until) {
  PUNA_TRY(auto pipe, os::make_pipe());
  os::SpawnOptions spawn;
  spawn.argv = {options.program.string(), "serve", "--on-demand", "--ready-fd", std::to_string(kReadyDescriptor)};
  spawn.environment = daemon_environment(options.environment);
  spawn.pass_fds = {{pipe.write.get(), kReadyDescriptor}};
  spawn.new_session = true;
  spawn.die_with_parent = false;
  spawn.working_directory = "/";
  PUNA_TRY(auto daemon, os::Process::spawn(spawn));
  pipe.write.reset();
  PUNA_CHECK(await_ready(pipe.read.get(), daemon, stop, until));
  std::move(daemon).detach();
  return {};
}

bool is_passed_on(std::string_view name) {
  constexpr std::array<std::string_view, 10> kNames = {"http_proxy", "https_proxy", "all_proxy",     "no_proxy",     "HTTPS_PROXY",
                                                       "ALL_PROXY",  "NO_PROXY",    "SSL_CERT_FILE", "SSL_CERT_DIR", "GOMP_CPU_AFFINITY"};
  constexpr std::array<std::string_view, 12> kPrefixes = {"PUNA_", "CUDA_", "NVIDIA_", "HIP_",        "GGML_",   "VK_",
                                                          "OMP_",  "HF_",   "HUGGING", "MODELSCOPE_", "OLLAMA_", "OTEL_"};
  return std::ranges::find(kNames, name) != kNames.end() ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

// Asks with a shared lock, which a daemon that starts in this very moment could stumble over; the second try in ensure_daemon() is for
// that one.
bool is_owned(const os::Places& places) {
  const os::UniqueFd file(::open(places.lock().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

os::Environment daemon_environment(const os::Environment& ours) {
  os::Environment out = os::child_environment(ours);
  for (const auto& [name, value] : ours)
    if (is_passed_on(name)) out.emplace(name, value);
  if (const auto home = out.find("PUNA_HOME"); home != out.end() && !home->second.empty()) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(home->second, error);
    if (!error) home->second = absolute.string();  // the daemon works in another folder
  }
  return out;
}

Result<std::filesystem::path> own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return fail(errno_error(error.value(), "cannot find this program's own file"));
  return path;
}

Result<> ensure_daemon(const LaunchOptions& options, std::stop_token stop) {
  const auto until = Clock::now() + options.deadline;
  const os::StopDescriptor stopped(stop);
  for (int attempt = 1;; ++attempt) {
    if (is_listening(options.places.socket())) return {};
    auto started = start_daemon(options, stopped, until);
    if (started) return {};
    const bool lost_the_race = started.error().code == Code::conflict;
    if (lost_the_race && is_owned(options.places)) return await_other(options.places, stopped, until);
    if (!lost_the_race || attempt == 2) return fail(std::move(started).error().within("cannot start a daemon"));
  }
}

}  // namespace puna::client
