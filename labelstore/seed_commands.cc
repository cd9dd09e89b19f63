#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/progress_line.h"
#include "base/text.h"
#include "labelstore/command_line.h"
#include "labelstore/commands.h"
#include "labelstore/generator.h"
#include "labelstore/server_words.h"

namespace rebound {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

constexpr size_t kSeedBlock = 5000;

struct Corpus {
  std::vector<Template> templates;
  SlotLists lists;
};

void AddTemplates(CommandLine* line) {
  line->options.add_options()("templates", po::value<std::string>()->value_name("DIR"),
                              "folder of the *.tsv templates (default: the project's own)");
}

Corpus LoadCorpus(const po::variables_map& values) {
  if (values.count("templates") == 0) {
    const fs::path seed = FindSeedFolder();
    return {LoadSeedCorpus(seed / "templates"), LoadSlotLists(seed / "slots")};
  }
  const fs::path folder = values["templates"].as<std::string>();
  const fs::path beside = folder / ".." / "slots";
  return {LoadSeedCorpus(folder),
          LoadSlotLists(fs::is_directory(beside) ? beside : FindSeedFolder() / "slots")};
}

Submission MakeSeed(const GeneratedText& generated) {
  Submission submission;
  submission.text = generated.text;
  submission.origin = LabelOrigin::kSeed;
  submission.contributor = "seed";
  submission.group = generated.origin->group;
  for (size_t task = 0; task < kTaskCount; ++task) {
    submission.labels[task] = generated.origin->labels[task];
  }
  return submission;
}

void PrintSeed(const GeneratedText& generated) {
  std::string out;
  JsonWriter(&out).Object([&](JsonWriter& w) {
    w.Key("text").String(RepairUtf8(generated.text));
    for (const Task task : kTasks) {
      w.Key(TaskKey(task)).String(TaskLabels(task)[generated.origin->labels[Index(task)]]);
    }
    w.Key("group").String(generated.origin->group);
    w.Key("server").String(generated.origin->server);
    w.Key("language").String(generated.origin->language);
  });
  std::cout << out << "\n";
}

struct NearCopy {
  const Template* a;
  const Template* b;
  double similarity;
};

std::vector<NearCopy> FindNearCopies(const std::vector<Template>& templates) {
  constexpr double kNear = 0.8;
  std::vector<std::set<std::string>> words;
  for (const Template& each : templates) words.push_back(WordsOf(each.pieces));
  std::vector<NearCopy> found;
  FindAlike(words, kNear, [&](size_t i, size_t j, double similarity) {
    found.push_back({&templates[j], &templates[i], similarity});
  });
  return found;
}

void WriteCounts(std::string_view key, const Counts& counts, JsonWriter& w) {
  w.Key(key).Object([&](JsonWriter& inner) {
    for (const auto& [name, count] : counts) inner.Key(name).Int(count);
  });
}

std::string PlaceOf(const Template& each) { return each.file + ":" + std::to_string(each.line); }

// Of every template in turn, so that few texts show many templates.
void PrintSeeds(const Corpus& corpus, const Generator& generator, int64_t wanted) {
  if (wanted < 1) throw Error(ErrorCode::kInvalidArgument, "--print must be at least 1");
  const auto count = static_cast<int64_t>(corpus.templates.size());
  for (int64_t i = 0; i < wanted; ++i) {
    const Template& origin = corpus.templates[static_cast<size_t>((i * count / wanted) % count)];
    const auto copy = static_cast<uint64_t>(wanted > count ? i % (wanted / count + 1) : 1);
    PrintSeed({&origin, generator.MakeCopy(origin, copy)});
  }
}

// Stores about `expand` texts; *texts says how many.
ImportResult StoreSeeds(const Generator& generator, int64_t expand, LabelStore* store,
                        int64_t* texts) {
  ProgressLine progress("seeding", expand);
  ImportResult total;
  std::vector<Submission> block;
  const auto flush = [&] {
    const ImportResult result = store->Submit(block);
    total.inserted += result.inserted;
    total.duplicates += result.duplicates;
    total.relabelled += result.relabelled;
    total.voted += result.voted;
    block.clear();
    progress.Update(*texts);
  };
  *texts = 0;
  generator.Expand(static_cast<size_t>(expand), [&](GeneratedText generated) {
    block.push_back(MakeSeed(generated));
    ++*texts;
    if (block.size() >= kSeedBlock) flush();
  });
  if (!block.empty()) flush();
  return total;
}

struct CorpusCounts {
  int64_t templates = 0;
  std::array<Counts, kTaskCount> labels;
  Counts servers, languages;
  std::set<std::string> groups, held_out;
  std::vector<NearCopy> near_copies;
};

CorpusCounts CountCorpus(const std::vector<Template>& templates) {
  CorpusCounts counts;
  for (const Task task : kTasks) {
    // A label without a template is what the reader looks for.
    for (const std::string_view name : TaskLabels(task)) {
      counts.labels[Index(task)][std::string(name)] = 0;
    }
  }
  for (const Template& each : templates) {
    ++counts.templates;
    for (const Task task : kTasks) {
      ++counts.labels[Index(task)][std::string(TaskLabels(task)[each.labels[Index(task)]])];
    }
    ++counts.servers[each.server];
    ++counts.languages[each.language];
    counts.groups.insert(each.group);
    if (IsHeldOut(each.group)) counts.held_out.insert(each.group);
  }
  counts.near_copies = FindNearCopies(templates);
  return counts;
}

void PrintCorpusJson(const CorpusCounts& counts) {
  PrintJson([&](JsonWriter& w) {
    w.Key("templates").Int(counts.templates);
    w.Key("groups").Uint(counts.groups.size());
    w.Key("held_out_groups").Uint(counts.held_out.size());
    for (const Task task : kTasks) WriteCounts(TaskKey(task), counts.labels[Index(task)], w);
    WriteCounts("servers", counts.servers, w);
    WriteCounts("languages", counts.languages, w);
    w.Key("near_copies").Array([&](JsonWriter& list) {
      for (const NearCopy& copy : counts.near_copies) {
        list.Object([&](JsonWriter& one) {
          one.Key("a").String(PlaceOf(*copy.a));
          one.Key("b").String(PlaceOf(*copy.b));
          one.Key("similarity").Double(copy.similarity);
          one.Key("same_labels").Bool(copy.a->labels == copy.b->labels);
        });
      }
    });
  });
}

void PrintCorpus(const CorpusCounts& counts) {
  std::cout << counts.templates << " templates in " << counts.groups.size() << " groups, "
            << counts.held_out.size() << " of them held out\n";
  for (const Task task : kTasks) {
    PrintCounts("by " + std::string(TaskKey(task)), counts.labels[Index(task)]);
  }
  PrintCounts("by server", counts.servers);
  PrintCounts("by language", counts.languages);
  std::cout << "\nnear copies: " << counts.near_copies.size() << "\n";
  for (const NearCopy& copy : counts.near_copies) {
    std::cout << "  " << PlaceOf(*copy.a) << " and " << PlaceOf(*copy.b)
              << (copy.a->labels == copy.b->labels ? "" : "  (other labels)") << "\n";
  }
}

}  // namespace

int RunSeed(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("seed", "Expands the seed corpus into labelled texts and stores them.");
  AddStore(&line);
  line.options.add_options()("expand", po::value<int64_t>()->default_value(20000)->value_name("N"),
                             "about how many texts; at least one of every template");
  line.options.add_options()("seed", po::value<uint64_t>()->default_value(1)->value_name("S"),
                             "the same S gives the same texts on every machine");
  AddTemplates(&line);
  line.options.add_options()("print", po::value<int64_t>()->value_name("N"),
                             "print N texts as JSON Lines instead of storing any");
  AddJson(&line);
  line.epilogue =
      "Seeding again adds what is new and changes nothing else.\n"
      "  rebound-labels seed --expand 100000\n"
      "  rebound-labels seed --print 20 --seed 7\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const auto expand = (*values)["expand"].as<int64_t>();
  if (expand < 1) throw Error(ErrorCode::kInvalidArgument, "--expand must be at least 1");
  const Corpus corpus = LoadCorpus(*values);
  const Generator generator(corpus.templates, corpus.lists, (*values)["seed"].as<uint64_t>());
  if (values->count("print") != 0) {
    PrintSeeds(corpus, generator, (*values)["print"].as<int64_t>());
    return Finish();
  }
  const auto store = OpenLabelStore(StoreUri(*values));
  int64_t texts = 0;
  const ImportResult total = StoreSeeds(generator, expand, store.get(), &texts);
  if ((*values)["json"].as<bool>()) {
    PrintJson([&](JsonWriter& w) {
      w.Key("templates").Uint(corpus.templates.size());
      w.Key("texts").Int(texts);
      WriteResult(total, w);
    });
  } else {
    std::cout << texts << " texts of " << corpus.templates.size()
              << " templates: " << Describe(total) << "\n";
  }
  return Finish();
}

int RunCorpus(int argc, const char* const* argv) {
  CommandLine line =
      MakeLine("corpus", "Counts the templates of the seed corpus and finds near copies.");
  AddTemplates(&line);
  line.options.add_options()("words", po::bool_switch(),
                             "print the words of servers instead (labelstore/server_words.txt)");
  AddJson(&line);
  line.epilogue =
      "Near copies share more than 80 % of their words. Those with other labels need a reason.\n";
  const auto values = ParseOptions(argc, argv, line);
  if (!values) return 0;
  const Corpus corpus = LoadCorpus(*values);
  if ((*values)["words"].as<bool>()) {
    std::cout << WriteServerWords(corpus.templates);
    return Finish();
  }
  const CorpusCounts counts = CountCorpus(corpus.templates);
  if ((*values)["json"].as<bool>()) {
    PrintCorpusJson(counts);
  } else {
    PrintCorpus(counts);
  }
  return Finish();
}

}  // namespace rebound
