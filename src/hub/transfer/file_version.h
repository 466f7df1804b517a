// Which state of a remote file its bytes belong to.
// Source of the rules: RFC 9110, sections 8.8 (validators) and 13 (conditions).
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "net/http_types.h"

namespace puna::hub::transfer {

struct FileVersion {
  std::optional<std::string> etag;           // as sent, with its quotes
  std::optional<std::string> last_modified;  // as sent
  std::optional<std::uint64_t> total;        // bytes

  bool operator==(const FileVersion&) const = default;
  // For an If-Range header: a strong entity tag, else a date; nothing when bytes of two answers cannot be told to belong together.
  [[nodiscard]] std::optional<std::string> range_validator() const;
  // Whether nothing that both sides say contradicts.
  [[nodiscard]] bool may_equal(const FileVersion& other) const;

  // As an answer's headers say; `total` stays open.
  [[nodiscard]] static FileVersion of(const net::Headers& headers);
};
BOOST_DESCRIBE_STRUCT(FileVersion, (), (etag, last_modified, total))

}  // namespace puna::hub::transfer
