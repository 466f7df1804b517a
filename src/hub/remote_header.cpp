#include "hub/remote_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/settings_registry.h"
#include "hub/file_magic.h"

namespace puna::hub {
namespace {

constexpr std::uint64_t kMostHeader = std::uint64_t{64} << 20;
constexpr std::uint64_t kFirstLook = std::uint64_t{256} << 10;
constexpr int kPartial = 206;

net::HttpRequest request_for(const Settings& settings, const transfer::Location& location, std::uint64_t bytes) {
  net::HttpRequest out;
  out.url = location.url;
  out.headers = location.headers;
  out.headers.set("Range", fmt::format("bytes=0-{}", bytes - 1));
  out.headers.set("Accept-Encoding", "identity");
  out.deadlines = {.connect = settings.get(setting::kConnectDeadline),
                   .first_byte = settings.get(setting::kFirstByteDeadline),
                   .idle = settings.get(setting::kIdleDeadline)};
  return out;
}

}  // namespace

net::Task<Result<gguf::Header>> fetch_header(net::HttpClient& http, const SettingsStore& settings, transfer::Location location,
                                             Bytes file_size) {
  const std::uint64_t most = std::min(file_size.count, kMostHeader);
  if (most == 0) co_return fail(Code::corrupt_data, "the file is empty");
  PUNA_CO_TRY(auto stream, co_await http.open(request_for(*settings.snapshot(), location, most)));
  if (stream.status() != kPartial && stream.status() != 200)
    co_return fail(net::status_error(location.url.printable(), {.status = stream.status(), .headers = stream.headers(), .body = {}}));
  std::string prefix;
  for (std::uint64_t wanted = std::min(kFirstLook, most);;) {
    PUNA_CO_TRY(auto chunk, co_await stream.read());
    if (chunk) prefix += *chunk;
    if (chunk && prefix.size() < wanted) continue;
    PUNA_CO_CHECK(require_gguf(prefix, stream.headers().get("Content-Type").value_or("")));
    PUNA_CO_TRY(auto outcome, gguf::Header::parse(std::as_bytes(std::span(prefix)), file_size));
    if (auto* header = std::get_if<gguf::Header>(&outcome)) co_return std::move(*header);
    // Doubling keeps the work in proportion to the header.
    wanted = std::max<std::uint64_t>(std::get<gguf::NeedsMore>(outcome).bytes, prefix.size() * 2);
    if (!chunk || (wanted > most && prefix.size() >= most))
      co_return fail(Code::too_large, fmt::format("the header does not end within {}", format_bytes(Bytes(prefix.size()))));
    wanted = std::min(wanted, most);
  }
}

}  // namespace puna::hub
