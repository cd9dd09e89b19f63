#include "engine/overrides/config.h"

#include <charconv>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "engine/overrides/config_reader.h"
#include "engine/overrides/rule_source.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxConfigBytes = 1024 * 1024;
constexpr int64_t kLongestSeconds = 10LL * 365 * 86400;
constexpr std::string_view kDatasourcePrefix = ":datasource:";

// Where the document puts the four lists, from the folder of the configuration.
constexpr std::array<std::array<std::string_view, 2>, 2> kDefaultFiles = {{
    {"user_smtp_classification.ovr", "updates/smtp_classification.ovr"},
    {"user_mdn_classification.ovr", "updates/mdn_classification.ovr"},
}};
constexpr std::array<std::array<std::string_view, 2>, 2> kSourceOptions = {{
    {"user_smtp_classification_override", "system_smtp_classification_override"},
    {"user_mdn_classification_override", "system_mdn_classification_override"},
}};

class Interpreter {
 public:
  Interpreter(const std::string& name, const fs::path& folder) : name_(name), folder_(folder) {}

  OverrideConfig Read(const std::vector<ConfigEntry>& entries) {
    for (const ConfigEntry& entry : entries) {
      if (entry.is_block && entry.name == "datasource") {
        ReadDatasource(entry);
      } else if (entry.is_block && entry.name == "bounce_classifier_override") {
        if (has_module_) Fail(entry.place, "there is a second bounce_classifier_override block");
        has_module_ = true;
        ReadModule(entry);
      } else {
        Warn(entry,
             "belongs to another module and is left out; here count datasource and "
             "bounce_classifier_override");
      }
    }
    if (!has_module_) {
      Fail({1, 1},
           "there is no bounce_classifier_override { ... } block; a file of rules must end "
           "in .ovr or .csv");
    }
    Complete();
    return std::move(config_);
  }

 private:
  [[noreturn]] void Fail(ConfigPlace place, const std::string& what) const {
    throw Error(ErrorCode::kInvalidArgument, AtPlace(name_, place, what));
  }
  void Warn(const ConfigEntry& entry, const std::string& what) {
    config_.warnings.push_back(AtPlace(name_, entry.place, "'" + entry.name + "' " + what));
  }

  void ReadDatasource(const ConfigEntry& block) {
    const std::string& name = block.argument;
    if (name.empty() || name.find(':') != std::string::npos) {
      Fail(block.place,
           "a datasource must have a name without colons: datasource \"NAME\" { ... }");
    }
    if (config_.datasources.contains(name)) {
      Fail(block.place, "the datasource \"" + name + "\" is given twice");
    }
    DatasourceConfig source;
    std::set<std::string> seen;
    for (const ConfigEntry& entry : block.entries) {
      CheckOption(entry, &seen);
      if (entry.name == "uri") {
        source.uris = Texts(entry.value);
        if (source.uris.empty()) Fail(entry.value.place, "'uri' names nothing");
      } else if (entry.name == "cache_life") {
        source.cache_life = Seconds(entry, 0);
      } else if (entry.name != "cache_size" && entry.name != "no_cache") {
        Warn(entry, "means nothing in a datasource and is left out; there are uri and cache_life");
      }
    }
    if (source.uris.empty()) {
      Fail(block.place, "the datasource \"" + name + "\" has no uri: uri = ( \"sqlite:/path\" )");
    }
    config_.datasources.emplace(name, std::move(source));
  }

  void ReadModule(const ConfigEntry& block) {
    std::set<std::string> seen;
    for (const ConfigEntry& entry : block.entries) {
      CheckOption(entry, &seen);
      if (entry.name == "refresh") {
        config_.refresh = Seconds(entry, 1);
      } else if (entry.name == "enable_system_updates") {
        has_system_ = Flag(entry);
      } else if (entry.name == "custom_classes") {
        ReadCustomClasses(entry);
      } else if (entry.name == "bounce_cache_size" || entry.name == "bounce_cache_ttl") {
        Number(entry, 0);  // of Momentum's cache; the cache here is rebound-serve's
      } else if (!ReadSource(entry) && entry.name != "debug_level") {
        Warn(entry,
             "is no option of bounce_classifier_override and is left out; there are "
             "user_ and system_smtp_classification_override, user_ and "
             "system_mdn_classification_override, refresh, enable_system_updates, "
             "custom_classes");
      }
    }
  }

  bool ReadSource(const ConfigEntry& entry) {
    for (size_t kind = 0; kind < 2; ++kind) {
      for (size_t who = 0; who < 2; ++who) {
        if (entry.name != kSourceOptions[kind][who]) continue;
        RuleSourceConfig& source = config_.sources[kind][who];
        source.is_given = true;
        const std::string text = Text(entry.value, entry.name);
        if (text.starts_with(kDatasourcePrefix)) {
          ReadQuery(entry, text.substr(kDatasourcePrefix.size()), &source);
        } else if (!text.empty()) {  // an empty text: no list, not even the default one
          source.file = folder_ / text;
        }
        return true;
      }
    }
    return false;
  }

  void ReadQuery(const ConfigEntry& entry, const std::string& text, RuleSourceConfig* source) {
    const size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0 ||
        Trim(std::string_view(text).substr(colon + 1)).empty()) {
      Fail(entry.value.place, "a data source is named as :datasource:NAME:QUERY");
    }
    source->datasource = text.substr(0, colon);
    source->query = std::string(Trim(std::string_view(text).substr(colon + 1)));
    named_.emplace_back(source->datasource, entry.value.place);
  }

  void ReadCustomClasses(const ConfigEntry& entry) {
    if (entry.value.type != ConfigValue::Type::kMap) {
      Fail(entry.value.place, "'custom_classes' must be a map: [ 99 = \"profanity\" ]");
    }
    for (const ConfigEntry& custom : entry.value.entries) {
      if (custom.is_block) Fail(custom.place, "a custom class is written 99 = \"profanity\"");
      const auto number = ParseNumber(custom.name);
      if (!number || *number < INT32_MIN || *number > INT32_MAX) {
        Fail(custom.place, "a custom class is a number: 99 = \"profanity\"");
      }
      try {
        config_.codes.Add(static_cast<int>(*number), Text(custom.value, "a custom class's name"));
      } catch (const Error& e) {
        const std::string message = e.what();
        if (message.starts_with(name_ + ":")) throw;  // of the text, with its place
        Fail(custom.place, message);
      }
    }
  }

  // Defaults, and what can only be known when all is read: blocks may stand in any order.
  void Complete() {
    for (const auto& [datasource, place] : named_) {
      if (config_.datasources.contains(datasource)) continue;
      Fail(place, "there is no datasource \"" + datasource + "\": add datasource \"" + datasource +
                      "\" { uri = ( \"...\" ) }");
    }
    for (size_t kind = 0; kind < 2; ++kind) {
      for (size_t who = 0; who < 2; ++who) {
        RuleSourceConfig& source = config_.sources[kind][who];
        if (who == 1 && !has_system_) {
          source = {};
        } else if (!source.is_given) {
          source.file = folder_ / kDefaultFiles[kind][who];
        }
      }
    }
  }

  void CheckOption(const ConfigEntry& entry, std::set<std::string>* seen) const {
    if (entry.is_block) {
      Fail(entry.place,
           "'" + entry.name + "' opens a block where an option must stand: NAME = VALUE");
    }
    if (!seen->insert(entry.name).second) Fail(entry.place, "'" + entry.name + "' is given twice");
  }

  std::string Text(const ConfigValue& value, const std::string& what) const {
    if (value.type != ConfigValue::Type::kText && value.type != ConfigValue::Type::kWord) {
      Fail(value.place, "'" + what + "' must be a text in double quotes");
    }
    return value.text;
  }

  std::vector<std::string> Texts(const ConfigValue& value) const {
    if (value.type != ConfigValue::Type::kList) return {Text(value, "uri")};
    std::vector<std::string> texts;
    for (const ConfigValue& item : value.items) texts.push_back(Text(item, "uri"));
    return texts;
  }

  static std::optional<int64_t> ParseNumber(std::string_view text) {
    int64_t number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
  }

  int64_t Number(const ConfigEntry& entry, int64_t least) const {
    const auto number = ParseNumber(Text(entry.value, entry.name));
    if (!number || *number < least || *number > kLongestSeconds) {
      Fail(entry.value.place, "'" + entry.name + "' must be a whole number from " +
                                  std::to_string(least) + " to " + std::to_string(kLongestSeconds));
    }
    return *number;
  }
  std::chrono::seconds Seconds(const ConfigEntry& entry, int64_t least) const {
    return std::chrono::seconds(Number(entry, least));
  }

  bool Flag(const ConfigEntry& entry) const {
    const std::string text = AsciiLower(Text(entry.value, entry.name));
    if (text == "1" || text == "true" || text == "yes" || text == "on") return true;
    if (text == "0" || text == "false" || text == "no" || text == "off") return false;
    Fail(entry.value.place, "'" + entry.name + "' must be 1 or 0");
  }

  const std::string& name_;
  const fs::path& folder_;
  OverrideConfig config_;
  bool has_module_ = false;
  bool has_system_ = true;
  std::vector<std::pair<std::string, ConfigPlace>> named_;  // data sources that lists are of
};

}  // namespace

std::string RuleSourceConfig::Description() const {
  if (datasource.empty()) return file.string();
  std::string description = std::string(kDatasourcePrefix) + datasource + ":";
  bool after_blank = false;  // a query over several lines is shown on one
  for (const char c : query) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!is_blank) description.push_back(c);
    if (is_blank && !after_blank) description.push_back(' ');
    after_blank = is_blank;
  }
  return description;
}

OverrideConfig ParseOverrideConfig(std::string_view text, const std::string& name,
                                   const fs::path& folder) {
  return Interpreter(name, folder).Read(ReadConfig(text, name));
}

OverrideConfig LoadOverrideConfig(const fs::path& path) {
  const std::string extension = AsciiLower(path.extension().string());
  if (extension == ".ovr" || extension == ".csv") {
    OverrideConfig config;
    config.sources[0][0].file = path;
    config.sources[0][0].is_given = true;
    return config;
  }
  return ParseOverrideConfig(ReadRuleFile(path, kMaxConfigBytes), path.string(),
                             path.parent_path());
}

}  // namespace rebound
