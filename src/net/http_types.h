// Values that the HTTP server and the HTTP client share.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace puna::net {

struct Header {
  std::string name;
  std::string value;
};

// Header fields in their order; names compare without regard to case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

  void add(std::string name, std::string value);
  void set(std::string_view name, std::string value);  // instead of every field of that name
  void remove(std::string_view name);
  void clear() { fields_.clear(); }

  // Views into this object: not to be had of a temporary.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const&;  // the first
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const&;
  std::optional<std::string_view> get(std::string_view name) const&& = delete;
  std::vector<std::string_view> all(std::string_view name) const&& = delete;
  [[nodiscard]] bool contains(std::string_view name) const { return get(name).has_value(); }
  // Whether a comma-separated list such as Connection holds the token.
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] bool empty() const { return fields_.empty(); }

 private:
  std::vector<Header> fields_;
};

// Whether bytes may stand as a header's name or value: no line break, no control character.
[[nodiscard]] bool is_header_name(std::string_view name);
[[nodiscard]] bool is_header_value(std::string_view value);

// The decoded parameters of a query string, in their order.
class Query {
 public:
  Query() = default;
  // "a=1&b=x%20y+z"; a malformed escape stays as it is written.
  [[nodiscard]] static Query parse(std::string_view text);

  void add(std::string name, std::string value) { parameters_.emplace_back(std::move(name), std::move(value)); }
  // Views into this object: not to be had of a temporary.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const&;  // the first
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const&;
  std::optional<std::string_view> get(std::string_view name) const&& = delete;
  std::vector<std::string_view> all(std::string_view name) const&& = delete;
  [[nodiscard]] std::string text() const;  // encoded again

  [[nodiscard]] auto begin() const { return parameters_.begin(); }
  [[nodiscard]] auto end() const { return parameters_.end(); }
  [[nodiscard]] bool empty() const { return parameters_.empty(); }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

[[nodiscard]] Response json_response(int status, const json::value& body);
[[nodiscard]] std::string_view reason_phrase(int status);

}  // namespace puna::net
