#include "dataset/detect.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"

namespace puna::dataset {
namespace {

using Fields = std::map<std::string, std::string>;

struct Candidate {
  const ShapeSpec* spec = nullptr;
  Fields fields;  // resolved
  double share = 0;
  std::string reason;
};

bool turns_with(const json::value& value, std::string_view role) {
  if (value.is_string()) return value.get_string().starts_with('[');  // JSON in a cell
  const auto* list = value.if_array();
  if (!list || list->empty()) return false;
  const auto* first = list->front().if_object();
  return first && first->if_contains(role);
}

bool plausible(const FieldSpec& field, const json::value& value, std::string_view role) {
  switch (field.type) {
    case FieldType::text:
      return value.is_string() || value.is_number();
    case FieldType::role_turns:
    case FieldType::from_turns:
      return turns_with(value, role);
    case FieldType::text_or_turns:
      return value.is_string() || value.is_number() || value.is_array() || value.is_object();
    case FieldType::answers:
      return value.is_string() || value.is_object() || value.is_array();
    case FieldType::label:
      return !value.is_object() && !value.is_array() && !value.is_null();
    case FieldType::list:
      return value.is_array() || value.is_string();
    case FieldType::within:
      return true;
  }
  return false;
}

std::map<std::string, std::int64_t> count_columns(std::span<const json::object> sample) {
  std::map<std::string, std::int64_t> columns;
  for (const auto& row : sample)
    for (const auto& field : row) ++columns[std::string(std::string_view(field.key()))];
  return columns;
}

class Detector {
 public:
  Detector(std::span<const json::object> sample, const Wanted& wanted)
      : sample_(sample), wanted_(wanted), columns_(count_columns(sample)) {}

  Result<wire::DatasetDetection> run() const {
    PUNA_CHECK(check_mapping());
    std::vector<Candidate> candidates;
    for (const auto& spec : shapes())
      if (!wanted_.mapping.shape || *wanted_.mapping.shape == spec.shape) candidates.push_back(try_shape(spec));
    const Candidate* best = choose(candidates);
    if (!best || best->share == 0) return fail(Code::invalid_argument, nothing_fits());
    return describe(*best, candidates);
  }

 private:
  [[nodiscard]] std::string columns_text() const {
    std::vector<std::string> names;
    for (const auto& [name, rows] : columns_)
      if (names.size() < 20) names.push_back(printable(name));
    return names.empty() ? "none" : join(names, ", ");
  }

  [[nodiscard]] std::string nothing_fits() const {
    if (wanted_.mapping.shape) {
      const auto& spec = spec_of(*wanted_.mapping.shape);
      return fmt::format("no row fits the shape of {}; the rows have the fields {}: map them", spec.summary, columns_text());
    }
    return fmt::format(
        "no known shape fits: the rows have the fields {}. Give a mapping: a shape, and for each of its fields the name "
        "that it has here",
        columns_text());
  }

  // The first of the field's names that a column has: as it stands, else in another case.
  [[nodiscard]] std::optional<std::string> column_for(const FieldSpec& field) const {
    const auto find_in = [&](std::span<const std::string_view> names) -> std::optional<std::string> {
      for (const auto name : names)
        if (columns_.contains(std::string(name))) return std::string(name);
      for (const auto name : names)
        for (const auto& [column, rows] : columns_)
          if (equal_ignoring_case(trim(column), name)) return column;
      return std::nullopt;
    };
    if (auto found = find_in(field.names)) return found;
    return wanted_.task || wanted_.mapping.shape ? find_in(field.names_with_task) : std::nullopt;
  }

  // Whether a field other than a member of messages stands in this column.
  [[nodiscard]] static bool takes_column(const ShapeSpec& spec, const Fields& fields, std::string_view column) {
    return std::ranges::any_of(
        fields, [&](const auto& field) { return field.second == column && find_field(spec, field.first)->type != FieldType::within; });
  }

  [[nodiscard]] Candidate try_shape(const ShapeSpec& spec) const {
    Candidate out{&spec, {}, 0, ""};
    std::vector<std::string> lacking;
    if (wanted_.mapping.fields) {
      for (const auto& [name, column] : *wanted_.mapping.fields) {
        if (find_field(spec, name)) continue;
        out.reason = "has no field " + printable(name);
        return out;
      }
      out.fields = *wanted_.mapping.fields;
    }
    for (const auto& field : spec.fields) {
      const std::string name(field.name);
      if (out.fields.contains(name)) continue;
      const auto column = field.type == FieldType::within ? std::string(field.names.front()) : column_for(field);
      if (column && (field.type == FieldType::within || !takes_column(spec, out.fields, *column)))
        out.fields[name] = *column;
      else if (field.required)
        lacking.push_back(name);
    }
    if (!lacking.empty()) {
      out.reason = "no field for " + join(lacking, ", ");
      return out;
    }
    const auto fitting = std::ranges::count_if(sample_, [&](const json::object& row) { return fits(out, row); });
    out.share = sample_.empty() ? 0 : static_cast<double>(fitting) / static_cast<double>(sample_.size());
    out.reason = fmt::format("{} of {} sampled rows have its fields", fitting, sample_.size());
    return out;
  }

  [[nodiscard]] bool fits(const Candidate& candidate, const json::object& row) const {
    for (const auto& field : candidate.spec->fields) {
      if (!field.required || field.type == FieldType::within) continue;
      const auto* value = row.if_contains(candidate.fields.at(std::string(field.name)));
      const auto role = candidate.fields.find("role");
      if (!value || !plausible(field, *value, role == candidate.fields.end() ? "" : std::string_view(role->second))) return false;
    }
    return true;
  }

  [[nodiscard]] bool suits(const Candidate& candidate) const {
    const Shape shape = candidate.spec->shape;
    return (!wanted_.task || task_takes(*wanted_.task, shape)) && (!wanted_.method || method_takes(*wanted_.method, shape));
  }

  // Of those that fit nearly as many rows as the best: one that suits task and method, and among these the most telling, which is first.
  [[nodiscard]] const Candidate* choose(std::span<const Candidate> candidates) const {
    constexpr double kNearly = 0.05;
    double most = 0;
    for (const auto& candidate : candidates) most = std::max(most, candidate.share);
    const Candidate* found = nullptr;
    for (const auto& candidate : candidates) {
      if (candidate.share == 0 || candidate.share < most - kNearly) continue;
      if (!found || (suits(candidate) && !suits(*found))) found = &candidate;
    }
    return found;
  }

  [[nodiscard]] wire::DatasetDetection describe(const Candidate& best, std::span<const Candidate> candidates) const {
    wire::DatasetDetection out;
    out.mapping = {best.spec->shape, best.fields, wanted_.mapping.roles.value_or(Fields{}), wanted_.mapping.rows};
    out.sampled = static_cast<std::int64_t>(sample_.size());
    out.reason = fmt::format("{}: {}", best.spec->summary, wanted_.mapping.shape ? "as the mapping says" : best.reason);
    for (const auto& other : candidates) {
      if (&other == &best || other.share < 0.5) continue;
      const auto why = suits(other) ? "less telling than what was chosen" : "not for this task and method";
      out.alternatives.push_back({other.spec->shape, other.share, fmt::format("{}; {}", other.reason, why)});
    }
    for (const auto& [column, rows] : columns_)
      if (!takes_column(*best.spec, best.fields, column)) out.unused_fields.push_back({printable(column), rows});
    return out;
  }

  [[nodiscard]] Result<> check_mapping() const {
    const auto& mapping = wanted_.mapping;
    if (mapping.roles)
      for (const auto& [name, role] : *mapping.roles)
        if (!json::enum_from_name<wire::DatasetRole>(role))
          return fail(Code::invalid_argument,
                      fmt::format("mapping.roles.{}: '{}' is no role: system, user, assistant or tool", printable(name), printable(role)));
    if (!mapping.fields) return {};
    std::vector<std::string_view> known;
    for (const auto& spec : shapes())
      if (!mapping.shape || *mapping.shape == spec.shape)
        for (const auto& field : spec.fields) known.push_back(field.name);
    std::vector<std::string> there;
    for (const auto& column : columns_) there.push_back(column.first);
    for (const auto& [name, column] : *mapping.fields) {
      if (std::ranges::find(known, name) == known.end()) {
        const auto near = nearest(name, known);
        return fail(Code::invalid_argument, fmt::format("mapping.fields.{}: {} has no such field{}", printable(name),
                                                        mapping.shape ? spec_of(*mapping.shape).summary : "no shape",
                                                        near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front())));
      }
      if (name == "role" || name == "content" || columns_.contains(column)) continue;
      const auto near = nearest(column, there);
      return fail(Code::invalid_argument,
                  fmt::format("mapping.fields.{}: no sampled row has a field '{}'{}; they have {}", name, printable(column),
                              near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near.front()), columns_text()));
    }
    return {};
  }

  std::span<const json::object> sample_;
  const Wanted& wanted_;
  std::map<std::string, std::int64_t> columns_;
};

}  // namespace

Result<wire::DatasetDetection> detect(std::span<const json::object> sample, const Wanted& wanted) {
  return Detector(sample, wanted).run();
}

}  // namespace puna::dataset
