// Command lines with places for values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace puna::fleet {

// {port} or {socket}: where the program is to listen; {model}: the model's file; {context}, {slots}, {threads}: numbers. Other braces are
// text. Code::invalid_argument when a lower-case word in braces is none of these, or when there is not exactly one place to listen at.
[[nodiscard]] Result<> check_command_template(const std::vector<std::string>& words);
[[nodiscard]] bool names_place(const std::vector<std::string>& words, std::string_view place);

// With the values in their places; each stays one argument, whatever it contains.
[[nodiscard]] std::vector<std::string> fill_command(const std::vector<std::string>& words,
                                                    const std::map<std::string, std::string>& values);

}  // namespace puna::fleet
