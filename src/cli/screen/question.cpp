#include "cli/screen/question.h"

#include <fmt/format.h>

#include "base/text.h"

namespace puna::cli {

Result<bool> ask(Console& console, std::string_view question) {
  if (!console.input_is_terminal || !console.read_line) return fail(Code::invalid_argument, "nobody is there to answer: say --yes");
  console.err.write(printable(fmt::format("{} [y/N] ", question)));
  PUNA_TRY(const auto answer, console.read_line());
  const std::string said = lower_ascii(trim(answer));
  return said == "y" || said == "yes";
}

}  // namespace puna::cli
