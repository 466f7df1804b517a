// Standard output and standard error: data goes to the one, narration to the other.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "os/environment.h"

namespace puna::cli {

enum class Tone { plain, bold, dim, good, warning, bad, accent };
enum class ColourChoice { automatic, always, never };

// One of the two streams. Escape codes are written to terminals only (colours elsewhere too when they are demanded).
class Stream {
 public:
  using Write = std::function<Result<>(std::string_view)>;
  struct Traits {
    bool terminal = false;  // one that knows escape codes
    bool colour = false;
    std::function<std::size_t()> width = [] { return std::size_t{80}; };   // columns, now
    std::function<std::size_t()> height = [] { return std::size_t{24}; };  // lines, now
  };
  Stream(Write write, Traits traits) : write_(std::move(write)), traits_(traits) {}

  // What could not be written is remembered: see problem().
  void write(std::string_view text);
  void line(std::string_view text) { write(std::string(text) + '\n'); }
  [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;

  [[nodiscard]] bool is_terminal() const { return traits_.terminal; }
  [[nodiscard]] std::size_t width() const { return traits_.width(); }
  [[nodiscard]] std::size_t height() const { return traits_.height(); }
  void set_colour(bool colour) { traits_.colour = colour; }
  [[nodiscard]] const Result<>& problem() const { return problem_; }

 private:
  Write write_;
  Traits traits_;
  Result<> problem_;
};

struct Console {
  Stream out;
  Stream err;
  bool input_is_terminal = false;
  std::function<Result<std::string>()> read_line = {};  // from standard input, without the line break; empty at its end

  // The process's own streams.
  [[nodiscard]] static Console standard(const os::Environment& environment);

  void choose_colour(ColourChoice choice, const os::Environment& environment);
  // "warning: …" on standard error.
  void warn(std::string_view text);
  // "error: …" on standard error.
  void complain(const Error& error);
};

// The columns of the terminal behind a descriptor; 80 where nothing is known.
[[nodiscard]] std::size_t terminal_width(int descriptor);
// Its lines; 24 where nothing is known.
[[nodiscard]] std::size_t terminal_height(int descriptor);

}  // namespace puna::cli
