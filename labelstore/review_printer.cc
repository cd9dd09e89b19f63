#include "labelstore/review_printer.h"

#include <cstdio>
#include <iostream>

#include "base/json.h"
#include "labelstore/command_line.h"

namespace rebound {
namespace {

std::string_view Name(Task task, size_t label) { return TaskLabels(task)[label]; }

void WriteLabels(const char* key, const LabelChoice& labels, JsonWriter& w) {
  w.Key(key).Object([&](JsonWriter& object) {
    for (const Task task : kTasks) {
      if (labels[Index(task)]) object.Key(TaskKey(task)).String(Name(task, *labels[Index(task)]));
    }
  });
}

void WriteView(const ProposalView& view, JsonWriter& w) {
  w.Key("id").Int(view.id);
  w.Key("text").String(view.text);
  w.Key("contributor").String(view.contributor);
  w.Key("source").String(view.source);
  w.Key("status").String(StatusName(view.status));
  if (!view.reason.empty()) w.Key("reason").String(view.reason);
  if (!view.comment.empty()) w.Key("comment").String(view.comment);
  WriteLabels("proposed", view.labels, w);
  if (view.decided != LabelChoice()) WriteLabels("decided", view.decided, w);
  w.Key("model").Object([&](JsonWriter& model) {
    for (const Task task : kTasks) {
      const auto& answer = view.model[Index(task)];
      if (!answer) continue;
      model.Key(TaskKey(task)).Object([&](JsonWriter& each) {
        each.Key("label").String(Name(task, answer->label));
        each.Key("probability").Float(answer->probability);
        each.Key("version").Int(answer->version);
      });
    }
  });
  w.Key("disagreement").Float(static_cast<float>(view.scores.disagreement));
  w.Key("uncertainty").Float(static_cast<float>(view.scores.uncertainty));
  w.Key("cost").Float(static_cast<float>(view.scores.cost));
  w.Key("suspicion").Float(static_cast<float>(view.suspicion));
  w.Key("cluster").Int(view.cluster_id);
  w.Key("cluster_volume").Int(view.cluster_volume);
  w.Key("trained").Bool(view.trained);
  w.Key("created_at").String(view.created_at);
  w.Key("changed_at").String(view.changed_at);
  if (!view.decided_at.empty()) w.Key("decided_at").String(view.decided_at);
}

std::string LabelsOf(const LabelChoice& labels) {
  std::string text;
  for (const Task task : kTasks) {
    if (!labels[Index(task)]) continue;
    text += (text.empty() ? "" : ", ") + std::string(Name(task, *labels[Index(task)]));
  }
  return text.empty() ? "-" : text;
}

// One line: breaks shown as they are escaped in files.
std::string OneLine(std::string_view text, size_t limit) {
  std::string line;
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else if (c != '\r') {
      line += c;
    }
  }
  if (line.size() <= limit) return line;
  while (limit > 0 && (line[limit] & 0xc0) == 0x80) --limit;
  return line.substr(0, limit) + "...";
}

std::string Fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

// "candidate 7 says SPF (0.93), incumbent 6 says DKIM (0.81)"; empty where no shadow proposed it.
std::string ShadowWords(const ProposalView& view) {
  const auto version = ShadowVersion(view.contributor);
  if (view.source != SourceName(ProposalSource::kShadow) || !version) return "";
  std::string words;
  for (const Task task : kTasks) {
    const auto& label = view.labels[Index(task)];
    const auto& answer = view.model[Index(task)];
    if (!label || !answer) continue;
    words += (words.empty() ? "" : "; ");
    words += "candidate " + std::to_string(*version) + " says " + std::string(Name(task, *label)) +
             " (" + Fixed(view.suspicion, 2) + "), incumbent " + std::to_string(answer->version) +
             " says " + std::string(Name(task, answer->label)) + " (" +
             Fixed(static_cast<double>(answer->probability), 2) + ")";
  }
  return words;
}

std::string KappaOf(const std::optional<double>& kappa) {
  return kappa ? Fixed(*kappa, 3) : "not defined";
}

void PrintDefinitions(const ProposalView& view) {
  std::cout << "what the labels mean\n";
  for (const Task task : kTasks) {
    const auto tell = [&](size_t label) {
      std::cout << "  " << Name(task, label) << ": " << LabelDescription(task, label) << "\n";
    };
    const auto& label = view.labels[Index(task)];
    const auto& answer = view.model[Index(task)];
    if (label) tell(*label);
    if (answer && answer->label != label) tell(answer->label);
  }
}

}  // namespace

void ReviewPrinter::List(const ProposalPage& page, const ProposalQuery& query) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key("proposals").Array([&](JsonWriter& array) {
        for (const ProposalView& view : page.proposals) {
          array.Object([&](JsonWriter& each) { WriteView(view, each); });
        }
      });
      w.Key("total").Int(page.total);
      w.Key("page").Int(query.page);
      w.Key("limit").Int(query.limit);
    });
    return;
  }
  for (const ProposalView& view : page.proposals) {
    LabelChoice model;
    for (size_t task = 0; task < kTaskCount; ++task) {
      if (view.model[task]) model[task] = view.model[task]->label;
    }
    std::cout << view.id << "  " << StatusName(view.status) << "  x" << view.cluster_volume
              << "  cost " << Fixed(view.scores.cost, 0) << "  ";
    const std::string shadow = ShadowWords(view);
    if (shadow.empty()) {
      std::cout << LabelsOf(view.labels) << "  (model: " << LabelsOf(model) << ")  ";
    } else {
      std::cout << shadow << "  ";
    }
    std::cout << view.contributor << "\n    " << OneLine(view.text, 160) << "\n";
  }
  std::cout << page.proposals.size() << " of " << page.total << "\n";
}

void ReviewPrinter::Show(const ProposalView& view, int64_t in_cluster) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      WriteView(view, w);
      w.Key("cluster_proposals").Int(in_cluster);
      w.Key("definitions").Object([&](JsonWriter& tasks) {
        for (const Task task : kTasks) {
          if (!view.labels[Index(task)]) continue;
          tasks.Key(TaskKey(task)).String(LabelDescription(task, *view.labels[Index(task)]));
        }
      });
    });
    return;
  }
  std::cout << "proposal " << view.id << ", " << StatusName(view.status)
            << (view.reason.empty() ? "" : " (" + view.reason + ")") << ", by " << view.contributor
            << " at " << view.created_at << "\n\n"
            << view.text << "\n\n";
  const std::string shadow = ShadowWords(view);
  if (!shadow.empty()) std::cout << shadow << "\n";
  for (const Task task : kTasks) {
    const auto& label = view.labels[Index(task)];
    const auto& answer = view.model[Index(task)];
    if (!label && !answer) continue;
    std::cout << TaskKey(task) << ": " << (label ? Name(task, *label) : "nothing") << " proposed";
    if (answer) {
      std::cout << "; the model (version " << answer->version << ") says "
                << Name(task, answer->label) << " with " << Fixed(answer->probability, 3);
    }
    if (view.decided[Index(task)]) {
      std::cout << "; decided: " << Name(task, *view.decided[Index(task)]);
    }
    std::cout << "\n";
  }
  if (!view.comment.empty()) std::cout << "comment: " << view.comment << "\n";
  std::cout << "cost of a mistake " << Fixed(view.scores.cost, 0) << ", disagreement "
            << Fixed(view.scores.disagreement, 2) << ", uncertainty "
            << Fixed(view.scores.uncertainty, 2) << "\n";
  std::cout << "cluster " << view.cluster_id << ": " << in_cluster << " proposals, proposed "
            << view.cluster_volume << " times\n";
  PrintDefinitions(view);
}

void ReviewPrinter::Decided(const ReviewResult& result) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key("batch").Int(result.batch);
      w.Key("changed").Int(result.changed);
      w.Key("proposals").Array([&](JsonWriter& array) {
        for (const ProposalView& view : result.proposals) {
          array.Object([&](JsonWriter& each) { WriteView(view, each); });
        }
      });
    });
    return;
  }
  if (result.proposals.empty()) std::cout << "there is no decision of yours to take back\n";
  std::map<std::string_view, int64_t> counts;
  for (const ProposalView& view : result.proposals) {
    ++counts[StatusName(view.status)];
    if (result.proposals.size() > 10) continue;
    std::cout << view.id << "  " << StatusName(view.status) << "  "
              << LabelsOf(view.decided == LabelChoice() ? view.labels : view.decided) << "  "
              << OneLine(view.text, 100) << "\n";
  }
  if (result.proposals.size() <= 10) return;
  for (const auto& [status, count] : counts) std::cout << count << " " << status << "\n";
}

void ReviewPrinter::History(const std::vector<HistoryEntry>& history) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key("history").Array([&](JsonWriter& array) {
        for (const HistoryEntry& entry : history) {
          array.Object([&](JsonWriter& each) {
            each.Key("at").String(entry.at);
            each.Key("actor").String(entry.actor);
            each.Key("entity").String(entry.entity);
            each.Key("action").String(entry.action);
            if (!entry.before.empty()) each.Key("before").Raw(entry.before);
            if (!entry.after.empty()) each.Key("after").Raw(entry.after);
          });
        }
      });
    });
    return;
  }
  for (const HistoryEntry& entry : history) {
    std::cout << entry.at << "  " << entry.actor << "  " << entry.action << " " << entry.entity
              << "\n";
    if (!entry.before.empty()) std::cout << "    before " << entry.before << "\n";
    if (!entry.after.empty()) std::cout << "    after  " << entry.after << "\n";
  }
}

void ReviewPrinter::Agreement(const std::vector<TaskAgreement>& agreement) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      for (const TaskAgreement& each : agreement) {
        w.Key(TaskKey(each.task)).Object([&](JsonWriter& task) {
          const auto kappa = [&](const char* key, const std::optional<double>& value) {
            task.Key(key);
            value ? task.Double(*value) : task.Null();
          };
          task.Key("proposals").Int(each.proposals);
          task.Key("reviewers").Int(each.reviewers);
          kappa("cohen", each.cohen);
          kappa("fleiss", each.fleiss);
        });
      }
    });
    return;
  }
  for (const TaskAgreement& each : agreement) {
    std::cout << TaskKey(each.task) << ": " << each.proposals << " proposals decided by several of "
              << each.reviewers << " reviewers; Cohen's kappa " << KappaOf(each.cohen)
              << ", Fleiss' kappa " << KappaOf(each.fleiss) << "\n";
  }
  std::cout << "1 is perfect agreement, 0 what chance would give.\n";
}

void ReviewPrinter::Contributors(const std::vector<ContributorRecord>& records) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key("contributors").Array([&](JsonWriter& array) {
        for (const ContributorRecord& record : records) {
          array.Object([&](JsonWriter& each) {
            each.Key("name").String(record.name);
            each.Key("weight").Double(record.weight);
            each.Key("agreed").Int(record.agreed);
            each.Key("disagreed").Int(record.disagreed);
            if (!record.held_reason.empty()) each.Key("held").String(record.held_reason);
            each.Key("proposals").Object([&](JsonWriter& counts) {
              for (const auto& [status, count] : record.proposals) counts.Key(status).Int(count);
            });
          });
        }
      });
    });
    return;
  }
  for (const ContributorRecord& record : records) {
    std::cout << record.name << "  weight " << Fixed(record.weight, 2) << "  right "
              << record.agreed << "  wrong " << record.disagreed;
    for (const auto& [status, count] : record.proposals)
      std::cout << "  " << status << " " << count;
    if (!record.held_reason.empty()) std::cout << "  held: " << record.held_reason;
    std::cout << "\n";
  }
}

void ReviewPrinter::Hits(const std::vector<QuarantineHit>& hits) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key("hits").Array([&](JsonWriter& array) {
        for (const QuarantineHit& hit : hits) {
          array.Object([&](JsonWriter& each) {
            each.Key("contributor").String(hit.contributor);
            each.Key("rule").String(hit.rule);
            each.Key("detail").String(hit.detail);
            each.Key("proposals").Int(hit.proposals);
            each.Key("hit_at").String(hit.hit_at);
            if (hit.released_at.empty()) return;
            each.Key("released_at").String(hit.released_at);
            each.Key("released_by").String(hit.released_by);
          });
        }
      });
    });
    return;
  }
  for (const QuarantineHit& hit : hits) {
    std::cout << hit.hit_at << "  " << hit.contributor << "  " << hit.rule << ": " << hit.detail
              << "; " << hit.proposals << " proposals";
    if (!hit.released_at.empty()) {
      std::cout << "; released by " << hit.released_by << " at " << hit.released_at;
    }
    std::cout << "\n";
  }
  if (hits.empty()) std::cout << "no rule has set anything aside\n";
}

void ReviewPrinter::Number(const char* first, int64_t value, const char* second, int64_t other,
                           const std::string& words) const {
  if (json_) {
    PrintJson([&](JsonWriter& w) {
      w.Key(first).Int(value);
      if (*second != '\0') w.Key(second).Int(other);
    });
    return;
  }
  std::cout << value << " " << words;
  if (*second != '\0') std::cout << other;
  std::cout << "\n";
}

}  // namespace rebound
