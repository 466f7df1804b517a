#include "store/value.h"

#include <gtest/gtest.h>

#include "store/row.h"

namespace puna::store {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Thing {
  std::string name;
  std::optional<std::int64_t> count;
  double ratio = 0;
  bool ready = false;
  Colour colour = Colour::red;
  json::value extra;
  Blob bytes;
  WallTime when;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (name, count, ratio, ready, colour, extra, bytes, when))

Row row_of(const Parameters& parameters) {
  Row::Columns names;
  std::vector<Value> cells;
  for (const auto& parameter : parameters) {
    names.push_back(parameter.name);
    cells.push_back(parameter.value);
  }
  return Row(std::make_shared<Row::Columns>(names), cells);
}

TEST(Values, a_described_struct_comes_back_as_it_went_in) {
  const Thing in{
      "a'b", std::nullopt, 0.1, true, Colour::green, {{"k", {1, "x"}}}, Blob{std::string("\0\xff", 2)}, WallTime(Milliseconds(1234))};
  const auto out = row_of(parameters_of(in)).as<Thing>().value();
  EXPECT_EQ(out.name, in.name);
  EXPECT_EQ(out.count, in.count);
  EXPECT_EQ(out.ratio, in.ratio);
  EXPECT_TRUE(out.ready);
  EXPECT_EQ(out.colour, Colour::green);
  EXPECT_EQ(out.extra, in.extra);
  EXPECT_EQ(out.bytes, in.bytes);
  EXPECT_EQ(out.when, in.when);
}

TEST(Values, a_cell_of_another_type_is_corrupt_data_and_names_its_column) {
  const auto failure = row_of({{"count", "many"}}).get<std::int64_t>("count").error();
  EXPECT_EQ(failure.code, Code::corrupt_data);
  EXPECT_EQ(failure.text(), "column count: expected an integer, found text");
}

TEST(Values, an_integer_that_does_not_fit_is_refused_and_never_cut) {
  EXPECT_EQ(from_value<int>(Value(std::int64_t{1} << 40)).error().code, Code::corrupt_data);
  EXPECT_EQ(from_value<Bytes>(Value(std::int64_t{-1})).error().code, Code::corrupt_data);
  EXPECT_EQ(from_value<bool>(Value(std::int64_t{2})).error().code, Code::corrupt_data);
}

TEST(Values, an_unknown_enumerator_and_broken_json_are_corrupt_data) {
  EXPECT_EQ(from_value<Colour>(Value("blue")).error().code, Code::corrupt_data);
  EXPECT_EQ(from_value<json::value>(Value("{")).error().code, Code::corrupt_data);
}

TEST(Values, a_column_that_the_statement_does_not_name_is_our_own_fault) {
  EXPECT_EQ(row_of({{"a", 1}}).get<int>("b").error().code, Code::internal);
}

}  // namespace
}  // namespace puna::store
