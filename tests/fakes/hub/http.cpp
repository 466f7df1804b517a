#include "fakes/hub/http.h"

#include <fmt/chrono.h>
#include <openssl/evp.h>

#include <charconv>

#include "base/text.h"

namespace puna::fakes {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::tm utc(std::chrono::system_clock::time_point when) {
  return fmt::gmtime(std::chrono::system_clock::to_time_t(when));
}

}  // namespace

std::string Request::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::optional<std::string> Request::parameter(const std::string& name) const {
  const auto all = parameters(name);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

std::vector<std::string> Request::parameters(const std::string& name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : query)
    if (key == name || key == name + "[]") out.push_back(value);
  return out;
}

std::string Request::decoded_path() const {
  return percent_decoded(path);
}

std::string Request::token() const {
  const auto field = header("authorization");
  return field.starts_with("Bearer ") ? field.substr(7) : "";
}

std::optional<Range> Request::range(std::uint64_t size) const {
  const auto field = header("range");
  const std::string_view text(field);
  if (!text.starts_with("bytes=") || text.contains(',')) return std::nullopt;
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number_of(text.substr(6, dash - 6));
  const auto last = number_of(text.substr(dash + 1));
  if (!first && last) return Range{size - std::min(size, *last), size};
  if (!first || (last && *last < *first)) return std::nullopt;
  return Range{*first, last ? std::min(size, *last + 1) : size};
}

Answer Answer::text(int status, std::string text, std::string type) {
  Answer out;
  out.status = status;
  out.headers.emplace_back("Content-Type", std::move(type));
  out.whole(Content::of(std::move(text)));
  return out;
}

Answer Answer::json(const json::value& value, int status) {
  return text(status, json::to_text(value), "application/json; charset=utf-8");
}

Answer Answer::empty(int status) {
  Answer out;
  out.status = status;
  out.whole(Content::of(""));
  return out;
}

Answer Answer::redirect(int status, std::string location) {
  auto out = text(status, "Redirecting to " + location);
  out.set("Location", std::move(location));
  return out;
}

void Answer::set(const std::string& name, std::string value) {
  std::erase_if(headers, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
  headers.emplace_back(name, std::move(value));
}

Answer& Answer::with(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equal_ignoring_case(key, name)) return value;
  return "";
}

void Answer::whole(Content::Ptr content) {
  body = std::move(content);
  from = 0;
  to = body->size();
}

Answer file_answer(const Request& request, const Content::Ptr& content, const std::string& etag) {
  Answer out;
  out.set("Content-Type", "application/octet-stream");
  out.set("Accept-Ranges", "bytes");
  if (!etag.empty()) out.set("ETag", etag);
  out.whole(content);
  const auto condition = request.header("if-range");
  const auto range = request.range(content->size());
  if (!range || (!condition.empty() && condition != etag)) return out;
  if (range->from >= content->size()) {
    auto refusal = Answer::empty(416);
    refusal.set("Content-Range", fmt::format("bytes */{}", content->size()));
    return refusal;
  }
  out.status = 206;
  out.from = range->from;
  out.to = range->to;
  out.set("Content-Range", fmt::format("bytes {}-{}/{}", out.from, out.to - 1, content->size()));
  return out;
}

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text, std::string_view keep) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-._~").contains(c);
    if (plain || keep.contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string base64_encoded(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string base64_decoded(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (length < 0) return "";
  out.resize(static_cast<std::size_t>(length));
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '=' && !out.empty(); --i) out.pop_back();
  return out;
}

std::string http_date(std::chrono::system_clock::time_point when) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", utc(when));
}

std::string iso_date(std::chrono::system_clock::time_point when) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.000Z", utc(when));
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Entity";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

}  // namespace puna::fakes
