#include "hub/transfer/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/json.h"
#include "base/text.h"
#include "hub/transfer/checksum.h"
#include "os/file.h"

namespace puna::hub::transfer {
namespace {

constexpr std::int64_t kFormat = 2;
constexpr std::size_t kHexDigits = 16;
constexpr std::string_view kUnknown = "----------------";
constexpr Bytes kLargestLog = gib(1);

// As it stands in the file.
struct Stored {
  std::int64_t format = kFormat;
  std::string id;
  std::string digest;
  FileVersion version;
  std::string present;
  std::string checksums;
};
BOOST_DESCRIBE_STRUCT(Stored, (), (format, id, digest, version, present, checksums))

std::optional<std::uint64_t> parse_hex(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<Journal> decode_line(std::string_view line) {
  if (line.size() <= kHexDigits + 1) return std::nullopt;
  const auto body = line.substr(kHexDigits + 1);
  if (parse_hex(line.substr(0, kHexDigits)) != checksum_of(body)) return std::nullopt;
  auto stored = json::decode_text<Stored>(body);
  if (!stored || stored->format != kFormat || stored->checksums.size() % kHexDigits != 0) return std::nullopt;
  auto present = SpanSet::parse(stored->present);
  if (!present) return std::nullopt;
  Journal out{.id = std::move(stored->id),
              .digest = std::move(stored->digest),
              .version = std::move(stored->version),
              .present = std::move(*present),
              .checksums = {}};
  for (std::size_t at = 0; at < stored->checksums.size(); at += kHexDigits)
    out.checksums.push_back(parse_hex(std::string_view(stored->checksums).substr(at, kHexDigits)));
  return out;
}

std::string log_head(std::string_view journal_id) {
  const auto boot = os::read_file("/proc/sys/kernel/random/boot_id", kib(1));
  if (!boot) return {};
  return fmt::format("puna recent writes 1 {} {}\n", trim(*boot), journal_id);
}

struct LogRecord {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::uint64_t check = 0;
};

std::uint64_t check_of(Span span, std::uint64_t seed) {
  const std::array<std::uint64_t, 2> both{span.from, span.to};
  std::array<char, sizeof both> bytes{};
  std::memcpy(bytes.data(), both.data(), sizeof both);
  return checksum_of({bytes.data(), bytes.size()}, seed);
}

std::uint64_t seed_of(std::string_view head) {
  return checksum_of(head);
}

}  // namespace

std::string encode_journal(const Journal& journal) {
  Stored stored{.id = journal.id, .digest = journal.digest, .version = journal.version, .present = journal.present.text(), .checksums = {}};
  stored.checksums.reserve(journal.checksums.size() * kHexDigits);
  for (const auto& checksum : journal.checksums) stored.checksums += checksum ? fmt::format("{:016x}", *checksum) : std::string(kUnknown);
  const auto body = json::to_text(json::encode(stored));
  const auto line = fmt::format("{:016x} {}\n", checksum_of(body), body);
  return line + line;
}

std::optional<Journal> decode_journal(std::string_view text) {
  const auto end = text.find('\n');
  if (auto first = decode_line(text.substr(0, end))) return first;
  if (text.empty() || text.back() != '\n') return std::nullopt;
  text.remove_suffix(1);
  const auto before = text.rfind('\n');
  return decode_line(before == std::string_view::npos ? text : text.substr(before + 1));
}

Result<RecentLog> RecentLog::create(const std::filesystem::path& path, std::string_view journal_id) {
  os::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(errno_error(errno, fmt::format("cannot open {}", path.string())));
  const auto head = log_head(journal_id);
  PUNA_CHECK(os::write_all(file.get(), head));
  return RecentLog(std::move(file), seed_of(head));
}

Result<> RecentLog::append(Span span) const {
  LogRecord record{.from = span.from, .to = span.to, .check = check_of(span, seed_)};
  std::array<char, sizeof record> bytes{};
  std::memcpy(bytes.data(), &record, sizeof record);
  return os::write_all(file_.get(), {bytes.data(), bytes.size()});
}

SpanSet RecentLog::read(const std::filesystem::path& path, std::string_view journal_id) {
  SpanSet out;
  const auto text = os::read_file(path, kLargestLog);
  const auto head = log_head(journal_id);
  if (!text || head.empty() || !text->starts_with(head)) return out;
  const auto seed = seed_of(head);
  LogRecord record;
  for (std::size_t at = head.size(); at + sizeof record <= text->size(); at += sizeof record) {
    std::memcpy(&record, text->data() + at, sizeof record);
    const Span span{record.from, record.to};
    if (record.check != check_of(span, seed)) break;
    out.add(span);
  }
  return out;
}

}  // namespace puna::hub::transfer
