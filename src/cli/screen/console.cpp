#include "cli/screen/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"
#include "os/descriptor.h"

namespace puna::cli {
namespace {

std::string_view escape(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::bold:
      return "\033[1m";
    case Tone::dim:
      return "\033[2m";
    case Tone::good:
      return "\033[32m";
    case Tone::warning:
      return "\033[33m";
    case Tone::bad:
      return "\033[31m";
    case Tone::accent:
      return "\033[36m";
  }
  return "";
}
constexpr std::string_view kReset = "\033[0m";

bool is_set(const os::Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.empty();
}

bool knows_escape_codes(int descriptor, const os::Environment& environment) {
  const auto term = environment.find("TERM");
  return ::isatty(descriptor) == 1 && term != environment.end() && term->second != "dumb" && !term->second.empty();
}

// https://no-color.org
bool wants_colour(const os::Environment& environment, bool terminal) {
  return terminal && !is_set(environment, "NO_COLOR");
}

Stream standard_stream(int descriptor, const os::Environment& environment) {
  const bool terminal = knows_escape_codes(descriptor, environment);
  return {[descriptor](std::string_view text) { return os::write_all(descriptor, text); },
          {.terminal = terminal,
           .colour = wants_colour(environment, terminal),
           .width = [descriptor] { return terminal_width(descriptor); },
           .height = [descriptor] { return terminal_height(descriptor); }}};
}

// A byte at a time, so that what follows the line is left for others.
Result<std::string> read_standard_line() {
  std::string line;
  for (char c = 0;;) {
    const ssize_t count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(errno_error(errno, "cannot read standard input"));
    if (count == 0 || c == '\n' || line.size() == 4096) return line;
    line += c;
  }
}

}  // namespace

std::size_t terminal_width(int descriptor) {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::size_t terminal_height(int descriptor) {
  constexpr std::size_t kUsual = 24;
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : kUsual;
}

void Stream::write(std::string_view text) {
  if (!problem_ || text.empty()) return;
  problem_ = write_(text);
}

std::string Stream::paint(Tone tone, std::string_view text) const {
  if (!traits_.colour || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}{}", escape(tone), text, kReset);
}

Console Console::standard(const os::Environment& environment) {
  return {standard_stream(STDOUT_FILENO, environment), standard_stream(STDERR_FILENO, environment), ::isatty(STDIN_FILENO) == 1,
          read_standard_line};
}

void Console::choose_colour(ColourChoice choice, const os::Environment& environment) {
  for (Stream* stream : {&out, &err})
    stream->set_colour(choice == ColourChoice::always ||
                       (choice == ColourChoice::automatic && wants_colour(environment, stream->is_terminal())));
}

void Console::warn(std::string_view text) {
  err.line(fmt::format("{} {}", err.paint(Tone::warning, "warning:"), printable(text)));
}

void Console::complain(const Error& error) {
  err.line(fmt::format("{} {}", err.paint(Tone::bad, "error:"), printable(error.text())));
}

}  // namespace puna::cli
