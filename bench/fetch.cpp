// puna-fetch FOLDER URL SIZE SHA256 [SETTING=VALUE…]: one file through the transfer engine, as `puna pull` brings it. Prints one line of
// JSON.
#include <fmt/format.h>

#include <charconv>
#include <map>

#include "base/json.h"
#include "base/settings.h"
#include "hub/transfer/transfer.h"
#include "os/file.h"

namespace {

using namespace puna;
using hub::transfer::Progress;
using Clock = std::chrono::steady_clock;

struct Report {
  double seconds = 0;
  double after_last_byte = 0;  // at most: what is seen of the progress is up to 0.2 s old
  std::uint64_t peak_memory_growth = 0;
  int most_connections = 0;
};
BOOST_DESCRIBE_STRUCT(Report, (), (seconds, after_last_byte, peak_memory_growth, most_connections))

std::uint64_t peak_memory() {
  const auto status = os::read_file("/proc/self/status", kib(64)).value_or("");
  std::uint64_t kilobytes = 0;
  const auto digits = status.find_first_of("0123456789", status.find("VmHWM:"));
  if (digits != std::string::npos) std::from_chars(status.data() + digits, status.data() + status.size(), kilobytes);
  return kilobytes * 1024;
}

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<Report> fetch(std::span<char*> words) {
  PUNA_TRY(const auto url, net::Url::parse(words[2]));
  PUNA_TRY(const auto size, parse_bytes(words[3]));
  std::map<std::string, std::string> flags;
  for (const std::string_view flag : words.subspan(5)) flags.emplace(flag.substr(0, flag.find('=')), flag.substr(flag.find('=') + 1));
  const SettingsStore settings({.file = {}, .environment = {}, .flags = std::move(flags)});
  hub::transfer::Engine engine({.settings = settings, .downloads = words[1], .http = {.proxy = ""}});
  const hub::transfer::Wanted wanted{.key = "file",
                                     .shown = "file",
                                     .size = size,
                                     .digest = hub::transfer::Digest{hub::transfer::Algorithm::sha256, words[4]},
                                     .locate = [&](hub::transfer::Why, const std::stop_token&) -> Result<hub::transfer::Location> {
                                       return hub::transfer::Location{.url = url, .headers = {}};
                                     }};
  Report report;
  const auto before = peak_memory();
  const auto start = Clock::now();
  double last_byte = 0;
  PUNA_TRY(const auto arrived, engine.fetch({wanted}, {.stop = {}, .target = {}, .progress = [&](const Progress& progress) {
                                                         if (progress.done < size) last_byte = since(start);
                                                         report.most_connections = std::max(report.most_connections, progress.connections);
                                                       }}));
  report.seconds = since(start);
  report.after_last_byte = report.seconds - last_byte;
  report.peak_memory_growth = peak_memory() - before;
  return report;
}

}  // namespace

int main(int count, char** words) {
  if (count < 5) {
    fmt::print(stderr, "usage: puna-fetch FOLDER URL SIZE SHA256 [SETTING=VALUE…]\n");
    return 2;
  }
  const auto report = fetch(std::span(words, static_cast<std::size_t>(count)));
  if (!report) {
    fmt::print(stderr, "puna-fetch: {}\n", report.error().text());
    return 1;
  }
  fmt::print("{}\n", json::to_text(json::encode(*report)));
  return 0;
}
