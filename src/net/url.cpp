#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.h"

namespace puna::net {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_unreserved(char c) {
  return is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  return (c | 0x20) - 'a' + 10;
}

std::unexpected<Error> refuse(std::string_view reason) {
  return fail(Code::invalid_argument, "not a URL: " + std::string(reason));
}

// Path, query, fragment and credentials: what may stand there stays, bytes beyond ASCII are escaped, the rest is refused.
Result<std::string> take_component(std::string_view text, std::string_view what) {
  constexpr std::string_view kReserved = ":/?#[]@!$&'()*+,;=|^`{}\"";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
        return refuse(fmt::format("the {} has a '%' that two hexadecimal digits do not follow; a literal '%' is written %25", what));
      out += c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else if (is_unreserved(c) || kReserved.contains(c)) {
      out += c;
    } else {
      return refuse(c == ' ' ? fmt::format("the {} has a space; write %20", what)
                             : fmt::format("the {} has the character {}", what,
                                           c > 0x20 && c < 0x7f ? fmt::format("'{}'", c) : fmt::format("0x{:02x}", c)));
    }
  }
  return out;
}

bool is_ipv4(std::string_view host) {
  const auto parts = split(host, '.');
  return parts.size() == 4 && std::ranges::all_of(parts, [](std::string_view part) {
           return !part.empty() && part.size() <= 3 && std::ranges::all_of(part, is_digit) && (part.size() == 1 || part[0] != '0') &&
                  (part.size() < 3 || part <= "255");
         });
}

// RFC 4291, section 2.2: groups of hexadecimal digits, one "::" at most, an IPv4 tail allowed, a zone after "%25".
bool is_ipv6(std::string_view host) {
  if (const auto zone = host.find('%'); zone != std::string_view::npos) {
    if (!host.substr(zone).starts_with("%25") || zone + 3 >= host.size()) return false;
    if (!std::ranges::all_of(host.substr(zone + 3), is_unreserved)) return false;
    host = host.substr(0, zone);
  }
  const auto gap = host.find("::");
  if (gap != std::string_view::npos && host.find("::", gap + 1) != std::string_view::npos) return false;
  auto count_groups = [](std::string_view text, bool tail) -> std::optional<int> {
    if (text.empty()) return 0;
    int count = 0;
    const auto parts = split(text, ':');
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (tail && i + 1 == parts.size() && is_ipv4(parts[i])) {
        count += 2;
      } else if (!parts[i].empty() && parts[i].size() <= 4 && std::ranges::all_of(parts[i], is_hex)) {
        ++count;
      } else {
        return std::nullopt;
      }
    }
    return count;
  };
  if (gap == std::string_view::npos) return count_groups(host, true) == 8;
  const auto before = count_groups(host.substr(0, gap), false);
  const auto after = count_groups(host.substr(gap + 2), true);
  return before && after && *before + *after <= 7;
}

Result<> check_host_name(std::string_view host) {
  if (host.size() > 253) return refuse("the host name is longer than 253 characters");
  if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return refuse("the host name has letters beyond ASCII; write it in its \"xn--\" form");
  auto labels = split(host, '.');
  if (labels.size() > 1 && labels.back().empty()) labels.pop_back();  // "example.com." is the absolute form
  for (auto label : labels) {
    if (label.empty()) return refuse(fmt::format("the host '{}' has an empty part", printable(host)));
    if (label.size() > 63) return refuse("a part of the host name is longer than 63 characters");
    if (!std::ranges::all_of(label, [](char c) { return is_digit(c) || is_alpha(c) || c == '-' || c == '_'; }))
      return refuse(fmt::format("'{}' is not a host name", printable(host)));
    if (label.starts_with('-') || label.ends_with('-'))
      return refuse(fmt::format("'{}' is not a host name: a part begins or ends with '-'", host));
  }
  const bool numeric = std::ranges::all_of(labels.back(), is_digit);
  if (numeric && !is_ipv4(host)) return refuse(fmt::format("'{}' is not an IPv4 address", host));
  return {};
}

Result<std::uint16_t> take_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return refuse(fmt::format("'{}' is not a port; ports are 1 to 65535", printable(text)));
  return static_cast<std::uint16_t>(port);
}

Result<> take_authority(std::string_view text, Url& url) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    PUNA_TRY(url.credentials, take_component(text.substr(0, at), "user name or password"));
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return refuse("the '[' of an IPv6 address has no ']'");
    const auto address = text.substr(1, close - 1);
    if (!is_ipv6(address)) return refuse(fmt::format("'{}' is not an IPv6 address", printable(address)));
    url.host = address;
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return refuse("only a port may follow the ']' of an IPv6 address");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos)
      return refuse(is_ipv6(text) ? fmt::format("write the IPv6 address in brackets: [{}]", text) : "more than one ':' after the host");
    url.host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = text.substr(colon + 1);
    if (url.host.empty()) return refuse("it names no host");
    PUNA_CHECK(check_host_name(url.host));
  }
  if (has_port) {
    PUNA_TRY(url.port, take_port(port));
  }
  return {};
}

// Path, query and fragment, from the first of "/", "?", "#".
Result<> take_rest(std::string_view text, Url& url) {
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    PUNA_TRY(url.fragment, take_component(text.substr(hash + 1), "fragment"));
    text = text.substr(0, hash);
  }
  if (const auto mark = text.find('?'); mark != std::string_view::npos) {
    PUNA_TRY(url.query, take_component(text.substr(mark + 1), "query"));
    text = text.substr(0, mark);
  }
  PUNA_TRY(url.path, take_component(text, "path"));
  return {};
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_alpha(text[0]) &&
         std::ranges::all_of(text, [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
}

// RFC 3986, section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const auto segments = split(path.substr(path.starts_with('/') ? 1 : 0), '/');
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool last = i + 1 == segments.size();
    if (segments[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.emplace_back("");
    } else if (segments[i] == ".") {
      if (last) kept.emplace_back("");
    } else {
      kept.push_back(segments[i]);
    }
  }
  std::string out;
  for (auto segment : kept) out.append("/").append(segment);
  return out;
}

}  // namespace

Result<Url> Url::parse(std::string_view text, std::string_view default_scheme) {
  text = trim(text);
  if (text.empty()) return refuse("it is empty");
  Url url;
  if (const auto mark = text.find("://"); mark != std::string_view::npos && mark < text.find_first_of("/?#")) {
    if (!is_scheme(text.substr(0, mark))) return refuse(fmt::format("'{}' is not a scheme", puna::printable(text.substr(0, mark))));
    url.scheme = lower_ascii(text.substr(0, mark));
    text.remove_prefix(mark + 3);
  } else {
    url.scheme = default_scheme;
    if (text.starts_with("//")) text.remove_prefix(2);
  }
  if (const auto backslash = text.find('\\'); backslash != std::string_view::npos) return refuse("it has a '\\'; URLs use '/'");
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  const bool local_file = url.scheme == "file" && end == 0;  // file:///path has no host
  if (!local_file) PUNA_CHECK(take_authority(text.substr(0, end), url));
  PUNA_CHECK(take_rest(text.substr(end), url));
  return url;
}

std::string Url::authority() const {
  std::string out = host.contains(':') ? "[" + host + "]" : host;
  if (port) out += fmt::format(":{}", *port);
  return out;
}

std::string Url::text() const {
  std::string out = scheme + "://";
  if (credentials) out += *credentials + "@";
  out += authority() + path;
  if (query) out += "?" + *query;
  if (fragment) out += "#" + *fragment;
  return out;
}

std::string Url::printable() const {
  return scheme + "://" + authority() + path;
}

Url Url::without_credentials() const {
  Url out = *this;
  out.credentials.reset();
  return out;
}

std::uint16_t Url::effective_port() const {
  if (port) return *port;
  if (scheme == "http") return 80;
  return scheme == "https" ? 443 : 0;
}

std::string Url::target() const {
  std::string out = path.empty() ? "/" : path;
  if (query) out += "?" + *query;
  return out;
}

bool Url::is_loopback() const {
  return is_loopback_host(host);
}

bool is_loopback_host(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto name = lower_ascii(host);
  return name == "localhost" || name.ends_with(".localhost") || name == "::1" || (name.starts_with("127.") && is_ipv4(name));
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && equal_ignoring_case(host, other.host) && effective_port() == other.effective_port();
}

Result<Url> Url::resolve(std::string_view reference) const {
  reference = trim(reference);
  if (const auto mark = reference.find("://"); mark != std::string_view::npos && is_scheme(reference.substr(0, mark)))
    return parse(reference);
  if (reference.starts_with("//")) return parse(reference, scheme);
  Url out = *this;
  out.fragment.reset();
  Url parts;
  PUNA_CHECK(take_rest(reference, parts));
  out.fragment = parts.fragment;
  if (parts.path.empty()) {
    if (parts.query) out.query = parts.query;
    return out;
  }
  out.query = parts.query;
  if (parts.path.starts_with('/')) {
    out.path = remove_dot_segments(parts.path);
  } else {
    const auto slash = path.rfind('/');
    out.path = remove_dot_segments((slash == std::string::npos ? "/" : path.substr(0, slash + 1)) + parts.path);
  }
  return out;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c) || keep.contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
      return fail(Code::invalid_argument, "two hexadecimal digits must follow a '%'");
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

}  // namespace puna::net
