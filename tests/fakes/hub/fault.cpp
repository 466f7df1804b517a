#include "fakes/hub/fault.h"

#include <boost/crc.hpp>
#include <charconv>

#include "base/text.h"

namespace puna::fakes {
namespace {

bool hits(const HubFault& fault, const Request& request) {
  if (fault.role && *fault.role != request.role) return false;
  if (fault.method && *fault.method != request.method) return false;
  if (fault.path && !glob_match(*fault.path, request.path) && !glob_match(*fault.path, request.decoded_path())) return false;
  if (fault.token && *fault.token != request.token()) return false;
  const auto range = request.range(UINT64_MAX);
  if (fault.ranged && *fault.ranged != range.has_value()) return false;
  return !fault.covers || !range || (*fault.covers >= range->from && *fault.covers < range->to);
}

// {date+2}: the moment two seconds from now, as HTTP writes it.
std::string with_dates(std::string value) {
  const auto start = value.find("{date+");
  const auto end = value.find('}', std::min(start, value.size()));
  if (start == std::string::npos || end == std::string::npos) return value;
  int seconds = 0;
  std::from_chars(value.data() + start + 6, value.data() + end, seconds);
  return value.replace(start, end - start + 1, http_date(std::chrono::system_clock::now() + std::chrono::seconds(seconds)));
}

void remove(Answer& answer, std::string_view name) {
  std::erase_if(answer.headers, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
}

std::string little_endian(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// A gzip file whose blocks are stored as they are.
std::string gzipped(const std::string& bytes) {
  constexpr std::size_t kMost = 65535;
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  for (std::size_t at = 0; at < bytes.size() || at == 0; at += kMost) {
    const auto part = bytes.substr(at, kMost);
    const auto length = static_cast<std::uint32_t>(part.size());
    out += static_cast<char>(at + kMost >= bytes.size());
    out += little_endian(length, 2) + little_endian(~length, 2) + part;
  }
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return out + little_endian(crc.checksum(), 4) + little_endian(static_cast<std::uint32_t>(bytes.size()), 4);
}

std::string pointer_text(const Content& content) {
  return fmt::format("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", content.sha256(), content.size());
}

void range_header(Answer& answer, std::uint64_t from, std::uint64_t to, std::uint64_t total) {
  answer.set("Content-Range", fmt::format("bytes {}-{}/{}", from, to - 1, total));
}

void spoil_range(const HubFault& fault, Answer& answer) {
  if (answer.status != 206) return;
  const auto size = answer.body->size();
  if (fault.ignore_range) {
    answer.status = 200;
    answer.whole(answer.body);
    return remove(answer, "Content-Range");
  }
  if (fault.shift_range) {
    answer.from = std::min(answer.from + static_cast<std::uint64_t>(*fault.shift_range), answer.to - 1);
    range_header(answer, answer.from, answer.to, size);
  }
  if (fault.shorten_range && answer.to - answer.from > *fault.shorten_range) {
    answer.to -= *fault.shorten_range;
    range_header(answer, answer.from, answer.to, size);
  }
  if (fault.claim_shift) {
    const auto shift = static_cast<std::uint64_t>(*fault.claim_shift);
    range_header(answer, answer.from + shift, answer.to + shift, size);
  }
  if (fault.claim_total) range_header(answer, answer.from, answer.to, *fault.claim_total);
  if (fault.no_content_range) remove(answer, "Content-Range");
  if (fault.slice_as_200) answer.status = 200;
}

void spoil_body(const HubFault& fault, Answer& answer) {
  if (fault.pointer) answer.whole(Content::of(pointer_text(*answer.body)));
  if (fault.body) answer.whole(Content::of(*fault.body));
  if (fault.gzip) {
    answer.whole(Content::of(gzipped(answer.body->text(answer.from, answer.to - answer.from))));
    answer.set("Content-Encoding", "gzip");
  }
  if (fault.multipart && answer.status == 206) {
    const auto slice = answer.body->text(answer.from, answer.to - answer.from);
    answer.whole(Content::of(fmt::format("--edge\r\nContent-Type: application/octet-stream\r\nContent-Range: {}\r\n\r\n{}\r\n--edge--\r\n",
                                         answer.header("Content-Range"), slice)));
    answer.set("Content-Type", "multipart/byteranges; boundary=edge");
    remove(answer, "Content-Range");
  }
}

}  // namespace

std::optional<HubFault> HubFaults::take(const Request& request) {
  for (auto due = faults_.begin(); due != faults_.end(); ++due) {
    if (!hits(due->fault, request)) continue;
    const auto first = due->fault.skip.value_or(0);
    const auto times = due->fault.times.value_or(1);
    if (due->seen++ < first) continue;
    auto out = due->fault;
    if (times > 0 && due->seen >= first + times) faults_.erase(due);
    return out;
  }
  return std::nullopt;
}

void spoil(const HubFault& fault, Answer& answer) {
  if (fault.login_page) {
    answer = Answer::text(200, "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>", "text/html");
  } else if (fault.unsatisfied) {
    answer = Answer::empty(416);
    if (!fault.unsatisfied->empty()) answer.set("Content-Range", *fault.unsatisfied);
  } else if (fault.location) {
    answer = Answer::redirect(fault.status.value_or(302), *fault.location);
  } else if (fault.status && *fault.status / 100 != answer.status / 100) {
    // Headers of the answer that was due would not stand beside an error.
    answer = Answer::text(*fault.status, fault.body.value_or(""));
  } else {
    if (fault.status) answer.status = *fault.status;
    spoil_range(fault, answer);
    spoil_body(fault, answer);
  }
  if (fault.chunked) answer.chunked = true;
  if (fault.until_close) answer.sized = false;
  if (answer.chunked) answer.set("Transfer-Encoding", "chunked");
  if (answer.sized && !answer.chunked && answer.status != 204 && answer.status != 304)
    answer.set("Content-Length", fmt::format("{}", answer.to - answer.from));
  for (const auto& [name, value] : fault.headers.value_or(std::map<std::string, std::string>())) {
    remove(answer, name);
    if (!value.empty()) answer.headers.emplace_back(name, with_dates(value));
  }
  for (const auto& line : fault.extra_headers.value_or(std::vector<std::string>())) {
    const auto colon = line.find(':');
    answer.headers.emplace_back(line.substr(0, colon),
                                std::string(trim(std::string_view(line).substr(std::min(colon, line.size() - 1) + 1))));
  }
  if (fault.large_header) answer.headers.emplace_back("X-Padding", std::string(*fault.large_header, 'x'));
}

bool glob_match(std::string_view pattern, std::string_view text) {
  while (!pattern.empty() && pattern.front() != '*') {
    if (text.empty() || text.front() != pattern.front()) return false;
    pattern.remove_prefix(1);
    text.remove_prefix(1);
  }
  if (pattern.empty()) return text.empty();
  pattern.remove_prefix(1);
  for (std::size_t skip = 0; skip <= text.size(); ++skip)
    if (glob_match(pattern, text.substr(skip))) return true;
  return false;
}

}  // namespace puna::fakes
