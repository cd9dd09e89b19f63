#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "engine/overrides/config.h"
#include "engine/overrides/rule_source.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;

OverrideConfig Parse(std::string_view text) {
  return ParseOverrideConfig(text, "e.conf", "/etc/e");
}

std::string ErrorOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}
std::string ErrorOf(std::string_view text) {
  return ErrorOf([&] { Parse(text); });
}

const std::string kModule = "bounce_classifier_override {\n";

TEST(OverrideConfig, ReadsTheBlockAsMomentumsDocumentHasIt) {
  const OverrideConfig config = Parse(R"(datasource "my_sqlite" {
  uri = ( "sqlite:/path/to/db" )
}

bounce_classifier_override {
  user_smtp_classification_override =
    ":datasource:my_sqlite:SELECT domain, bounce_code, rule FROM overrrides;"
  refresh = 900
  custom_classes = [
    99 = "profanity"
  ]
}
)");
  EXPECT_EQ(config.datasources.at("my_sqlite").uris,
            std::vector<std::string>{"sqlite:/path/to/db"});
  EXPECT_EQ(config.datasources.at("my_sqlite").cache_life.count(), 0);
  EXPECT_EQ(config.sources[0][0].datasource, "my_sqlite");
  EXPECT_EQ(config.sources[0][0].query, "SELECT domain, bounce_code, rule FROM overrrides;");
  EXPECT_EQ(config.sources[0][0].Description(),
            ":datasource:my_sqlite:SELECT domain, bounce_code, rule FROM overrrides;");
  EXPECT_TRUE(config.sources[0][0].is_given);
  EXPECT_EQ(config.refresh.count(), 900);
  EXPECT_EQ(config.codes.Find(99)->name, "profanity");
  EXPECT_TRUE(config.warnings.empty());
  // What is not given stands where the document puts it.
  EXPECT_EQ(config.sources[0][1].file, "/etc/e/updates/smtp_classification.ovr");
  EXPECT_EQ(config.sources[1][0].file, "/etc/e/user_mdn_classification.ovr");
  EXPECT_EQ(config.sources[1][1].file, "/etc/e/updates/mdn_classification.ovr");
  EXPECT_FALSE(config.sources[1][0].is_given);
}

TEST(OverrideConfig, HasDefaults) {
  const OverrideConfig config = Parse("bounce_classifier_override {}");
  EXPECT_EQ(config.refresh.count(), 300);
  EXPECT_EQ(config.sources[0][0].file, "/etc/e/user_smtp_classification.ovr");
}

TEST(OverrideConfig, TakesBlocksAndOptionsInAnyOrderAndShape) {
  const OverrideConfig config = Parse(
      "# first\nbounce_classifier_override { refresh = \"60\" # a minute\n"
      "enable_system_updates = 0 custom_classes = [ 98 = \"a\", \"97\" = b ]\n"
      "user_mdn_classification_override=\":datasource:db:SELECT bounce_code,\n    rule FROM m\"\n"
      "user_smtp_classification_override = \"/var/rules \\\"x\\\".ovr\"\n"
      "bounce_cache_size = 16384; bounce_cache_ttl = 60 }\n"
      "datasource db { cache_life = 3600 uri = (\"pgsql:a\", \"pgsql:b\") }\n");
  EXPECT_EQ(config.refresh.count(), 60);
  EXPECT_FALSE(config.sources[0][1].is_used());
  EXPECT_FALSE(config.sources[1][1].is_used());
  EXPECT_EQ(config.codes.custom().size(), 2U);
  EXPECT_EQ(config.sources[0][0].file, "/var/rules \"x\".ovr");
  EXPECT_EQ(config.sources[1][0].Description(), ":datasource:db:SELECT bounce_code, rule FROM m");
  EXPECT_EQ(config.datasources.at("db").uris.size(), 2U);
  EXPECT_EQ(config.datasources.at("db").cache_life.count(), 3600);
}

TEST(OverrideConfig, TakesAnEmptyTextForNoList) {
  EXPECT_FALSE(
      Parse(kModule + "user_smtp_classification_override = \"\" }").sources[0][0].is_used());
}

TEST(OverrideConfig, WarnsOfWhatItDoesNotKnow) {
  const OverrideConfig config =
      Parse("Hostname = \"mx\"\nsmpp { a = ( \"b\" ( \"c\" ) ) inner \"x\" { } }\n" + kModule +
            "  refesh = 5\n}\ndatasource \"d\" { uri = \"u\" colour = red cache_size = 5 }\n");
  ASSERT_EQ(config.warnings.size(), 4U);
  EXPECT_EQ(config.warnings[0],
            "e.conf:1:1: 'Hostname' belongs to another module and is left out; here count "
            "datasource and bounce_classifier_override");
  EXPECT_TRUE(config.warnings[1].starts_with("e.conf:2:1: 'smpp' belongs to another module"));
  EXPECT_EQ(config.warnings[2],
            "e.conf:4:3: 'refesh' is no option of bounce_classifier_override and is left out; "
            "there are user_ and system_smtp_classification_override, user_ and "
            "system_mdn_classification_override, refresh, enable_system_updates, custom_classes");
  EXPECT_EQ(config.warnings[3],
            "e.conf:6:28: 'colour' means nothing in a datasource and is left out; there are uri "
            "and cache_life");
}

TEST(OverrideConfig, TellsWhereTheFirstFaultIs) {
  EXPECT_EQ(ErrorOf(""),
            "e.conf:1:1: there is no bounce_classifier_override { ... } block; a file of rules "
            "must end in .ovr or .csv");
  EXPECT_EQ(ErrorOf(kModule + "  refresh = soon\n}"),
            "e.conf:2:13: 'refresh' must be a whole number from 1 to 315360000");
  EXPECT_EQ(ErrorOf(kModule + "refresh = 0 }"),
            "e.conf:2:11: 'refresh' must be a whole number from 1 to 315360000");
  EXPECT_EQ(ErrorOf(kModule + "refresh = ( 5 ) }"),
            "e.conf:2:11: 'refresh' must be a text in double quotes");
  EXPECT_EQ(ErrorOf(kModule + "refresh = 5\nrefresh = 6 }"),
            "e.conf:3:1: 'refresh' is given twice");
  EXPECT_EQ(ErrorOf(kModule + "refresh { } }"),
            "e.conf:2:1: 'refresh' opens a block where an option must stand: NAME = VALUE");
  EXPECT_EQ(ErrorOf(kModule + "enable_system_updates = 2 }"),
            "e.conf:2:25: 'enable_system_updates' must be 1 or 0");
  EXPECT_EQ(ErrorOf(kModule + "custom_classes = [ 22 = \"x\" ] }"),
            "e.conf:2:20: custom class 22: that number is an internal code, 'Mailbox Full'; choose "
            "one that is free");
  EXPECT_EQ(ErrorOf(kModule + "custom_classes = [ 100 = \"x\" ] }"),
            "e.conf:2:20: custom class 100: the number must be from 1 to 99");
  EXPECT_EQ(ErrorOf(kModule + "custom_classes = [ 9 = ( x ) ] }"),
            "e.conf:2:24: 'a custom class's name' must be a text in double quotes");
  EXPECT_EQ(ErrorOf(kModule + "custom_classes = 99 }"),
            "e.conf:2:18: 'custom_classes' must be a map: [ 99 = \"profanity\" ]");
  EXPECT_EQ(ErrorOf(kModule + "custom_classes = [ x = \"y\" ] }"),
            "e.conf:2:20: a custom class is a number: 99 = \"profanity\"");
  EXPECT_EQ(ErrorOf(kModule + "}\n" + kModule + "}"),
            "e.conf:3:1: there is a second bounce_classifier_override block");
  EXPECT_EQ(
      ErrorOf("datasource { uri = \"x\" }"),
      "e.conf:1:1: a datasource must have a name without colons: datasource \"NAME\" { ... }");
  EXPECT_EQ(ErrorOf("datasource d { }"),
            "e.conf:1:1: the datasource \"d\" has no uri: uri = ( \"sqlite:/path\" )");
  EXPECT_EQ(
      ErrorOf(kModule + "user_smtp_classification_override = \":datasource:no:SELECT 1\" }"),
      "e.conf:2:37: there is no datasource \"no\": add datasource \"no\" { uri = ( \"...\" ) }");
  EXPECT_EQ(ErrorOf(kModule + "user_smtp_classification_override = \":datasource:no\" }"),
            "e.conf:2:37: a data source is named as :datasource:NAME:QUERY");
}

TEST(OverrideConfig, TellsWhatIsNoConfigurationAtAll) {
  EXPECT_EQ(ErrorOf(kModule), "e.conf:1:28: this bracket is never closed with '}'");
  EXPECT_EQ(ErrorOf("a = \"b"), "e.conf:1:5: this quote is never closed");
  EXPECT_EQ(ErrorOf("a = ( b"), "e.conf:1:5: this bracket is never closed with ')'");
  EXPECT_EQ(ErrorOf("a = "), "e.conf:1:5: a value must stand here, not the end of the file");
  EXPECT_EQ(ErrorOf("}"), "e.conf:1:1: an option's name must stand here, not '}'");
  EXPECT_EQ(ErrorOf("a b c"), "e.conf:1:5: '=' or '{' must follow 'a', not 'c'");
  EXPECT_EQ(ErrorOf(std::string("\x7f"
                                "ELF\0",
                                5)),
            "e.conf:1:1: an option's name must stand here, not a byte of value 127: is this a "
            "configuration at all?");
  EXPECT_EQ(ErrorOf("a = " + std::string(100000, '(')),
            "e.conf:1:37: values are nested too deeply");
  std::string blocks;
  for (int i = 0; i < 100; ++i) blocks += "a{";
  EXPECT_EQ(ErrorOf(blocks), "e.conf:1:67: blocks are nested too deeply");
}

TEST(OverrideConfig, TakesAFileOfRulesForTheUsersSmtpRules) {
  for (const char* path : {"/x/my.ovr", "/x/my.CSV"}) {
    const OverrideConfig config = LoadOverrideConfig(path);
    EXPECT_EQ(config.sources[0][0].file, path);
    EXPECT_TRUE(config.sources[0][0].is_given);
    EXPECT_FALSE(config.sources[0][1].is_used());
    EXPECT_FALSE(config.sources[1][0].is_used());
  }
}

// Tests run in the folder of the sources.
TEST(OverrideConfig, ReadsTheExamplesThatAreDeployed) {
  const OverrideConfig config = LoadOverrideConfig("deploy/overrides.example.conf");
  EXPECT_EQ(config.sources[0][0].datasource, "my_sqlite");
  EXPECT_EQ(config.sources[1][0].file, "deploy/user_mdn_classification.ovr");
  EXPECT_EQ(config.warnings, std::vector<std::string>());
  const ParsedRules rules = ParseRules(ReadRuleFile("deploy/overrides.example.ovr"),
                                       BounceKind::kSmtp, "f", config.codes);
  EXPECT_EQ(rules.rules.size(), 6U);
  EXPECT_EQ(rules.bad_count, 0U);
}

TEST(RuleFileOnDisk, IsRefusedWithItsReason) {
  const TempFolder folder;
  const fs::path at = folder.path();
  EXPECT_EQ(ErrorOf([&] { LoadOverrideConfig(at / "no.conf"); }),
            "there is no file " + (at / "no.conf").string());
  EXPECT_EQ(ErrorOf([&] { ReadRuleFile(at); }), at.string() + " is a folder: name a file");
  ASSERT_EQ(::mkfifo((at / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(ErrorOf([&] { ReadRuleFile(at / "pipe"); }),
            (at / "pipe").string() + " is no regular file: name a file");
  fs::create_symlink(at / "loop", at / "loop");
  EXPECT_EQ(ErrorOf([&] { ReadRuleFile(at / "loop"); }),
            "cannot read " + (at / "loop").string() + ": Too many levels of symbolic links");
  std::ofstream(at / "large.ovr").close();
  fs::resize_file(at / "large.ovr", 50'000'000);
  EXPECT_EQ(
      ErrorOf([&] { ReadRuleFile(at / "large.ovr"); }),
      (at / "large.ovr").string() + " has 50000000 bytes, more than the 33554432 allowed here");
}

}  // namespace
}  // namespace rebound
