// What goes wrong with an answer of the hub double: which request it hits, and what happens to it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "fakes/hub/http.h"

namespace puna::fakes {

// Every member may be absent, in C++ as in JSON; without any, nothing goes wrong. Several kinds may be combined.
struct HubFault {
  // Which requests it hits: the first that matches, or from the (skip+1)th on `times` ones (0: all).
  std::optional<Role> role;
  std::optional<std::string> method;
  std::optional<std::string> path;      // with '*' for anything; compared with the target as sent and as decoded, without its query
  std::optional<bool> ranged;           // only requests with a Range, or only those without
  std::optional<std::uint64_t> covers;  // only requests whose range has this byte of the file
  std::optional<std::string> token;     // only requests with this token
  std::optional<int> skip, times;       // 0 and 1 unless told
  std::optional<std::string> name;      // in the record of the requests it hit

  // Transport. Offsets count the bytes of the body.
  std::optional<bool> hold;                  // nothing is sent before release()
  std::optional<std::uint64_t> cut_after;    // then the connection ends
  std::optional<bool> reset;                 // ends by RST instead of FIN; without cut_after at once, no answer at all
  std::optional<std::uint64_t> stall_after;  // then nothing more comes before release()
  std::optional<bool> stalls_as_sent;        // the connection of a stall breaks at release() instead of going on
  std::optional<std::uint64_t> rate;         // bytes a second
  std::optional<std::uint64_t> slow_after;   // `rate` counts from here on
  std::optional<int> delay_ms;               // before the answer
  std::optional<bool> chunked;               // no Content-Length
  std::optional<bool> until_close;           // no Content-Length and no chunks: the end of the connection ends the body

  // HTTP
  std::optional<int> status;                                  // this status; with `body` that text instead of the file
  std::optional<std::string> body;                            // alone: with the status the answer would have had
  std::optional<std::map<std::string, std::string>> headers;  // in place of those of the same name; "" removes; {date+2} is an HTTP date
  std::optional<std::vector<std::string>> extra_headers;      // "Name: value", added although the name may be there already
  std::optional<std::uint64_t> large_header;                  // bytes of padding in one more header
  std::optional<bool> ignore_range;                           // the whole file with 200
  std::optional<bool> slice_as_200;                           // the range asked for, with Content-Range, but status 200
  std::optional<std::int64_t> shift_range;                    // the range begins that much later than asked, and the header says so
  std::optional<std::int64_t> claim_shift;                    // only the header says so
  std::optional<std::uint64_t> shorten_range;                 // the range ends that much earlier than asked, and the header says so
  std::optional<std::uint64_t> claim_total;                   // the size behind the slash of Content-Range
  std::optional<bool> no_content_range;                       // 206 without it
  std::optional<bool> gzip;                                   // whatever was asked for
  std::optional<bool> multipart;                              // multipart/byteranges of one part
  std::optional<std::string> unsatisfied;                     // 416 with this Content-Range ("" for none)
  std::optional<bool> login_page;                             // 200 with HTML, as a captive portal answers

  // Redirects and access
  std::optional<std::string> location;        // in place of the answer's; status 302 unless `status` is given
  std::optional<std::uint64_t> expire_after;  // the link given by this answer ends after so many bytes
  std::optional<int> expire_after_ms;         // the same after a time
  std::optional<bool> revoke;                 // the token of this request is worth nothing from now on

  // Content. Offsets are of the file.
  std::optional<std::uint64_t> flip_at;  // one bit of this byte, when it is sent
  std::optional<bool> pointer;           // the text of a Git LFS pointer instead of the file
};
BOOST_DESCRIBE_STRUCT(HubFault, (),
                      (role, method, path, ranged, covers, token, skip, times, name, hold, cut_after, reset, stall_after, stalls_as_sent,
                       rate, slow_after, delay_ms, chunked, until_close, status, body, headers, extra_headers, large_header, ignore_range,
                       slice_as_200, shift_range, claim_shift, shorten_range, claim_total, no_content_range, gzip, multipart, unsatisfied,
                       login_page, location, expire_after, expire_after_ms, revoke, flip_at, pointer))

// HubFaults in the order they were told; not thread-safe.
class HubFaults {
 public:
  void add(HubFault fault) { faults_.push_back({std::move(fault), 0}); }
  void clear() { faults_.clear(); }
  // The first that this request is due for, used up by one.
  [[nodiscard]] std::optional<HubFault> take(const Request& request);
  [[nodiscard]] std::size_t waiting() const { return faults_.size(); }

 private:
  struct Due {
    HubFault fault;
    int seen = 0;
  };
  std::vector<Due> faults_;
};

// Changes an answer as the fault says, short of what happens while it is written, and gives it its length.
void spoil(const HubFault& fault, Answer& answer);

// '*' stands for any text.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace puna::fakes
