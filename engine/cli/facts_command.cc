#include <unistd.h>

#include <iostream>

#include "base/error.h"
#include "base/program_options.h"
#include "engine/answer.h"
#include "engine/cli/commands.h"
#include "engine/cli/interrupt.h"
#include "engine/cli/terminal.h"
#include "engine/cli/text_source.h"
#include "engine/fact_fields.h"

namespace rebound {
namespace {

namespace po = boost::program_options;

void Row(std::string_view name, std::string_view value) {
  if (!value.empty()) std::cout << "  " << Padded(name, 16) << OneLine(value) << "\n";
}

void PrintTable(const std::string& text, const Facts& facts) {
  std::cout << OneLine(text) << "\n";
  Row("code", facts.codes.reply);
  Row("enhanced code", facts.codes.enhanced);
  if (facts.retry_after) Row("retry after", std::to_string(facts.retry_after->count()) + " s");
  for (const FoundList& found : facts.lists.view()) {
    Row("block list", std::string(found.list->name) + " (" +
                          std::string(ListedKindName(found.list->kind)) +
                          (found.host ? ", by its host)" : ")"));
  }
  Row("listed", facts.listed);
  Row("delisting", facts.delist);
  Row("receiver", facts.provider.receiver);
  Row("filter", facts.provider.filter);
  Row("provider code", facts.provider.code);
  Row("help", facts.provider.help);
}

}  // namespace

int RunFacts(int argc, const char* const* argv) {
  CommandLine line;
  line.summary =
      "What stands in a text beside its class: codes, waiting time, block lists, who says "
      "it. Needs no models.";
  line.usage = "rebound facts [TEXT...] [--json]";
  auto add = line.options.add_options();
  add("text", po::value<std::vector<std::string>>()->composing()->value_name("TEXT"),
      "what a server answered (may stand without --text); none: a text a line of standard input");
  add("json", po::bool_switch(), "JSON Lines: an object a text, with the keys of /v3/classify");
  line.positional.add("text", -1);
  line.epilogue =
      "  rebound facts '554 5.7.1 blocked using zen.spamhaus.org, try again in 5 minutes'\n"
      "  rebound facts --json < bounces.txt\n"
      "Exit codes: 0 done, 1 some input could not be read, 2 wrong usage.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  NoteInterrupts();
  const bool has_texts = values->count("text") != 0;
  if (!has_texts && isatty(STDIN_FILENO) == 1) {
    throw Error(ErrorCode::kInvalidArgument, "give a text (see rebound facts --help)");
  }
  const std::unique_ptr<TextSource> source =
      has_texts ? MakeWordsSource((*values)["text"].as<std::vector<std::string>>())
                : MakeLinesSource("-");
  int code = 0;
  for (SourceItem item; source->Next(&item);) {
    if (item.skipped) continue;
    const std::string text = item.fault.empty() ? ReadableText(item.text) : std::string();
    if (text.empty()) {
      if (item.fault.empty()) item.fault = "the text is empty or blank";
      std::cerr << OneLine(FaultOf(item)) << "\n";
      code = 1;
      continue;
    }
    const Facts facts = FindFacts(text);
    if ((*values)["json"].as<bool>()) {
      PrintJson([&](JsonWriter& w) {
        w.Key("message").String(text);
        WriteFacts(facts, &w);
      });
    } else {
      PrintTable(text, facts);
    }
    if (!std::cout) break;
    if (source->WouldWait()) std::cout << std::flush;
  }
  return Finish(IsInterrupted() ? 130 : code);
}

}  // namespace rebound
