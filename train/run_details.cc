#include "train/run_details.h"

#include "base/code_version.h"
#include "base/json.h"

namespace rebound {
namespace {

void WriteStrings(const std::map<std::string, std::string>& strings, JsonWriter& w) {
  w.Object([&](JsonWriter& o) {
    for (const auto& [name, value] : strings) o.Key(name).String(value);
  });
}

void WriteDifference(const Difference& difference, JsonWriter& w) {
  w.Object([&](JsonWriter& o) {
    o.Key("value").Double(difference.value);
    o.Key("low").Double(difference.interval.low);
    o.Key("high").Double(difference.interval.high);
  });
}

std::string_view ModeName(PromotionMode mode) {
  switch (mode) {
    case PromotionMode::kAuto:
      return "auto";
    case PromotionMode::kAlways:
      return "always";
    case PromotionMode::kNever:
      break;
  }
  return "never";
}

void WriteIncumbent(const RunDetails& details, JsonWriter& w) {
  if (details.incumbent.version == 0) {
    w.Null();
    return;
  }
  w.Object([&](JsonWriter& o) {
    o.Key("version").Int(details.incumbent.version);
    o.Key("weights_sha256").String(details.incumbent.weights_sha256);
    if (!details.differences) return;
    o.Key("macro_f1");
    WriteDifference(details.differences->macro_f1, o);
    o.Key("accuracy");
    WriteDifference(details.differences->accuracy, o);
    o.Key("ece");
    WriteDifference(details.differences->ece, o);
  });
}

}  // namespace

std::string WriteRunDetails(const RunDetails& details) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("code_version").String(CodeVersion());
    w.Key("options");
    WriteStrings(details.options, w);
    w.Key("environment");
    WriteStrings(details.environment, w);
    w.Key("tokenizer").Object([&](JsonWriter& o) {
      o.Key("sha256").String(details.tokenizer_sha256);
      o.Key("origin").String(details.tokenizer_origin);
    });
    w.Key("incumbent");
    WriteIncumbent(details, w);
    w.Key("must_pass").Object([&](JsonWriter& o) {
      o.Key("checked").Int(static_cast<int64_t>(details.must_pass.size()));
      o.Key("failed").Array([&](JsonWriter& failed) {
        for (const MustPassResult& result : details.must_pass) {
          if (!result.passed) failed.Int(result.entry.id);
        }
      });
    });
    w.Key("verdict");
    if (!details.verdict) {
      w.Null();
      return;
    }
    w.Object([&](JsonWriter& o) {
      o.Key("promote").Bool(details.verdict->promote);
      o.Key("asked").String(ModeName(details.mode));
      o.Key("reasons").Array([&](JsonWriter& reasons) {
        for (const std::string& reason : details.verdict->reasons) reasons.String(reason);
      });
    });
  });
  return out;
}

}  // namespace rebound
