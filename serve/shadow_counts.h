// What a candidate and the incumbent said of the same texts, added up. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "engine/engine.h"
#include "models/task.h"

namespace rebound {

struct ShadowCounts {
  // Of the texts for which users got one label and would have got another.
  struct Disagreement {
    uint64_t texts = 0;
    double incumbent_probability = 0;  // sums, each of its own label
    double candidate_probability = 0;
  };

  uint64_t compared = 0;
  uint64_t disagreed = 0;        // what users would get is another label
  uint64_t model_disagreed = 0;  // what the models alone say is, whatever decided after them
  double candidate_seconds = 0;  // processor time of the candidate
  // By the incumbent's and the candidate's label, positions in TaskLabels.
  std::map<std::pair<size_t, size_t>, Disagreement> by_labels;
  // Of the disagreements, what became of them as proposals for review.
  uint64_t sent = 0;
  uint64_t repeated = 0;   // a near copy was sent before
  uint64_t over_rate = 0;  // an hour had what it may have
  uint64_t refused = 0;    // nothing could take it at that moment

  uint64_t agreed() const { return compared - disagreed; }
  // Sums over all disagreements.
  double IncumbentProbability() const;
  double CandidateProbability() const;

  void Add(const TaskAnswer& incumbent, const TaskAnswer& candidate, double seconds);
};

// The shadow of one task, as people ask about it.
struct ShadowStatus {
  Task task = Task::kBnac;
  int version = 0;             // that SHADOW names; 0: the file cannot be read
  bool running = false;        // it is loaded and compared
  std::string problem;         // why it is not
  std::string hash;            // of the candidate
  int incumbent = 0;           // version; 0: none serves
  std::string incumbent_hash;  // empty likewise
  std::string since;           // when the counts began; ISO 8601, UTC
  ShadowCounts counts;
};

}  // namespace rebound
