#include "tests/functional/train/small_store.h"

namespace rebound::test {
namespace {

struct SmallClass {
  std::string labels[kTaskCount];
  std::vector<std::string> words;
};

const std::vector<SmallClass>& SmallClasses() {
  static const std::vector<SmallClass> classes = {
      {{"RECIPIENT_NOT_FOUND", "RECIPIENT_ERROR", "user_unknown"},
       {"user", "unknown", "mailbox", "address"}},
      {{"BLOCK_LIST", "INFRASTRUCTURE_BLOCK", "ip_blacklisted"},
       {"spamhaus", "listed", "blocklist", "zen"}},
      {{"GRAYLISTING", "GRAYLISTING", "greylisting"},
       {"greylisting", "greylisted", "later", "retry"}},
      {{"SPF", "POLICY_VIOLATION_SPF_DMARC__SPF_OR_DMARC_FAIL", "auth_failure"},
       {"spf", "permitted", "sender", "softfail"}},
  };
  return classes;
}

}  // namespace

void FillSmallStore(LabelStore* store, bool all_tasks) {
  const std::vector<std::string> fillers = {"please", "see",  "your", "host",    "mail", "the",
                                            "said",   "this", "for",  "message", "error"};
  std::vector<Submission> rows;
  for (const SmallClass& one : SmallClasses()) {
    for (size_t group = 0; group < 24; ++group) {
      for (size_t copy = 0; copy < 4; ++copy) {
        // Neutral words, other ones in every group and copy, around two that tell the class.
        const auto filler = [&](size_t i) { return fillers[(group * 5 + copy * 3 + i) % 11]; };
        Submission row;
        row.text = "550 " + filler(0) + " " + one.words[group % 4] + " " + filler(group % 7 + 1) +
                   " " + one.words[(group + 1 + group / 4) % 4] + " " + filler(copy + 2);
        for (const Task task : kTasks) {
          if (!all_tasks && task != Task::kBnac) continue;
          row.labels[Index(task)] = FindLabel(task, one.labels[Index(task)]);
        }
        row.contributor = "test";
        row.group = one.labels[0] + std::to_string(group);
        rows.push_back(std::move(row));
      }
    }
  }
  store->Submit(rows);
}

}  // namespace rebound::test
