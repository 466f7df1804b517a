// The shapes that rows have: their fields, the names these go by, the tasks and methods they are for. Tables, and nothing else.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "wire/dataset.h"
#include "wire/training.h"

namespace puna::dataset {

using Shape = wire::DatasetShape;

enum class FieldType {
  text,
  role_turns,     // a list of messages with "role"
  from_turns,     // a list of messages with "from"
  text_or_turns,  // a text, a message, or a list of them
  answers,        // a text, a list of them, or SQuAD's {text, answer_start}
  label,          // true or false, 1 or 0
  list,           // any list, or JSON text of one
  within          // the name of a member of each message
};

struct FieldSpec {
  std::string_view name;
  FieldType type = FieldType::text;
  bool required = false;
  std::span<const std::string_view> names;            // that files have for it, the usual one first
  std::span<const std::string_view> names_with_task;  // too common to tell the shape, unless the task was given
};

struct ShapeSpec {
  Shape shape;
  std::string_view summary;  // "preference pairs (prompt, chosen, rejected)"
  std::span<const FieldSpec> fields;
  std::optional<wire::TuneTask> task;  // the shape is for this one alone; what it is when nobody says
  wire::TuneMethod method;             // when nobody says
};

// The most telling shape first.
[[nodiscard]] std::span<const ShapeSpec> shapes();
[[nodiscard]] const ShapeSpec& spec_of(Shape shape);
[[nodiscard]] const FieldSpec* find_field(const ShapeSpec& spec, std::string_view name);

struct Purpose {
  wire::TuneTask task = wire::TuneTask::text_generation;
  wire::TuneMethod method = wire::TuneMethod::sft;
};
// What rows of this shape are trained for; what is absent follows from the shape. Code::invalid_argument when the shape, the task and
// the method do not belong together: what is needed, and what would do.
[[nodiscard]] Result<Purpose> purpose_of(Shape shape, std::optional<wire::TuneTask> task, std::optional<wire::TuneMethod> method);
// Which tokens are trained; what is absent follows from the method. Code::invalid_argument where there is nothing to choose: of plain text
// everything is trained, and answers that are compared or judged, whole.
[[nodiscard]] Result<wire::TrainOn> train_on_of(Purpose purpose, std::optional<wire::TrainOn> train_on);
[[nodiscard]] bool task_takes(wire::TuneTask task, Shape shape);
[[nodiscard]] bool method_takes(wire::TuneMethod method, Shape shape);

}  // namespace puna::dataset
