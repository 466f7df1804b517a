#include "wire/tune_reference.h"

#include "base/text.h"
#include "wire/tune_schema.h"

namespace puna::wire {
namespace {

std::vector<std::string> words_of(std::string_view listed) {
  std::vector<std::string> out;
  if (listed.empty()) return out;
  for (const auto word : split(listed, '|')) out.emplace_back(word);
  return out;
}

std::string_view kind_name(TuneFieldKind kind) {
  switch (kind) {
    case TuneFieldKind::integer:
      return "integer";
    case TuneFieldKind::number:
      return "number";
    case TuneFieldKind::boolean:
      return "boolean";
    case TuneFieldKind::text:
      return "text";
    case TuneFieldKind::choice:
      return "choice";
    case TuneFieldKind::texts:
      return "texts";
    case TuneFieldKind::ranks:
      return "ranks";
  }
  return "text";
}

TuneSettingInfo describe(const TuneField& field) {
  TuneSettingInfo out{.name = std::string(field.name),
                      .group = std::string(field.group),
                      .kind = std::string(kind_name(field.kind)),
                      .range = range_of(field),
                      .fallback = default_of(field),
                      .help = std::string(field.help),
                      .min = std::nullopt,
                      .max = std::nullopt,
                      .choices = std::nullopt,
                      .aliases = words_of(field.aliases)};
  if (field.kind == TuneFieldKind::integer || field.kind == TuneFieldKind::number) {
    out.min = field.min;
    out.max = field.max;
  }
  if (field.kind == TuneFieldKind::choice) out.choices = words_of(field.choices);
  return out;
}

}  // namespace

TuneSettingList tune_reference() {
  TuneSettingList out;
  for (const auto& field : tune_fields()) out.settings.push_back(describe(field));
  return out;
}

}  // namespace puna::wire
