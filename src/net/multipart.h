// Bodies of type multipart/form-data, read from a stream cut anywhere. RFC 7578, RFC 2046.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace puna::net {

struct FormPart {
  std::string name;
  std::optional<std::string> filename;
};

class MultipartParser {
 public:
  struct Sink {
    std::function<Result<>(FormPart)> begin;         // of each part
    std::function<Result<>(std::string_view)> data;  // of the part begun last
  };

  // The boundary in a Content-Type; Code::invalid_argument when that is no multipart/form-data.
  [[nodiscard]] static Result<std::string> boundary_of(std::string_view content_type);
  explicit MultipartParser(std::string_view boundary);

  // Code::invalid_argument says what is wrong; an error of the sink comes back as it is. The parser is then done for.
  [[nodiscard]] Result<> feed(std::string_view bytes, const Sink& sink);
  // The body has ended: Code::invalid_argument when the form has not.
  [[nodiscard]] Result<> finish() const;

 private:
  enum class State { preamble, delimiter, headers, data, done };

  [[nodiscard]] Result<bool> step(const Sink& sink);
  [[nodiscard]] Result<bool> skip_preamble();
  [[nodiscard]] Result<bool> take_delimiter();
  [[nodiscard]] Result<bool> take_headers(const Sink& sink);
  [[nodiscard]] Result<bool> take_data(const Sink& sink);

  const std::string delimiter_;  // with the line break before it
  std::string buffer_ = "\r\n";  // the first delimiter may stand at the very beginning
  State state_ = State::preamble;
};

}  // namespace puna::net
