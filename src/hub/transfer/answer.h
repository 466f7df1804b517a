// What a server's answer to a request for part of a file is worth.
// Source of the rules: RFC 9110, sections 14 (ranges) and 15.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "hub/transfer/file_version.h"
#include "hub/transfer/span_set.h"
#include "net/http_types.h"

namespace puna::hub::transfer {

struct Question {
  Span span;            // what was asked for
  bool ranged = true;   // whether a Range header was sent
  FileVersion version;  // of the bytes that are here; its total is the file's size, when that is known
  bool bound = false;   // whether the validators must match: nothing else says whether the bytes belong together
};

struct Answer {
  enum class Kind {
    part,       // the body is `span` of the file; its end may come earlier than asked for
    whole,      // the body is the file from its first byte
    end,        // 416: the file ends where the question begins
    changed,    // what is here belongs to another state of the file
    misplaced,  // a range that was not asked for: nothing in it can be used
  };
  Kind kind = Kind::whole;
  Span span;            // of a part; of a whole file its end is unknown without version.total
  FileVersion version;  // of the file now
};

// For statuses 200 to 299 and 416. Code::upstream_failed for an answer that is no file: encoded, several parts in one, another status.
[[nodiscard]] Result<Answer> judge(const Question& question, int status, const net::Headers& headers);

// How many bytes of a file's beginning refuse_impostor() looks at.
inline constexpr std::size_t kBeginning = 512;
// Code::corrupt_data when the file begins like something that servers send in place of a file: a web page, an error in JSON, the pointer
// that Git LFS keeps instead. `name` tells what is wanted: a page may be wanted, too.
[[nodiscard]] Result<> refuse_impostor(std::string_view name, std::string_view beginning, std::string_view content_type);

}  // namespace puna::hub::transfer
