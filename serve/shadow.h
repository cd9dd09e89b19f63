// A candidate beside the incumbent on live traffic: it is asked what users ask, its answers are
// compared with those that users got, and nobody gets them.
//
// <task>/SHADOW of the models folder names the candidate (models/bundle_store.h), so it outlives a
// restart. It is loaded and proven as what serves is; a broken one is told and tried again. The
// request path never waits and never changes: a share of the texts, asked or from the cache, goes
// into a small queue, and is dropped where that is full. One thread, which runs when nothing else
// wants the processor, asks the candidate. What users would get is compared: after overrides, rules
// and status codes. Counts belong to one candidate beside one incumbent and begin anew where either
// is another. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/answer.h"
#include "engine/engine.h"
#include "engine/ruling.h"
#include "models/bundle_store.h"
#include "serve/drop_queue.h"
#include "serve/reload.h"
#include "serve/shadow_counts.h"
#include "serve/shadow_review.h"

namespace rebound {

struct ShadowOptions {
  double sample = 0.1;            // the share of the texts that is compared, 0 to 1
  int64_t reviews_per_hour = 60;  // disagreements that go to review; 0: none
};

class Shadow {
 public:
  // The pointers must outlive the object. `sink` null: nothing goes to review.
  Shadow(const ShadowOptions& options, BundleStore store, std::vector<Task> tasks,
         const Engine* engine, ReviewSink sink);
  ~Shadow();
  Shadow(const Shadow&) = delete;
  Shadow& operator=(const Shadow&) = delete;

  // Starts the thread that compares.
  void Start();
  // What waits in the queue is left. The sink is not called any more.
  void Stop();

  // Brings the candidates to what SHADOW and the engine say now. Called by the reloader after each
  // look. `forced`: a broken one is tried again now. Never throws for what is on disk.
  void Look(bool forced);

  // Whether any task has a candidate: all that a request pays where none has.
  bool IsWanted() const { return wanted_.load(std::memory_order_relaxed) != 0; }
  // Never wait, never throw; apart from the routes' own code, which mostly does without.
  [[gnu::cold]] void Offer(const ModelSet& models, std::string_view text, const Ruling& ruling,
                           Task task, const TaskAnswer& answer) noexcept;
  [[gnu::cold]] void Offer(const ModelSet& models, const Answer& answer) noexcept;

  double sample() const { return options_.sample; }
  // Of the tasks that have a shadow, also one that is broken.
  std::vector<ShadowStatus> Statuses() const;
  // Texts that found the queue full.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Waits until what was offered before is compared, or Stop. REQUIRES: Start.
  void Settle();

 private:
  struct Item {
    struct Of {
      TaskAnswer answer;
      int version;
    };
    std::string text;
    Ruling ruling;
    std::array<std::optional<Of>, kTaskCount> tasks;
  };
  struct Candidate {
    std::shared_ptr<const Classifier> model;  // null: none
    uint64_t counting = 0;                    // another number for each beginning of the counts
  };
  struct Entry {
    Task task = Task::kBnac;
    ReloadState state;  // of the candidate; Look's alone
    // Those below are guarded by mutex_.
    ShadowStatus status;
    bool is_named = false;
    Candidate candidate;
    // Those below are the thread's alone.
    SentTemplates sent;
    uint64_t sent_while = 0;  // the counting that they belong to
  };

  // What a request got, by Index(task); null: it did not ask.
  using Got = std::array<const TaskAnswer*, kTaskCount>;
  void Enqueue(const ModelSet& models, std::string_view text, const Ruling& ruling,
               const Got& got) noexcept;
  void LookAt(Entry* entry, bool forced);
  void Load(Entry* entry, int version);
  void TellBroken(Entry* entry, int version, const std::string& why);
  void End(Entry* entry);
  void CountAnew(Entry* entry, std::shared_ptr<const Classifier> model);
  static void TellCounts(const Entry& entry);
  void Run();
  void Compare(Item* item);
  void CompareTask(Entry* entry, const Item& item, const Item::Of& got);
  void Review(Entry* entry, const Candidate& candidate, const Item& item, const Item::Of& got,
              const TaskAnswer& said);

  const ShadowOptions options_;
  const BundleStore store_;
  const Engine* const engine_;
  const ReviewSink sink_;
  std::atomic<uint32_t> wanted_{0};  // a bit a task
  std::atomic<uint64_t> dropped_{0};
  DropQueue<Item> queue_;

  std::mutex look_mutex_;     // one look at a time; held before mutex_
  mutable std::mutex mutex_;  // never taken by a request
  std::condition_variable changed_;
  bool stopping_ = false;
  uint64_t settles_ = 0, settled_ = 0;  // how often Settle asked, and how often it is done
  uint64_t last_counting_ = 0;
  std::vector<Entry> entries_;  // of tasks that never change
  // The thread's alone.
  Engine::Scratch scratch_;
  HourlyRate rate_;
  std::thread thread_;
};

// What routes call: nothing where there is no shadow.
inline void OfferToShadow(Shadow* shadow, const ModelSet& models, std::string_view text,
                          const Ruling& ruling, Task task, const TaskAnswer& answer) {
  if (shadow != nullptr && shadow->IsWanted()) shadow->Offer(models, text, ruling, task, answer);
}
inline void OfferToShadow(Shadow* shadow, const ModelSet& models, const Answer& answer) {
  if (shadow != nullptr && shadow->IsWanted()) shadow->Offer(models, answer);
}

}  // namespace rebound
