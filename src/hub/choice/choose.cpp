#include "hub/choice/choose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace puna::hub {
namespace {

using Found = std::vector<const Variant*>;

Found all_of(std::span<const Variant> variants) {
  Found out;
  for (const auto& variant : variants) out.push_back(&variant);
  return out;
}

template <class Test>
Found those(std::span<const Variant> variants, Test test) {
  Found out;
  for (const auto& variant : variants)
    if (test(variant)) out.push_back(&variant);
  return out;
}

// "q4-k-m" and "q4_k_m" are the same wish; "fp16" is what files call F16.
std::string normal(std::string_view quantization) {
  std::string out = lower_ascii(quantization);
  if (out == "fp16" || out == "fp32") out.erase(1, 1);
  const std::size_t from = out.starts_with("ud-") ? 3 : 0;
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), '-', '_');
  return out;
}

Found by_quantization(std::span<const Variant> variants, std::string_view typed) {
  const std::string wanted = normal(typed);
  const auto name_is = [&](std::string_view name) {
    return those(variants, [&](const Variant& variant) { return normal(variant.name) == name; });
  };
  if (auto exact = name_is(wanted); !exact.empty()) return exact;
  if (equal_ignoring_case(typed, "latest")) return {};
  if (auto dynamic = name_is("ud-" + wanted); !dynamic.empty()) return dynamic;
  return those(variants, [&](const Variant& variant) {
    const std::string name = normal(variant.name);
    return name.starts_with(wanted + "_") || name.starts_with("ud-" + wanted + "_");
  });
}

// The path itself goes first: it may also be the name of a file in a folder, or another one's in other letters.
Found by_path(std::span<const Variant> variants, const Filter& filter) {
  auto exact = those(variants, [&](const Variant& variant) {
    return std::ranges::any_of(variant.weights(), [&](const ListedFile& file) { return file.path == filter.text(); });
  });
  if (!exact.empty()) return exact;
  return those(variants, [&](const Variant& variant) {
    return std::ranges::any_of(variant.weights(), [&](const ListedFile& file) { return filter.matches(file.path); });
  });
}

bool fits(const Variant& variant, Bytes memory) {
  const auto size = variant.size();
  return size && *size <= memory;
}

const Variant* best_for_memory(std::span<const Variant> variants, const Wish& wish) {
  const auto usable = those(variants, [](const Variant& variant) { return variant.problem.empty() && variant.format == "gguf"; });
  for (const auto& name : wish.preferred)
    for (const auto* variant : usable)
      if (normal(variant->name) == normal(name) && fits(*variant, wish.memory)) return variant;
  const Variant* best = nullptr;
  for (const auto* variant : usable)  // smallest first
    if (!best || fits(*variant, wish.memory)) best = variant;
  if (best) return best;
  const auto rest = those(variants, [](const Variant& variant) { return variant.problem.empty(); });
  return rest.empty() ? nullptr : rest.front();
}

Error nothing_usable(const Listing& listing) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string> names;
  for (const auto& file : listing.files)
    if (names.size() < kShown && file.role != wire::FileRole::card) names.push_back(file.path);
  std::string has = names.empty() ? "it is empty" : fmt::format("it has {}", join(names, ", "));
  if (listing.unsafe_names > 0) has = fmt::format("{} of its files have names that are not safe on every system", listing.unsafe_names);
  return {Code::unsupported, printable(fmt::format("{} holds no GGUF and no safetensors files: {}{}", listing.reference.shown(), has,
                                                   listing.files.size() > kShown ? " …" : ""))};
}

Error no_such_choice(const Listing& listing, std::span<const Variant> variants, const Filter& filter) {
  const auto named = std::ranges::find_if(listing.files, [&](const ListedFile& file) { return filter.matches(file.path); });
  if (named != listing.files.end())
    return {Code::unsupported, printable(fmt::format("{} of {} is no model by itself", named->path, listing.reference.shown()))};
  return {Code::not_found,
          printable(fmt::format("{} has no {}; there is {}", listing.reference.shown(), filter.text(), names_and_sizes(all_of(variants))))};
}

Error ambiguous(const Filter& filter, const Found& found) {
  std::vector<std::string> files;
  for (const auto* variant : found)
    files.push_back(fmt::format("{} ({})", variant->files.front().path, format_bytes(variant->size().value_or(Bytes()))));
  const bool same_name = std::ranges::all_of(found, [&](const Variant* variant) { return variant->name == found.front()->name; });
  return {Code::invalid_argument, printable(fmt::format("'{}' may be {}; name one of them", filter.text(),
                                                        same_name ? join(files, " or ") : names_and_sizes(found)))};
}

}  // namespace

std::string names_and_sizes(std::span<const Variant* const> variants) {
  constexpr std::size_t kMost = 12;
  std::vector<std::string> out;
  for (const auto* variant : variants) {
    if (out.size() == kMost) {
      out.push_back(fmt::format("{} more", variants.size() - kMost));
      break;
    }
    const auto size = variant->size();
    out.push_back(size ? fmt::format("{} ({})", variant->name, format_bytes(*size)) : variant->name);
  }
  return join(out, ", ");
}

Result<Variant> choose(const Listing& listing, std::span<const Variant> variants, const Wish& wish) {
  if (variants.empty()) return fail(nothing_usable(listing));
  const Variant* chosen = nullptr;
  if (!wish.filter) {
    chosen = best_for_memory(variants, wish);
    if (!chosen) chosen = &variants.front();
  } else {
    const auto& filter = *wish.filter;
    const auto found = filter.kind() == FilterKind::quantization ? by_quantization(variants, filter.text()) : by_path(variants, filter);
    if (found.empty()) return fail(no_such_choice(listing, variants, filter));
    if (found.size() > 1) return fail(ambiguous(filter, found));
    chosen = found.front();
  }
  if (!chosen->problem.empty())
    return fail(Code::unsupported,
                printable(fmt::format("{} of {} is not complete: {}", chosen->name, listing.reference.shown(), chosen->problem)));
  return *chosen;
}

}  // namespace puna::hub
