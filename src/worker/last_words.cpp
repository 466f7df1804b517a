#include "worker/last_words.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "ggml.h"

namespace puna::worker {
namespace {

// Callbacks without a user pointer need a place that outlives everything.
int status_descriptor = -1;

// Only write(2) and the stack: the heap may be what broke.
class LastLine {
 public:
  void add(const char* text) {
    while (*text != '\0' && length_ + 2 < sizeof(bytes_)) bytes_[length_++] = *text++;
  }
  void add_escaped(const char* text) {
    for (; *text != '\0' && length_ + 8 < sizeof(bytes_); ++text) {
      const auto byte = static_cast<unsigned char>(*text);
      if (byte == '"' || byte == '\\') bytes_[length_++] = '\\';
      bytes_[length_++] = byte < 0x20 || byte >= 0x7f ? '?' : *text;
    }
  }
  void send(int descriptor) {
    bytes_[length_++] = '\n';
    // The process ends next, whether or not anybody reads this.
    if (descriptor >= 0 && ::write(descriptor, bytes_, length_) < 0) return;
  }

 private:
  char bytes_[2600];
  std::size_t length_ = 0;
};

void send_failure(const char* fault, const char* message) {
  LastLine plain;
  plain.add("error: ");
  plain.add(message);
  plain.send(STDERR_FILENO);
  LastLine line;
  line.add(R"({"report":"failure","fault":")");
  line.add(fault);
  line.add(R"(","message":")");
  line.add_escaped(message);
  line.add("\"}");
  line.send(status_descriptor);
}

void on_ggml_abort(const char* message) {
  // ggml aborts when an allocation fails as well as when it finds itself in an impossible state.
  const bool memory = std::strstr(message, "alloc") != nullptr || std::strstr(message, "out of memory") != nullptr;
  send_failure(memory ? "out_of_memory" : "crashed", message);
}

[[noreturn]] void on_terminate() {
  const char* fault = "crashed";
  const char* message = "an exception of unknown type was not caught";
  try {
    if (const auto current = std::current_exception()) std::rethrow_exception(current);
    message = "terminated without an exception";
  } catch (const std::bad_alloc&) {
    fault = "out_of_memory";
    message = "the process could not get more memory from the system (std::bad_alloc)";
  } catch (const std::exception& exception) {
    // Its text lives as long as the exception, which nobody destroys any more.
    message = exception.what();
    send_failure(fault, message);
    std::abort();
  } catch (...) {
    message = "an exception of unknown type was not caught";
  }
  send_failure(fault, message);
  std::abort();
}

}  // namespace

void leave_last_words(std::optional<int> descriptor) {
  status_descriptor = descriptor.value_or(-1);
  ggml_set_abort_callback(on_ggml_abort);
  std::set_terminate(on_terminate);
}

}  // namespace puna::worker
