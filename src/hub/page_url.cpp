#include "hub/page_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "net/http_types.h"

namespace puna::hub {
namespace {

using Parts = std::vector<std::string>;

// Path segments, decoded one by one; whoever reads the reference checks them.
Result<Parts> segments_of(const net::Url& url) {
  Parts out;
  for (const auto part : split(std::string_view(url.path), '/')) {
    if (part.empty()) continue;
    PUNA_TRY(auto decoded, net::percent_decode(part));
    out.push_back(std::move(decoded));
  }
  return out;
}

std::string joined(const Parts& parts, std::size_t from) {
  return join(std::span(parts).subspan(std::min(from, parts.size())), "/");
}

std::string with(std::string reference, const std::string& choice, const std::string& revision) {
  if (!choice.empty()) reference += ":" + choice;
  // An '@' in a file's name is not where the revision begins.
  if (!revision.empty() || choice.contains('@')) reference += "@" + (revision.empty() ? "main" : revision);
  return reference;
}

Result<std::optional<std::string>> hugging_face(const net::Url& url) {
  constexpr std::array<std::string_view, 12> kOther = {"datasets", "spaces", "collections", "papers", "docs",  "blog",
                                                       "settings", "models", "api",         "join",   "learn", "posts"};
  PUNA_TRY(const auto parts, segments_of(url));
  if (parts.empty() || std::ranges::find(kOther, parts.front()) != kOther.end())
    return fail(Code::invalid_argument, fmt::format("{} is not the page of a model", url.printable()));
  std::string repository = parts.size() == 1 ? "hf://" + parts[0] : fmt::format("hf://{}/{}", parts[0], parts[1]);
  if (parts.size() <= 2) {
    const auto query = net::Query::parse(url.query.value_or(""));
    return with(std::move(repository), std::string(query.get("show_file_info").value_or("")), "");
  }
  const auto& verb = parts[2];
  const std::string revision = parts.size() > 3 ? parts[3] : "";
  if (verb == "tree") {
    const auto folder = joined(parts, 4);
    return with(std::move(repository), folder.empty() ? "" : folder + "/*", revision);
  }
  if ((verb == "blob" || verb == "resolve" || verb == "raw") && parts.size() > 4)
    return with(std::move(repository), joined(parts, 4), revision);
  return std::move(repository);  // "discussions", "commits/main" …: the model that they are about
}

Result<std::optional<std::string>> ollama(const net::Url& url) {
  PUNA_TRY(const auto parts, segments_of(url));
  if (parts.empty() || parts.size() > 2 || parts[0] == "search" || parts[0] == "blog")
    return fail(Code::invalid_argument, fmt::format("{} is not the page of a model", url.printable()));
  return "ollama://" + joined(parts, 0);
}

Result<std::optional<std::string>> model_scope(const net::Url& url) {
  PUNA_TRY(const auto parts, segments_of(url));
  if (parts.size() < 3 || parts[0] != "models")
    return fail(Code::invalid_argument, fmt::format("{} is not the page of a model", url.printable()));
  std::string repository = fmt::format("modelscope://{}/{}", parts[1], parts[2]);
  if (parts.size() > 5 && parts[3] == "resolve") return with(std::move(repository), joined(parts, 5), parts[4]);
  return std::move(repository);
}

}  // namespace

Result<std::optional<std::string>> parse_page_url(const net::Url& url) {
  const std::string host = lower_ascii(url.host);
  if (host == "huggingface.co" || host == "www.huggingface.co" || host == "hf.co") return hugging_face(url);
  if (host == "ollama.com" || host == "www.ollama.com") return ollama(url);
  if (host == "modelscope.cn" || host == "www.modelscope.cn" || host == "www.modelscope.ai") return model_scope(url);
  return std::nullopt;
}

}  // namespace puna::hub
