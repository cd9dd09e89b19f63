// rebound-labels review: the review desk from a terminal.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/text.h"
#include "labelstore/command_line.h"
#include "labelstore/commands.h"
#include "labelstore/review_printer.h"
#include "labelstore/reviews.h"
#include "labelstore/suspect_file.h"

namespace rebound {
namespace {

namespace po = boost::program_options;
using Values = po::variables_map;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

std::string TextOf(const Values& values, const char* name) {
  return values.count(name) != 0 ? values[name].as<std::string>() : "";
}

bool Flag(const Values& values, const char* name) { return values[name].as<bool>(); }

std::vector<std::string> Words(const Values& values) {
  if (values.count("argument") == 0) return {};
  return values["argument"].as<std::vector<std::string>>();
}

int64_t ParseId(const std::string& word) {
  char* end = nullptr;
  const long long id = std::strtoll(word.c_str(), &end, 10);
  if (word.empty() || *end != '\0' || id < 1) Refuse("'" + word + "' is no proposal's number");
  return id;
}

std::vector<int64_t> Ids(const Values& values) {
  std::vector<int64_t> ids;
  for (const std::string& word : Words(values)) ids.push_back(ParseId(word));
  if (ids.empty()) Refuse("name a proposal by its number (see rebound-labels review list)");
  return ids;
}

std::string OnlyWord(const Values& values, const std::string& what) {
  const auto words = Words(values);
  if (words.size() != 1) Refuse("name one " + what);
  return words[0];
}

std::string Reviewer(const Values& values) {
  const std::string name = TextOf(values, "reviewer");
  if (!name.empty()) return name;
  const char* user = std::getenv("USER");
  if (user == nullptr || *user == '\0') Refuse("say who you are: --reviewer NAME");
  return user;
}

int List(const Values& values, const ReviewPrinter& printer) {
  ProposalQuery query;
  const std::string status = TextOf(values, "status");
  if (status == "untrained") {
    query.untrained = true;
  } else if (status != "all") {
    query.status = ParseProposalStatus(status);
    if (!query.status) Refuse("--status: '" + status + "' is none (see --help)");
  }
  const auto order = ParseProposalOrder(TextOf(values, "order"));
  if (!order) Refuse("--order: '" + TextOf(values, "order") + "' is none (see --help)");
  query.order = *order;
  query.contributor = TextOf(values, "contributor");
  query.source = TextOf(values, "from");
  if (Flag(values, "mine")) query.not_reviewed_by = Reviewer(values);
  query.page = values["page"].as<int64_t>();
  query.limit = values["limit"].as<int64_t>();
  printer.List(OpenProposalStore(StoreUri(values))->List(query), query);
  return Finish();
}

int Show(const Values& values, const ReviewPrinter& printer) {
  const auto store = OpenProposalStore(StoreUri(values));
  for (const int64_t id : Ids(values)) {
    const auto view = store->Find(id);
    if (!view) throw Error(ErrorCode::kNotFound, "no proposal " + std::to_string(id));
    ProposalQuery others;
    others.cluster_id = view->cluster_id;
    others.limit = 1;
    printer.Show(*view, store->List(others).total);
  }
  return Finish();
}

int Decide(const Values& values, const ReviewPrinter& printer, ReviewDecision decision) {
  ReviewRequest request;
  request.proposals = Ids(values);
  request.reviewer = Reviewer(values);
  request.decision = decision;
  request.notes = TextOf(values, "notes");
  request.whole_cluster = Flag(values, "cluster");
  request.adjudicate = Flag(values, "adjudicate");
  for (const Task task : kTasks) {
    const std::string key(TaskKey(task));
    const std::string name = TextOf(values, key.c_str());
    if (name.empty()) continue;
    request.labels[Index(task)] = FindLabel(task, name);
    if (!request.labels[Index(task)]) Refuse("--" + key + ": no label '" + name + "'");
  }
  printer.Decided(OpenReviewDesk(StoreUri(values))->Decide(request));
  return Finish();
}

int Suspects(const Values& values, const ReviewPrinter& printer) {
  const std::string file = OnlyWord(values, "file of probabilities");
  std::ifstream input(file, std::ios::binary);
  if (!input) Refuse("cannot open " + file);
  const auto suspicions = ReadSuspects(input);
  const int64_t added = OpenReviewDesk(StoreUri(values))->Suspect(suspicions);
  printer.Number("suspects", static_cast<int64_t>(suspicions.size()), "added", added,
                 "doubted labels, of which new in the queue: ");
  return Finish();
}

int Overlap(const Values& values, const ReviewPrinter& printer) {
  const auto desk = OpenReviewDesk(StoreUri(values));
  const auto words = Words(values);
  if (words.size() == 1) desk->SetOverlap(static_cast<size_t>(ParseId(words[0])), Reviewer(values));
  const auto now = static_cast<int64_t>(desk->Overlap());
  printer.Number("overlap", now, "", 0, "reviewers must agree");
  return Finish();
}

CommandLine ReviewLine() {
  CommandLine line =
      MakeLine("review", "Decides what contributors proposed.", " COMMAND [ARGUMENT...]");
  AddStore(&line);
  const auto text = [&](const char* name, const char* value, const char* help) {
    line.options.add_options()(name, po::value<std::string>()->value_name(value), help);
  };
  const auto text_or = [&](const char* name, const char* fallback, const char* help) {
    line.options.add_options()(name, po::value<std::string>()->default_value(fallback), help);
  };
  const auto flag = [&](const char* name, const char* help) {
    line.options.add_options()(name, po::bool_switch(), help);
  };
  text("command", "NAME", "what to do (may stand without --command)");
  line.options.add_options()("argument", po::value<std::vector<std::string>>(),
                             "what to do it with (may stand without --argument)");
  text("reviewer", "NAME", "who you are (default: $USER)");
  text_or("order", "newest", "newest, disagreement, uncertainty, volume, cost or suspect");
  text_or("status", "pending",
          "pending, disputed, quarantined, approved, untrained, rejected, skipped or all");
  text("contributor", "NAME", "of this contributor alone");
  text("from", "SOURCE", "contribution, suspect or shadow alone");
  flag("mine", "leave out what you decided already");
  line.options.add_options()("page", po::value<int64_t>()->default_value(1), "page of the list");
  line.options.add_options()("limit", po::value<int64_t>()->default_value(20), "rows a page");
  for (const Task task : kTasks) {
    text(std::string(TaskKey(task)).c_str(), "LABEL", "the right label, for relabel");
  }
  text("notes", "TEXT", "why, for those who come after you");
  flag("cluster", "decide the open near copies with the same labels as well");
  flag("adjudicate", "decide alone: where reviewers disagree, or what is decided already");
  AddJson(&line);
  line.positional.add("command", 1).add("argument", -1);
  line.epilogue =
      "Commands:\n"
      "  list              the queue; --order cost shows first what would hurt most\n"
      "  show ID...        the text, what is proposed, what the model said, what the labels mean\n"
      "  accept ID...      the labels are right\n"
      "  relabel ID...     others are: --label user_unknown --bnac RECIPIENT_NOT_FOUND\n"
      "  reject ID...      teaches nothing (no bounce, no sense)\n"
      "  skip ID...        you cannot tell\n"
      "  undo              take back your last decision, whatever number of proposals it was "
      "about\n"
      "  history ID        everything that happened to a text\n"
      "  overlap [N]       how many reviewers must agree\n"
      "  kappa             how far reviewers agree\n"
      "  contributors      who was right how often\n"
      "  quarantine        what the rules set aside\n"
      "  release NAME      let a contributor go on\n"
      "  suspects FILE     queue the labels that a model doubts, from rebound-train --out-of-fold\n"
      "\nAn evening of review:\n"
      "  rebound-labels review list --order volume --limit 5\n"
      "  rebound-labels review show 17\n"
      "  rebound-labels review accept 17 --cluster\n"
      "  rebound-labels review undo\n"
      "Approved labels are in the next snapshot, before all others of the same text.\n";
  return line;
}

int Dispatch(const std::string& command, const Values& values) {
  const ReviewPrinter printer(Flag(values, "json"));
  if (command == "list") return List(values, printer);
  if (command == "show") return Show(values, printer);
  if (const auto decision = ParseDecision(command)) return Decide(values, printer, *decision);
  if (command == "suspects") return Suspects(values, printer);
  if (command == "overlap") return Overlap(values, printer);
  if (command == "undo") {
    printer.Decided(OpenReviewDesk(StoreUri(values))->Undo(Reviewer(values)));
  } else if (command == "history") {
    const int64_t id = ParseId(OnlyWord(values, "proposal"));
    printer.History(OpenReviewDesk(StoreUri(values))->History(id));
  } else if (command == "kappa") {
    printer.Agreement(OpenReviewDesk(StoreUri(values))->Agreement());
  } else if (command == "contributors") {
    printer.Contributors(OpenReviewDesk(StoreUri(values))->Contributors());
  } else if (command == "quarantine") {
    printer.Hits(OpenReviewDesk(StoreUri(values))->QuarantineHits());
  } else if (command == "release") {
    const std::string name = OnlyWord(values, "contributor");
    printer.Number("released", OpenReviewDesk(StoreUri(values))->Release(name, Reviewer(values)),
                   "", 0, "proposals wait for review again");
  } else {
    Refuse("unknown command '" + command + "' (see rebound-labels review --help)");
  }
  return Finish();
}

}  // namespace

int RunReview(int argc, const char* const* argv) {
  const auto values = ParseOptions(argc, argv, ReviewLine());
  if (!values) return 0;
  const std::string command = TextOf(*values, "command");
  if (command.empty()) Refuse("name a command (see rebound-labels review --help)");
  return Dispatch(command, *values);
}

}  // namespace rebound
