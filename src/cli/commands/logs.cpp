#include <poll.h>

#include <array>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/invocation.h"
#include "cli/log_line.h"
#include "os/file_tail.h"

namespace puna::cli {
namespace {

constexpr std::array kArguments = {ArgumentSpec{.name = "MODEL",
                                                .help = "a model whose worker's log is meant; else the daemon's own",
                                                .occurs = Occurs::optional,
                                                .completes = Completes::models}};
constexpr std::array kOptions = {
    OptionSpec{.name = "follow", .letter = 'f', .help = "go on with every further line until Ctrl-C"},
    OptionSpec{.name = "lines", .letter = 'n', .value = "NUMBER", .help = "how many of the last lines; 100 unless said"},
};
constexpr std::array kExamples = {Example{"puna logs -f", "watch the daemon"},
                                  Example{"puna logs smollm2 -n 50", "the last words of a model's worker"}};
constexpr std::int64_t kUsualLines = 100;
constexpr std::int64_t kMostLines = 10'000;

struct Order {
  std::string source;
  std::size_t lines = 0;
  bool follow = false;
  bool raw = false;  // --json: as they stand in the file
};

void print_line(Context& context, const Order& order, std::string_view line) {
  auto& out = context.console().out;
  out.line(order.raw ? std::string(line) : readable_log_line(line, out));
}

// The daemon's log outlives the daemon: it often tells why there is none.
Result<> read_file_log(Context& context, const Order& order, const Interrupt& interrupt) {
  PUNA_TRY(const auto places, context.places());
  std::error_code error;
  if (!std::filesystem::exists(places.log_file(), error))
    return fail(Code::not_found, fmt::format("there is no log yet: no daemon has written {}", places.log_file().string()));
  context.console().err.line(fmt::format("no daemon runs; this is what {} holds", places.log_file().string()));
  PUNA_TRY(auto tail, os::FileTail::open(places.log_file(), order.lines));
  while (true) {
    PUNA_TRY(const auto lines, tail.read());
    for (const auto& line : lines) print_line(context, order, line);
    if (!order.follow) return {};
    std::array<pollfd, 2> watched{pollfd{interrupt.descriptor(), POLLIN, 0}, pollfd{tail.descriptor(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return fail(errno_error(errno, "cannot wait for the log"));
    if (watched[0].revents != 0 || !context.console().out.problem()) return {};
  }
}

Result<> read_daemon_log(Context& context, const Order& order, const Interrupt& interrupt) {
  PUNA_TRY(auto* daemon, context.daemon(Start::if_needed, interrupt.token()));
  if (order.follow) {
    const auto print = [&](std::string_view line) { print_line(context, order, line); };
    auto followed = daemon->follow_logs(order.source, order.lines, print, interrupt.token());
    if (!interrupt.requested()) return followed;
    if (context.console().err.is_terminal()) context.console().err.line("");  // behind the terminal's "^C"
    return {};                                                                // which is how following ends
  }
  PUNA_TRY(const auto log, daemon->logs(order.source, order.lines));
  for (const auto& line : log.lines) print_line(context, order, line);
  return {};
}

Result<ExitCode> logs(Context& context, const Invocation& invocation) {
  const std::string model = invocation.argument("MODEL");
  PUNA_TRY(const auto lines, invocation.number("lines", kUsualLines, 0, kMostLines));
  const Order order{.source = model.empty() ? "daemon" : model,
                    .lines = static_cast<std::size_t>(lines),
                    .follow = invocation.has("follow"),
                    .raw = invocation.has("json")};
  PUNA_TRY(const bool runs, context.daemon_runs());
  PUNA_TRY(const auto interrupt, Interrupt::install());
  PUNA_CHECK(model.empty() && !runs ? read_file_log(context, order, *interrupt) : read_daemon_log(context, order, *interrupt));
  return ExitCode::ok;
}

}  // namespace

constinit const CommandSpec kLogs{
    .name = "logs",
    .group = Group::daemon,
    .summary = "show the log of the daemon or of a model",
    .description =
        "Shows the last lines of the daemon's log, or of the log of a model's worker, where llama.cpp writes. --json prints the "
        "lines as they stand in the file.",
    .arguments = kArguments,
    .options = kOptions,
    .examples = kExamples,
    .prints_data = true,
    .run = logs,
};

}  // namespace puna::cli
