#include "quantize/levels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace puna::quantize {
namespace {

// Bits as measured with Llama 3.1 8B (llama.cpp v0.5.0, tools/quantize/README.md; where that has only a size, computed from it).
constexpr std::array kLevels = {
    Level{"BF16", 32, 16.00, false, "lossless from BF16; the master copy to quantize from"},
    Level{"F16", 1, 16.00, false, "as good as lossless, faster than BF16 on CPUs without AVX-512 BF16"},
    Level{"Q8_0", 7, 8.50, false, "no loss that anybody could tell; for small models, or when memory is no concern"},
    Level{"Q6_K", 18, 6.56, false, "hardly any loss; the largest that is worth it for most models"},
    Level{"Q5_1", 9, 6.04, false, "older; Q5_K_M is smaller and better"},
    Level{"Q5_K_M", 17, 5.70, false, "very little loss; when Q4_K_M fits with room to spare"},
    Level{"Q5_0", 8, 5.57, false, "older; Q5_K_S is as small and better, this suits rows that K types do not fit"},
    Level{"Q5_K_S", 16, 5.57, false, "very little loss, a little smaller than Q5_K_M"},
    Level{"Q4_1", 3, 5.11, false, "older; Q4_K_M is smaller and better"},
    Level{"Q4_K_M", 15, 4.89, false, "the usual choice: a quarter of the size, little loss"},
    Level{"IQ4_NL", 25, 4.68, false, "like IQ4_XS, also for rows that K types do not fit"},
    Level{"Q4_K_S", 14, 4.67, false, "a little smaller than Q4_K_M, a little more loss"},
    Level{"Q4_0", 2, 4.64, false, "older, but the fastest on many CPUs, which rearrange it when it is loaded"},
    Level{"IQ4_XS", 30, 4.46, false, "the best below Q4_K_S; slower on a CPU, better with an importance matrix"},
    Level{"Q3_K_L", 13, 4.30, false, "noticeable loss; prefer IQ4_XS"},
    Level{"Q3_K_M", 12, 4.00, false, "noticeable loss; for a model that just does not fit otherwise"},
    Level{"IQ3_M", 27, 3.76, false, "better than Q3_K_M and smaller; slower on a CPU, give it an importance matrix"},
    Level{"IQ3_S", 26, 3.66, false, "better than Q3_K_S; give it an importance matrix"},
    Level{"Q3_K_S", 11, 3.64, false, "considerable loss; prefer IQ3_M"},
    Level{"IQ3_XS", 22, 3.50, true, "considerable loss; prefer IQ3_S where there is room"},
    Level{"IQ3_XXS", 23, 3.25, true, "considerable loss; the smallest that most large models bear"},
    Level{"Q2_K", 10, 3.16, false, "heavy loss; a smaller model at Q4_K_M is usually better"},
    Level{"Q2_K_S", 21, 2.97, true, "heavy loss; prefer IQ2_M"},
    Level{"IQ2_M", 29, 2.93, true, "heavy loss; for models of 70 billion parameters and more"},
    Level{"IQ2_S", 28, 2.74, true, "heavy loss; only for very large models"},
    Level{"IQ2_XS", 20, 2.59, true, "heavy loss; only for very large models"},
    Level{"IQ2_XXS", 19, 2.38, true, "heavy loss; only for very large models"},
    Level{"IQ1_M", 31, 2.15, true, "an experiment; answers wander"},
    Level{"IQ1_S", 24, 2.00, true, "an experiment; answers wander"},
};

}  // namespace

std::span<const Level> levels() {
  return kLevels;
}

Result<const Level*> find_level(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& level : kLevels) {
    if (equal_ignoring_case(level.name, name)) return &level;
    names.push_back(level.name);
  }
  std::string upper;
  for (const char c : name.substr(0, 32)) upper += (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  std::vector<std::string> meant;
  for (const auto known : names)
    if (!upper.empty() && known.starts_with(upper)) meant.emplace_back(known);
  if (meant.empty()) meant = nearest(upper, std::span<const std::string_view>(names));
  return fail(Code::invalid_argument,
              fmt::format("'{}' is no level of quantization{}; `puna quantize --levels` lists them", printable(name),
                          meant.empty() ? "" : fmt::format(" (did you mean {}?)", join(meant, " or "))));
}

Bytes expected_size(const Level& level, std::int64_t parameters) {
  constexpr double kBitsPerByte = 8;
  return Bytes(
      static_cast<std::uint64_t>(level.bits_per_weight / kBitsPerByte * static_cast<double>(std::max<std::int64_t>(parameters, 0))));
}

}  // namespace puna::quantize
