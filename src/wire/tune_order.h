// run.json: what a run of training was made for. The daemon writes it, the child that trains reads it and adds what it found out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "wire/dataset.h"
#include "wire/tune.h"

namespace puna::wire {

// A file whose content must not change as long as the run may go on.
struct TuneFile {
  std::string path;
  std::int64_t size = 0;
  std::string sha256;  // empty: nobody has computed it yet
};
BOOST_DESCRIBE_STRUCT(TuneFile, (), (path, size, sha256))

struct TuneOrder {
  std::string name;
  std::string created_at;  // RFC 3339
  std::string version;     // of this program
  TuneRequest request;     // as it was given, with the base's full name; given again, it repeats the run
  std::string load;        // what llama.cpp is given: the base's file, or the first of its parts
  std::vector<TuneFile> base;
  std::optional<std::string> chat_template;        // instead of the base's own
  std::int64_t threads = 0;                        // where the settings do not say; 0: one for each physical core
  std::optional<TuneSettings> settings;            // complete, once the run has begun: it goes on with these
  std::optional<std::vector<DatasetSource>> data;  // what was read then
};
BOOST_DESCRIBE_STRUCT(TuneOrder, (), (name, created_at, version, request, load, base, chat_template, threads, settings, data))

}  // namespace puna::wire
