// Requests and answers of the hub double. Answers are written by hand, so that they can be wrong in every way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "fakes/hub/content.h"

namespace puna::fakes {

// The origins of the double: each is a port of its own.
enum class Role : std::uint8_t {
  hub,       // Hugging Face's pages and API
  mirror,    // the same again, for lists of mirrors
  storage,   // where the signed links of hub, registry and ModelScope lead
  foreign,   // an origin that must never see a credential
  registry,  // Ollama's
  modelscope,
  web,  // files at plain addresses
};
BOOST_DESCRIBE_ENUM(Role, hub, mirror, storage, foreign, registry, modelscope, web)
inline constexpr std::size_t kRoles = 7;

struct Range {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  // one beyond the last byte
};

struct Request {
  Role role = Role::hub;
  std::string origin;  // "http://127.0.0.1:PORT" of the role
  std::string method;
  std::string target;                               // as sent
  std::string path;                                 // as sent, without the query
  std::vector<std::string> segments;                // of the path, decoded
  std::multimap<std::string, std::string> query;    // decoded
  std::multimap<std::string, std::string> headers;  // names in lower case
  Content::Ptr body;                                // never null

  [[nodiscard]] std::string header(const std::string& name) const;
  [[nodiscard]] std::optional<std::string> parameter(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> parameters(const std::string& name) const;  // NAME and NAME[]
  [[nodiscard]] std::string decoded_path() const;
  // The bearer's token; "" without one.
  [[nodiscard]] std::string token() const;
  // Of a file of that size; nothing when the header is absent, malformed or of several ranges. A start beyond the end: from >= size.
  [[nodiscard]] std::optional<Range> range(std::uint64_t size) const;
};

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  Content::Ptr body;
  std::uint64_t from = 0, to = 0;  // what is sent of the body
  bool sized = true;               // has a Content-Length
  bool chunked = false;
  std::string link;                        // the signature that allowed it; its bytes are counted
  std::optional<std::uint64_t> cut_after;  // the connection ends after so many bytes of the body

  static Answer text(int status, std::string text, std::string type = "text/plain; charset=utf-8");
  static Answer json(const json::value& value, int status = 200);
  static Answer empty(int status);
  static Answer redirect(int status, std::string location);

  void set(const std::string& name, std::string value);  // in place of those of the same name
  Answer& with(std::string name, std::string value);
  [[nodiscard]] std::string header(std::string_view name) const;
  void whole(Content::Ptr content);
};

// A file, as far as Range and If-Range ask for it: 200, 206 or 416.
[[nodiscard]] Answer file_answer(const Request& request, const Content::Ptr& content, const std::string& etag);

[[nodiscard]] std::string percent_decoded(std::string_view text, bool plus_is_space = false);
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view keep = "");
[[nodiscard]] std::string base64_encoded(std::string_view bytes);
[[nodiscard]] std::string base64_decoded(std::string_view text);
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point when);
[[nodiscard]] std::string iso_date(std::chrono::system_clock::time_point when);
[[nodiscard]] std::string_view reason_of(int status);

}  // namespace puna::fakes
