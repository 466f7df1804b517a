#include "base/json.h"

#include <gtest/gtest.h>

namespace puna::json {
namespace {

enum class Colour { red, green };
BOOST_DESCRIBE_ENUM(Colour, red, green)

struct Inner {
  std::string name;
  std::optional<double> weight;
};
BOOST_DESCRIBE_STRUCT(Inner, (), (name, weight))

struct Outer {
  std::int32_t count = 0;
  Colour colour = Colour::red;
  std::vector<Inner> items;
  std::map<std::string, bool> flags;
  std::optional<object> extra;
};
BOOST_DESCRIBE_STRUCT(Outer, (), (count, colour, items, flags, extra))

std::string message_of(std::string_view text) {
  auto outer = decode_text<Outer>(text);
  return outer ? "no error" : outer.error().message;
}

TEST(Json, a_described_struct_survives_encoding_and_decoding) {
  const Outer in{3, Colour::green, {{"a", 0.5}, {"b", std::nullopt}}, {{"x", true}}, object{{"k", 1}}};
  const auto out = decode<Outer>(encode(in));
  ASSERT_TRUE(out) << out.error().message;
  EXPECT_EQ(to_text(encode(*out)), to_text(encode(in)));
  EXPECT_FALSE(encode(in).as_object()["items"].as_array()[1].as_object().contains("weight"));
}

TEST(Json, numbers_are_printed_as_people_write_them_and_read_back_the_same) {
  const value numbers = {1.0, 0.5, -2.25, 0.1, 1e300, 12345678.9, 7, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(to_text(numbers), "[1,0.5,-2.25,0.1,1e+300,12345678.9,7,null]");
  for (const double number : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308})
    EXPECT_EQ(parse(to_text(value(number))).value().to_number<double>(), number);
  EXPECT_EQ(to_text(object{{"a \"b\"", object{{"x", 1.5}}}, {"none", object()}, {"list", array()}}),
            R"({"a \"b\"":{"x":1.5},"none":{},"list":[]})");
  EXPECT_EQ(pretty(object{{"x", 1.0}}), "{\n  \"x\": 1\n}\n");
}

TEST(Json, an_error_names_the_field_the_expectation_and_the_value) {
  EXPECT_EQ(message_of(R"({"count":1,"colour":"blue","items":[],"flags":{}})"), R"(colour: expected one of red, green, got "blue")");
  EXPECT_EQ(message_of(R"({"count":1,"colour":"red","items":[{"name":5}],"flags":{}})"),
            "items[0].name: expected a string, got an integer");
  EXPECT_EQ(message_of(R"({"colour":"red","items":[],"flags":{}})"), "count: required, but missing");
  EXPECT_EQ(message_of(R"({"count":3000000000,"colour":"red","items":[],"flags":{}})"),
            "count: 3000000000 is out of range (-2147483648 to 2147483647)");
}

TEST(Json, an_unknown_field_is_refused_with_the_nearest_name) {
  EXPECT_EQ(message_of(R"({"count":1,"colour":"red","items":[],"flags":{},"itmes":[]})"), "itmes: unknown field (did you mean 'items'?)");
}

TEST(Json, malformed_text_is_refused_with_line_and_column) {
  const auto broken = parse("{\n  \"a\": 1,\n  oops\n}");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("line 3, column"), std::string::npos) << broken.error().message;
  EXPECT_FALSE(parse("{\"a\":1} x"));
  EXPECT_FALSE(parse("[1, 2"));
  EXPECT_FALSE(parse(""));
  EXPECT_EQ(parse("42").value().as_int64(), 42);
}

TEST(Json, depth_is_limited) {
  EXPECT_TRUE(parse(std::string(60, '[') + std::string(60, ']')));
  EXPECT_FALSE(parse(std::string(70, '[') + std::string(70, ']')));
}

}  // namespace
}  // namespace puna::json
