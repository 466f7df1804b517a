// The daemon itself: version, health, settings, events.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/settings.h"

namespace puna::wire {

struct Version {
  std::string version;
  std::string llama_cpp;
  std::string compiler;
};
BOOST_DESCRIBE_STRUCT(Version, (), (version, llama_cpp, compiler))

struct Health {
  std::string status;  // "ok", "starting", "draining"
};
BOOST_DESCRIBE_STRUCT(Health, (), (status))

struct Status {
  std::string version;
  std::int64_t pid = 0;
  std::string started_at;
  std::string data;  // the data folder
  std::string socket;
  std::optional<std::string> tcp;  // "127.0.0.1:17862"
  bool tls = false;                // that is what it speaks there
  bool on_demand = false;          // leaves by itself when idle
  std::int64_t connections = 0;
  std::int64_t active_requests = 0;
  std::int64_t requests = 0;  // since the start
  std::int64_t active_jobs = 0;
  std::int64_t event_subscribers = 0;
  std::int64_t memory_bytes = 0;  // resident, of the daemon
  std::int64_t open_descriptors = 0;
  std::vector<std::string> problems;  // of the settings file and the folders
};
BOOST_DESCRIBE_STRUCT(Status, (),
                      (version, pid, started_at, data, socket, tcp, tls, on_demand, connections, active_requests, requests, active_jobs,
                       event_subscribers, memory_bytes, open_descriptors, problems))

// What models can compute on besides the processor.
struct ComputeDevice {
  std::string name;     // "CUDA0"
  std::string backend;  // "CUDA"
  std::string description;
  std::int64_t memory_total = 0;  // bytes
  std::int64_t memory_free = 0;
};
BOOST_DESCRIBE_STRUCT(ComputeDevice, (), (name, backend, description, memory_total, memory_free))

struct Compute {
  std::string kernels;  // for the processor: "native", "haswell"
  std::vector<ComputeDevice> devices;
};
BOOST_DESCRIBE_STRUCT(Compute, (), (kernels, devices))

struct SettingView {
  std::string key;
  std::string value;  // as a person would type it
  std::string default_value;
  SettingOrigin origin = SettingOrigin::default_value;
  std::string source;  // the file, variable or flag
  std::string kind;
  std::string environment;
  std::string help;
  bool live = true;  // a change applies without restart
};
BOOST_DESCRIBE_STRUCT(SettingView, (), (key, value, default_value, origin, source, kind, environment, help, live))

struct SettingsView {
  std::vector<SettingView> settings;
  std::vector<std::string> problems;
  std::string file;
};
BOOST_DESCRIBE_STRUCT(SettingsView, (), (settings, problems, file))

struct SettingChange {
  std::string key;
  std::optional<std::string> value;  // absent: back to the default
};
BOOST_DESCRIBE_STRUCT(SettingChange, (), (key, value))

// One entry of the event stream's `data`.
struct EventView {
  std::int64_t sequence = 0;
  std::string type;
  std::string time;
  json::object data;
};
BOOST_DESCRIBE_STRUCT(EventView, (), (sequence, type, time, data))

struct LogLines {
  std::vector<std::string> lines;
};
BOOST_DESCRIBE_STRUCT(LogLines, (), (lines))

}  // namespace puna::wire
