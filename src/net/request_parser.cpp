#include "net/request_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace puna::net {

namespace http = boost::beast::http;

namespace {
std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}
}  // namespace

RequestParser::RequestParser(ServerRequest& request, Bytes max_header) : request_(request), max_header_(max_header) {
  header_limit(static_cast<std::uint32_t>(std::min<std::uint64_t>(max_header.count, 1U << 30)));
  body_limit(boost::none);
}

std::optional<Refusal> RequestParser::limit_body(Bytes max_body) {
  max_body_ = max_body;
  body_limit(max_body.count);  // counts what comes in chunks
  if (const auto stated = content_length(); stated && *stated > max_body.count) return refusal_for(http::error::body_limit);
  return std::nullopt;
}

std::expected<RequestParser::Progress, Refusal> RequestParser::feed(std::string_view& input) {
  while (!input.empty() && untouched() && (input.front() == '\r' || input.front() == '\n'))
    input.remove_prefix(1);  // RFC 9112, section 2.2
  while (!is_done()) {
    if (input.empty()) return Progress::need_more;
    const bool in_header = !is_header_done();
    // Beast asserts that the last chunk comes in no fewer bytes; no body is complete without that many to come.
    constexpr std::size_t kShortestLastChunk = std::string_view("0\r\n\r\n").size();
    if (!in_header && chunked() && input.size() < kShortestLastChunk) return Progress::need_more;
    ErrorCode error;
    const auto taken = put({input.data(), input.size()}, error);
    input.remove_prefix(taken);
    // The parser's own limit is for one call; a header that comes in pieces is counted here.
    if (in_header) header_bytes_ += taken;
    const bool need_more = error == http::error::need_more;
    if (in_header ? header_bytes_ + (need_more ? input.size() : 0) > max_header_.count : need_more && input.size() > max_header_.count)
      error = http::error::header_limit;
    else if (need_more)
      return Progress::need_more;
    if (error) return std::unexpected(refusal_for(error));
    if (is_header_done() && !std::exchange(judged_, true)) {
      if (auto refusal = judge_header()) return std::unexpected(std::move(*refusal));
      return Progress::header_done;
    }
  }
  return Progress::done;
}

std::optional<Refusal> RequestParser::judge_header() const {
  // A length that two readers could understand differently is how requests are smuggled.
  if (const auto encoding = request_.headers.get("Transfer-Encoding")) {
    if (is_http_1_0()) return Refusal{400, {Code::invalid_argument, "HTTP/1.0 has no Transfer-Encoding"}};
    if (!equal_ignoring_case(trim(*encoding), "chunked"))
      return Refusal{501, {Code::unsupported, fmt::format("the transfer encoding '{}' is not supported", printable(*encoding))}};
  }
  const auto hosts = request_.headers.all("Host");
  if (hosts.size() > 1 || (hosts.empty() && !is_http_1_0()))
    return Refusal{400, {Code::invalid_argument, "a request carries exactly one Host header"}};
  if (const auto expect = request_.headers.get("Expect"); expect && !equal_ignoring_case(*expect, "100-continue"))
    return Refusal{417, {Code::unsupported, fmt::format("the expectation '{}' is not supported", printable(*expect))}};
  if (!request_.path.starts_with('/') && request_.target != "*")
    return Refusal{400, {Code::invalid_argument, fmt::format("'{}' is not a path", printable(request_.target))}};
  return std::nullopt;
}

Refusal RequestParser::refusal_for(ErrorCode error) const {
  if (error == http::error::header_limit) return {431, {Code::too_large, "the request header is larger than " + format_bytes(max_header_)}};
  if (error == http::error::body_limit) return {413, {Code::too_large, "the request body is larger than " + format_bytes(max_body_)}};
  if (error == http::error::bad_version) return {505, {Code::unsupported, "only HTTP/1.0 and HTTP/1.1 are spoken here"}};
  return {400, {Code::invalid_argument, "the request is not HTTP: " + error.message()}};
}

void RequestParser::on_request_impl(http::verb, View method, View target, int version, ErrorCode&) {
  request_.method = view(method);
  request_.target = view(target);
  version_ = version;
  std::string_view rest = request_.target;
  for (std::string_view scheme : {"http://", "https://"}) {  // the absolute form, for proxies; RFC 9112, section 3.2.2
    if (!rest.starts_with(scheme)) continue;
    rest.remove_prefix(scheme.size());
    rest.remove_prefix(std::min(rest.find_first_of("/?"), rest.size()));
  }
  const auto mark = rest.find('?');
  request_.path = rest.substr(0, mark);
  if (mark != std::string_view::npos) request_.query = Query::parse(rest.substr(mark + 1));
}

void RequestParser::on_field_impl(http::field, View name, View value, ErrorCode&) {
  if (is_header_done()) return;  // trailers could otherwise overrule what was judged
  request_.headers.add(std::string(view(name)), std::string(view(value)));
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) {
  constexpr std::uint64_t kTrusted = 1 << 20;  // a claim costs the client nothing; memory follows the bytes
  if (length) request_.body.reserve(std::min(*length, kTrusted));
}

std::size_t RequestParser::on_body_impl(View body, ErrorCode&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View body, ErrorCode&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

}  // namespace puna::net
