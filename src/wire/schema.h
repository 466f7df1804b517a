// JSON Schema (as OpenAPI 3.1 uses it) of described structs.
#pragma once

#include <boost/core/demangle.hpp>
#include <typeinfo>

#include "base/json.h"

namespace puna::wire {

// Collects the schemas of named types; struct members refer to each other by "#/components/schemas/NAME".
class SchemaSet {
 public:
  // The schema to write where a T stands; described structs are added to the set.
  template <class T>
  json::object of();

  [[nodiscard]] const json::object& components() const { return components_; }

 private:
  template <class T>
  static std::string name_of();
  template <class T>
  json::object struct_schema();

  json::object components_;
};

[[nodiscard]] std::string short_type_name(std::string_view demangled);

template <class T>
std::string SchemaSet::name_of() {
  return short_type_name(boost::core::demangle(typeid(T).name()));
}

template <class T>
json::object SchemaSet::struct_schema() {
  json::object properties;
  json::array required;
  boost::mp11::mp_for_each<json::detail::members<T>>([&](auto member) {
    using Field = std::remove_reference_t<decltype(std::declval<T&>().*member.pointer)>;
    properties[member.name] = of<Field>();
    if constexpr (!json::detail::is_optional<Field>::value) required.emplace_back(member.name);
  });
  json::object out{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

template <class T>
json::object SchemaSet::of() {
  if constexpr (std::is_same_v<T, json::value>) {
    return {};
  } else if constexpr (std::is_same_v<T, json::object>) {
    return {{"type", "object"}};
  } else if constexpr (std::is_same_v<T, json::array>) {
    return {{"type", "array"}};
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    return {{"type", "integer"}};
  } else if constexpr (std::is_floating_point_v<T>) {
    return {{"type", "number"}};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {{"type", "string"}};
  } else if constexpr (json::detail::is_optional<T>::value) {
    return of<typename T::value_type>();
  } else if constexpr (json::detail::is_vector<T>::value) {
    return {{"type", "array"}, {"items", of<typename T::value_type>()}};
  } else if constexpr (json::detail::is_map<T>::value) {
    return {{"type", "object"}, {"additionalProperties", of<typename T::mapped_type>()}};
  } else {
    const std::string name = name_of<T>();
    if (!components_.contains(name)) {
      components_[name] = nullptr;  // marks it as known while its members are visited
      if constexpr (json::DescribedEnum<T>) {
        json::array names;
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto row) { names.emplace_back(row.name); });
        components_[name] = json::object{{"type", "string"}, {"enum", std::move(names)}};
      } else {
        auto schema = struct_schema<T>();
        components_[name] = std::move(schema);
      }
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }
}

}  // namespace puna::wire
