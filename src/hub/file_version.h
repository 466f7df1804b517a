// Which state of a remote file its bytes belong to, and what a server's answer to a range request says about it.
// Source of the rules: RFC 9110, sections 8.8 (validators), 13 (conditions) and 14 (ranges).
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/http_types.h"

namespace puna::hub {

struct FileVersion {
  std::optional<std::string> etag;           // as sent, with its quotes
  std::optional<std::string> last_modified;  // as sent
  std::optional<std::uint64_t> total;        // bytes

  bool operator==(const FileVersion&) const = default;
  // For an If-Range header: a strong entity tag, else a date; nothing when bytes of two answers cannot be told to belong together.
  [[nodiscard]] std::optional<std::string> range_validator() const;
  // Whether nothing that both sides say contradicts.
  [[nodiscard]] bool may_equal(const FileVersion& other) const;
};
BOOST_DESCRIBE_STRUCT(FileVersion, (), (etag, last_modified, total))

struct RangeQuestion {
  std::uint64_t from = 0;  // bytes that are here already
  FileVersion version;     // of those
  bool ranged = true;      // whether a Range header was sent
};

struct RangeAnswer {
  enum class Kind {
    whole,      // the body is the file from its first byte
    rest,       // the body goes on where the question asked
    complete,   // nothing is missing
    unchanged,  // the file is still what the question's condition named (304)
    changed,    // what is here belongs to an older state of the file: ask from its first byte
    unusable,   // the server's ranges cannot be trusted: ask without
  };
  Kind kind = Kind::whole;
  FileVersion version;                  // of the file now
  std::optional<std::uint64_t> length;  // of the body
};

// For statuses 200 to 299, 304 and 416. Code::upstream_failed for an answer that no question can have.
[[nodiscard]] Result<RangeAnswer> judge(const RangeQuestion& question, int status, const net::Headers& headers);

}  // namespace puna::hub
