#include "base/version.h"

// PUNA_VERSION and PUNA_LLAMA_CPP_VERSION come from CMakeLists.txt.
namespace puna {

#define PUNA_TEXT_(x) #x
#define PUNA_TEXT(x) PUNA_TEXT_(x)

std::string_view version() {
  return PUNA_VERSION;
}
std::string_view llama_cpp_version() {
  return PUNA_LLAMA_CPP_VERSION;
}
std::string_view compiler_version() {
#ifdef __clang__
  return "clang " PUNA_TEXT(__clang_major__) "." PUNA_TEXT(__clang_minor__) "." PUNA_TEXT(__clang_patchlevel__);
#else
  return "gcc " PUNA_TEXT(__GNUC__) "." PUNA_TEXT(__GNUC_MINOR__) "." PUNA_TEXT(__GNUC_PATCHLEVEL__);
#endif
}

}  // namespace puna
