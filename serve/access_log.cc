#include "serve/access_log.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <random>

#include "base/json.h"
#include "base/random.h"
#include "serve/peer.h"

namespace rebound {
namespace {

constexpr int kFirstError = 400;

std::string IsoTime(std::chrono::system_clock::time_point time) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = static_cast<std::time_t>(millis.count() / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
  return std::string(text, length) + std::to_string(1000 + millis.count() % 1000).substr(1) + "Z";
}

// A client may send any word as its method.
std::string_view KnownMethod(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods = {"GET",   "HEAD",   "POST",   "PUT",
                                                        "PATCH", "DELETE", "OPTIONS"};
  return std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end() ? "other" : method;
}

std::string PeerText(std::string_view peer, PeerDetail detail) {
  if (detail == PeerDetail::kNone) return "";
  return detail == PeerDetail::kFull ? std::string(peer) : MaskAddress(peer);
}

}  // namespace

std::string AccessLine(const AccessRecord& record, const AccessLogOptions& options) {
  std::string line;
  JsonWriter w(&line);
  w.StartObject().Key("time").String(IsoTime(record.time));
  w.Key("request_id").String(record.request_id);
  if (record.trace) {
    w.Key("trace_id").String(record.trace->trace_id);
    w.Key("parent_id").String(record.trace->parent_id);
  }
  if (!record.method.empty()) w.Key("method").String(KnownMethod(record.method));
  if (!record.route.empty()) w.Key("route").String(record.route);
  w.Key("status").Int(record.status);
  const double micros = std::chrono::duration<double, std::micro>(record.taken).count();
  w.Key("ms").Double(std::round(micros) / 1000);
  w.Key("bytes_in").Uint(record.bytes_in).Key("bytes_out").Uint(record.bytes_out);
  if (record.texts != 0) w.Key("texts").Uint(record.texts);
  if (!record.key.empty()) w.Key("key").String(record.key);
  const std::string peer = PeerText(record.peer, options.peer);
  if (!peer.empty()) w.Key("peer").String(peer);
  w.Key("tls").Bool(record.tls);
  // Who counts the lines must know how many requests each stands for.
  if (options.sample < 1 && record.status < kFirstError) w.Key("sample").Double(options.sample);
  w.EndObject();
  return line + "\n";
}

bool AccessLog::Takes(int status) const {
  if (status >= kFirstError || options_.sample >= 1) return true;
  thread_local Random random(std::random_device{}());
  constexpr double kRange = 9007199254740992.0;  // 2^53
  return static_cast<double>(random.Next() >> 11) / kRange < options_.sample;
}

}  // namespace rebound
