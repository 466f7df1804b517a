#include "hub/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/text.h"
#include "hub/page_url.h"
#include "net/url.h"
#include "os/environment.h"

namespace puna::hub {
namespace {

constexpr std::size_t kLongestReference = 2048;
constexpr std::size_t kLongestRepositoryPart = 96;
constexpr std::size_t kLongestRevision = 200;
constexpr std::size_t kLongestChoice = 400;

// Parameters that open a door for whoever has them: signatures of storage hosts, and tokens.
constexpr std::array<std::string_view, 13> kSecretParameters = {"access_token", "api_key",  "apikey", "auth_token", "expires",
                                                                "key-pair-id",  "password", "policy", "secret",     "sig",
                                                                "signature",    "token",    "__sign"};

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_plain(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_secret_parameter(std::string_view parameter) {
  const std::string name = lower_ascii(parameter.substr(0, parameter.find('=')));
  return name.starts_with("x-amz-") || name.starts_with("x-goog-") || std::ranges::find(kSecretParameters, name) != kSecretParameters.end();
}

net::Url without_secrets(const net::Url& url) {
  net::Url out = url.without_credentials();
  out.fragment.reset();
  if (!out.query) return out;
  std::vector<std::string> kept;
  for (const auto parameter : split(*out.query, '&'))
    if (!is_secret_parameter(parameter)) kept.emplace_back(parameter);
  out.query = kept.empty() ? std::nullopt : std::optional(join(kept, "&"));
  return out;
}

Result<> check_choice(std::string_view choice) {
  if (choice.size() > kLongestChoice)
    return fail(Code::too_large, fmt::format("what stands behind ':' is longer than {} characters", kLongestChoice));
  if (choice.starts_with('/') && choice.ends_with('/')) return {};  // a regular expression; its own grammar says the rest
  for (const auto part : split(choice, '/'))
    if (part == ".." || part == ".") return fail(Code::invalid_argument, fmt::format("'{}' steps to another folder", printable(choice)));
  if (choice.contains('\\')) return fail(Code::invalid_argument, fmt::format("'{}' holds a backslash", printable(choice)));
  return {};
}

std::string_view cut(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return head;
}

// "owner/repo:CHOICE@REVISION". A regular expression may hold '@': the revision stands behind the last one.
Result<Reference> parse_repository(std::string_view catalogue, std::string_view text) {
  Reference out{.catalogue = std::string(catalogue)};
  const auto at = text.rfind('@');
  if (at != std::string_view::npos && (!text.ends_with('/') || text.find(':') > at)) {
    out.revision = text.substr(at + 1);
    text = text.substr(0, at);
    PUNA_CHECK(check_revision(out.revision));
  }
  const bool has_choice = text.contains(':');
  out.repository = cut(text, ':');
  out.choice = text;
  if (has_choice && out.choice.empty())
    return fail(Code::invalid_argument, "nothing stands behind ':': name a quantization or a file, or leave the ':' out");
  PUNA_CHECK(check_repository(out.repository));
  PUNA_CHECK(check_choice(out.choice));
  return out;
}

bool is_registry_host(std::string_view part) {
  return part.contains('.') || part.contains(':') || part == "localhost" || part.starts_with('[');
}

Result<> check_ollama_part(std::string_view part, std::string_view what) {
  constexpr std::size_t kLongest = 80;
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; };
  if (part.empty()) return fail(Code::invalid_argument, fmt::format("the {} of the Ollama model is missing", what));
  if (part.size() > kLongest || !std::ranges::all_of(part, allowed) || part.front() == '-' || part.front() == '.' || part.contains(".."))
    return fail(Code::invalid_argument,
                fmt::format("'{}' is no {} of an Ollama model: letters, digits, '_', '-' and '.' may stand there", printable(part), what));
  return {};
}

Result<Reference> parse_ollama(std::string_view text) {
  Reference out{.catalogue = std::string(kOllama)};
  if (text.contains('@'))
    return fail(Code::invalid_argument,
                fmt::format("'{}': an Ollama model is named by a tag, as in ollama://llama3.2:3b", printable(text)));
  auto parts = split(text, '/');
  if (parts.size() > 1 && is_registry_host(parts.front())) {
    PUNA_TRY(const auto url, net::Url::parse(parts.front()));
    if (url.host.empty() || !url.path.empty() || url.credentials || url.query)
      return fail(Code::invalid_argument, fmt::format("'{}' is no registry's host", printable(parts.front())));
    out.host = lower_ascii(parts.front());
    parts.erase(parts.begin());
  }
  if (parts.size() > 2)
    return fail(Code::invalid_argument, fmt::format("'{}' has too many parts: ollama://namespace/name:tag", printable(text)));
  const bool tagged = parts.back().contains(':');
  std::string_view tag = parts.back();
  const auto name = cut(tag, ':');
  const auto space = parts.size() == 2 ? parts.front() : "library";
  PUNA_CHECK(check_ollama_part(space, "namespace"));
  PUNA_CHECK(check_ollama_part(name, "name"));
  if (tagged) PUNA_CHECK(check_ollama_part(tag, "tag"));
  out.repository = fmt::format("{}/{}", space, name);
  out.revision = tag;
  return out;
}

Result<Reference> parse_url(std::string_view text) {
  PUNA_TRY(auto url, net::Url::parse(text));
  const auto page = parse_page_url(url);
  if (!page) return fail(page.error());
  if (*page) return parse_reference(**page);
  const auto plain = without_secrets(url);
  url.fragment.reset();
  Reference out{.catalogue = std::string(kUrl), .place = plain.text()};
  if (url.text() != out.place) out.secret_place = Secret(url.text());
  return out;
}

// "~/models/x.gguf" means what it means in a shell; "~somebody" does not occur here.
Result<std::string> expand_path(std::string_view text) {
  constexpr std::string_view kPrefix = "file://";
  if (text.starts_with(kPrefix)) return net::percent_decode(text.substr(kPrefix.size()));
  if (!text.starts_with("~/")) return std::string(text);
  const auto environment = os::current_environment();
  const auto home = environment.find("HOME");
  if (home == environment.end()) return fail(Code::invalid_argument, "'~' has no meaning without a HOME: give the whole path");
  return home->second + std::string(text.substr(1));
}

Result<Reference> parse_path(std::string_view text) {
  PUNA_TRY(const auto expanded, expand_path(text));
  if (!is_plain(expanded) || trim(expanded) != expanded)
    return fail(Code::invalid_argument,
                fmt::format("'{}' holds control characters, or ends with a space: give the file another name", printable(expanded)));
  const auto path = std::filesystem::path(expanded).lexically_normal();
  if (!path.is_absolute())
    return fail(Code::invalid_argument, fmt::format("'{}' is a relative path: give the whole path, from '/' on", printable(text)));
  if (!path.has_filename()) return fail(Code::invalid_argument, fmt::format("'{}' names a folder, not a file", printable(text)));
  return Reference{.catalogue = std::string(kFile), .place = path.string()};
}

bool looks_like_path(std::string_view text) {
  if (text.starts_with('/') || text.starts_with('~') || text.starts_with('.')) return true;
  return lower_ascii(text).ends_with(".gguf") && !text.contains(':') && !text.contains('@');
}

using Parse = Result<Reference> (*)(std::string_view);
struct Scheme {
  std::string_view prefix;
  Parse parse;
  bool whole = false;  // the prefix belongs to what is parsed
};
constexpr std::array kSchemes = {
    Scheme{"hf://", [](std::string_view text) { return parse_repository(kHuggingFace, text); }},
    Scheme{"huggingface://", [](std::string_view text) { return parse_repository(kHuggingFace, text); }},
    Scheme{"hf.co/", [](std::string_view text) { return parse_repository(kHuggingFace, text); }},
    Scheme{"huggingface.co/", [](std::string_view text) { return parse_repository(kHuggingFace, text); }},
    Scheme{"ollama://", parse_ollama},
    Scheme{"modelscope://", [](std::string_view text) { return parse_repository(kModelScope, text); }},
    Scheme{"ms://", [](std::string_view text) { return parse_repository(kModelScope, text); }},
    Scheme{"https://", parse_url, true},
    Scheme{"http://", parse_url, true},
    Scheme{"file://", parse_path, true},
};

// A repository's name stands alone unless it would be read as something else: "gpt2", "owner/x.gguf", "hf.co/x".
std::string with_scheme_if_needed(std::string text) {
  const std::string beginning = lower_ascii(text.substr(0, 20));
  const bool plain = text.substr(0, text.find_first_of(":@")).contains('/') && !text.contains("://") && !looks_like_path(text) &&
                     !beginning.starts_with("hf.co/") && !beginning.starts_with("huggingface.co/");
  return plain ? text : "hf://" + text;
}

Error no_such_form(std::string_view text) {
  const std::string shown = redact(printable(text));
  if (text.contains("://"))
    return {Code::invalid_argument,
            fmt::format("'{}' has an unknown scheme: hf://, ollama://, modelscope://, https:// and file:// are known", shown)};
  if (text.empty()) return {Code::invalid_argument, "no model is named: give owner/repo, a URL or a file"};
  return {
      Code::invalid_argument,
      fmt::format("'{0}' has no owner: `puna search {0}` finds repositories, ollama://{0} is the model of that name in Ollama's registry",
                  shown)};
}

}  // namespace

std::string Reference::shown() const {
  if (!place.empty()) return place;
  if (catalogue == kOllama) {
    const std::string name = repository.starts_with("library/") && host.empty() ? repository.substr(8) : repository;
    return host.empty() ? fmt::format("ollama://{}", name) : fmt::format("ollama://{}/{}", host, name);
  }
  if (catalogue == kModelScope) return fmt::format("modelscope://{}", repository);
  return with_scheme_if_needed(repository);
}

std::string Reference::text() const {
  std::string out = shown();
  if (!place.empty()) return out;
  if (catalogue == kOllama) return revision.empty() ? out : fmt::format("{}:{}", out, revision);
  if (!choice.empty()) out += fmt::format(":{}", choice);
  if (!revision.empty()) out += fmt::format("@{}", revision);
  return catalogue == kHuggingFace && !out.starts_with("hf://") ? with_scheme_if_needed(std::move(out)) : out;
}

std::string_view Reference::owner() const {
  if (catalogue == kUrl) {
    std::string_view rest = std::string_view(place).substr(place.find("://") + 3);
    rest = rest.substr(0, rest.find_first_of("/?"));
    return rest.substr(0, rest.starts_with('[') ? rest.find(']') + 1 : rest.find(':'));
  }
  const std::string_view name = repository;
  return name.contains('/') ? name.substr(0, name.find('/')) : std::string_view();
}

Result<> check_repository(std::string_view repository) {
  const auto refused = [&](std::string_view why) {
    return fail(Code::invalid_argument, fmt::format("'{}' is no repository's name: {}", printable(repository), why));
  };
  const auto parts = split(repository, '/');
  if (parts.size() > 2)
    return refused("it has more than an owner and a name; a file of it is named behind ':', as in owner/repo:model.gguf");
  for (const auto part : parts) {
    if (part.empty()) return refused("owner or name are missing");
    if (part.size() > kLongestRepositoryPart) return refused("it is too long");
    if (!std::ranges::all_of(part, [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.'; }))
      return refused("letters, digits, '-', '_' and '.' may stand there");
    if (part.front() == '-' || part.front() == '.' || part.back() == '-' || part.back() == '.')
      return refused("'-' and '.' may not stand at the ends");
    if (part.contains("--") || part.contains("..")) return refused("'--' and '..' may not stand there");
    if (lower_ascii(part).ends_with(".git")) return refused("it may not end with '.git'");
  }
  return {};
}

Result<> check_revision(std::string_view revision) {
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '+'; };
  const bool wrong = revision.empty() || revision.size() > kLongestRevision || !std::ranges::all_of(revision, allowed) ||
                     revision.contains("..") || revision.contains("//") || revision.contains("/.") || revision.front() == '/' ||
                     revision.front() == '-' || revision.front() == '.' || revision.back() == '/' || revision.back() == '.';
  if (wrong) return fail(Code::invalid_argument, fmt::format("'{}' is no revision: give a branch, a tag or a commit", printable(revision)));
  return {};
}

Result<Reference> parse_reference(std::string_view typed) {
  const std::string_view text = trim(typed);
  if (text.size() > kLongestReference)
    return fail(Code::too_large, fmt::format("a reference has at most {} characters, this one has {}", kLongestReference, text.size()));
  if (!is_plain(text)) return fail(Code::invalid_argument, fmt::format("'{}' holds characters that no reference has", printable(text)));
  const std::string beginning = lower_ascii(text.substr(0, 20));
  for (const auto& scheme : kSchemes)
    if (beginning.starts_with(scheme.prefix)) return scheme.parse(scheme.whole ? text : text.substr(scheme.prefix.size()));
  if (text.contains("://")) return fail(no_such_form(text));
  if (looks_like_path(text)) return parse_path(text);
  const auto repository = text.substr(0, text.find_first_of(":@"));
  if (!repository.contains('/')) return fail(no_such_form(text));
  return parse_repository(kHuggingFace, text);
}

}  // namespace puna::hub
