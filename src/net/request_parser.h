// Reads one HTTP/1 request straight into a ServerRequest.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/units.h"
#include "net/http_server.h"

namespace puna::net {

// An answer that the server gives itself, instead of the handler.
struct Refusal {
  int status = 400;
  Error error;
};

class RequestParser : private boost::beast::http::basic_parser<true> {
 public:
  RequestParser(ServerRequest& request, Bytes max_header);

  enum class Progress { need_more, header_done, done };
  // Takes bytes off the front of `input`. Stops once at the end of the header, so that the caller can judge it before the body comes.
  [[nodiscard]] std::expected<Progress, Refusal> feed(std::string_view& input);
  // For after header_done; before it is called a body may have any length. Refuses a length that the header states already.
  [[nodiscard]] std::optional<Refusal> limit_body(Bytes max_body);

  [[nodiscard]] bool keeps_alive() const { return keep_alive(); }
  [[nodiscard]] bool is_http_1_0() const { return version_ == 10; }
  // Nothing of a request was seen yet, not even a byte.
  [[nodiscard]] bool untouched() const { return !got_some(); }

 private:
  using View = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

  std::optional<Refusal> judge_header() const;
  [[nodiscard]] Refusal refusal_for(ErrorCode error) const;

  void on_request_impl(boost::beast::http::verb, View method, View target, int version, ErrorCode&) override;
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_field_impl(boost::beast::http::field, View name, View value, ErrorCode&) override;
  void on_header_impl(ErrorCode&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override;
  std::size_t on_body_impl(View body, ErrorCode&) override;
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, ErrorCode&) override;
  void on_finish_impl(ErrorCode&) override {}

  ServerRequest& request_;
  Bytes max_header_;
  Bytes max_body_;
  std::size_t header_bytes_ = 0;
  int version_ = 11;
  bool judged_ = false;
};

}  // namespace puna::net
