#include <iostream>

#include "base/error.h"
#include "base/program_options.h"
#include "base/text.h"
#include "engine/answer.h"
#include "engine/cli/commands.h"
#include "engine/cli/debug.h"
#include "engine/cli/overrides_print.h"
#include "engine/cli/rules.h"
#include "engine/cli/server_client.h"
#include "engine/cli/terminal.h"
#include "engine/overrides/lint.h"
#include "engine/rule_test.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

[[noreturn]] void Misused(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

std::string Text(const po::variables_map& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

// What the server says, or what the same would be of the files.
std::string TestAtServer(const po::variables_map& values, BounceKind kind) {
  std::string body;
  JsonWriter(&body).Object([&](JsonWriter& w) {
    w.Key("message").String(ReadableText(Text(values, "reply")));
    w.Key("domain").String(RepairUtf8(Text(values, "domain")));
    w.Key("kind").String(BounceKindName(kind));
  });
  return ServerClient(values).Post("/v3/overrides/test", body);
}

int RunTest(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Tells which rule decides about a reply: its class, and where it stands.";
  line.usage =
      "rebound overrides test REPLY [DOMAIN] --overrides FILE [OPTIONS]\n"
      "       rebound overrides test REPLY [DOMAIN] --server URL [OPTIONS]";
  auto add = line.options.add_options();
  const auto text = [] { return po::value<std::string>()->default_value(""); };
  add("reply", po::value<std::string>()->value_name("REPLY"), "what a server answered");
  add("domain", text()->value_name("DOMAIN"), "the recipient's");
  add("kind", po::value<std::string>()->default_value("smtp")->value_name("KIND"),
      "smtp, or mdn: a message that came back");
  add("overrides", text()->value_name("FILE"), "the module's configuration, or a file of rules");
  add("text-rules", text()->value_name("FILE"), "patterns that go after the overrides");
  AddServerOptions("", &line);
  add("json", po::bool_switch(), "print one JSON object, as POST /v3/overrides/test answers");
  add("debug", po::bool_switch(), "what the engine does, on standard error");
  line.positional.add("reply", 1).add("domain", 1);
  line.epilogue =
      "  rebound overrides test '552 5.2.2 over quota' example.com --overrides rules.ovr\n"
      "  rebound overrides test '421 [TSS04] deferred' yahoo.com --server http://127.0.0.1:8080\n"
      "Exit codes: 0 a rule decides, 1 none does, 2 wrong usage.\n";
  const auto parsed = ParseOptions(argc, argv, line);
  if (!parsed) return 0;
  const po::variables_map& values = *parsed;
  SetDebug(values["debug"].as<bool>());
  const std::string reply = ReadableText(Text(values, "reply"));
  if (reply.empty()) Misused("give the reply to test");
  const std::string kind_name = Text(values, "kind");
  if (kind_name != "smtp" && kind_name != "mdn") Misused("--kind must be smtp or mdn");
  const BounceKind kind = kind_name == "mdn" ? BounceKind::kMdn : BounceKind::kSmtp;
  const bool has_files = !Text(values, "overrides").empty() || !Text(values, "text-rules").empty();
  if (has_files != Text(values, "server").empty()) {
    Misused("give --overrides FILE, or --server URL to ask a running server");
  }
  std::string answer;
  if (has_files) {
    const Rules rules(Text(values, "overrides"), Text(values, "text-rules"));
    JsonWriter writer(&answer);
    WriteRuleTest(rules.sources(), kind, reply, Trim(Text(values, "domain")), &writer);
  } else {
    answer = TestAtServer(values, kind);
  }
  const JsonDocument verdict = ParseJson(answer);
  if (values["json"].as<bool>()) {
    std::cout << answer << "\n";
  } else {
    PrintTest(verdict, &std::cout);
  }
  return Finish(GetJsonBool(verdict, "matched") ? 0 : 1);
}

int RunLint(int argc, const char* const* argv) {
  CommandLine line;
  line.summary = "Finds rules that do nothing or too much: shadowed, duplicate, dead ones.";
  line.usage = "rebound overrides lint FILE [--json]";
  auto add = line.options.add_options();
  add("overrides", po::value<std::string>()->default_value("")->value_name("FILE"),
      "the module's configuration, or a file of rules (may stand without --overrides)");
  add("json", po::bool_switch(), "print one JSON array of findings");
  add("debug", po::bool_switch(), "what the engine does, on standard error");
  line.positional.add("overrides", 1);
  line.epilogue =
      "  rebound overrides lint rules.ovr\n"
      "  rebound overrides lint deploy/overrides.example.conf --json\n"
      "Exit codes: 0 nothing found, 1 findings or bad lines, 2 wrong usage.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  SetDebug((*values)["debug"].as<bool>());
  const std::string file = Text(*values, "overrides");
  if (file.empty()) Misused("name the file to look at");
  const std::unique_ptr<Overrides> overrides = LoadOverrides(file);
  const std::vector<LintFinding> findings = LintOverrides(*overrides->Current());
  size_t rules = 0;
  bool is_sound = findings.empty();
  for (const OverrideListStatus& list : overrides->Status()) {
    rules += list.rules;
    is_sound = is_sound && list.bad_count == 0 && list.last_error.empty();
  }
  if ((*values)["json"].as<bool>()) {
    std::cout << LintJson(findings) << "\n";
  } else {
    PrintFindings(findings, rules, &std::cout);
  }
  return Finish(is_sound ? 0 : 1);
}

// GET or POST of what answers the state of all lists. Exit code 1 where one could not be read.
int ShowLists(int argc, const char* const* argv, bool reload) {
  CommandLine line;
  line.summary = reload ? "Lets a running server read its rules anew, and tells what came of it."
                        : "Shows the rules of a running server, and which of them decide.";
  line.usage = std::string("rebound overrides ") + (reload ? "reload" : "status") +
               " [--server URL] [--key-file FILE] [OPTIONS]";
  AddServerOptions("http://127.0.0.1:8080", &line);
  line.options.add_options()("json", po::bool_switch(), "print the server's JSON object");
  const std::string name = reload ? "reload" : "status";
  line.epilogue =
      "  rebound overrides " + name + "\n  rebound overrides " + name +
      " --server https://bounces.example.com:8443 --cacert ca.pem --key-file key.txt\n" +
      (reload ? "Reloading needs a key of scope admin, or a server on this machine "
                "without keys.\n"
              : "") +
      "Exit codes: 0 every list is read, 1 one is not or the server does not answer.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const ServerClient server(*values);
  const std::string answer =
      reload ? server.Post("/v3/overrides/reload", "{}") : server.Get("/v3/overrides");
  const JsonDocument status = ParseJson(answer);
  if ((*values)["json"].as<bool>()) {
    std::cout << answer << "\n";
  } else {
    PrintStatus(status, &std::cout);
  }
  return Finish(IsAllRead(status) ? 0 : 1);
}

int RunReload(int argc, const char* const* argv) { return ShowLists(argc, argv, true); }
int RunStatus(int argc, const char* const* argv) { return ShowLists(argc, argv, false); }

constexpr std::array<Command, 4> kCommands = {{
    {"test", "which rule decides about a reply", RunTest},
    {"lint", "rules that do nothing or too much", RunLint},
    {"status", "the rules of a running server", RunStatus},
    {"reload", "let a running server read its rules anew", RunReload},
}};

}  // namespace

int RunOverrides(int argc, const char* const* argv) {
  return RunCommand("rebound overrides", "Rules that go before the models (docs/overrides.md).",
                    kCommands,
                    "  rebound overrides test '552 over quota' example.com --overrides rules.ovr\n"
                    "  rebound overrides lint rules.ovr\n",
                    argc, argv);
}

}  // namespace rebound
