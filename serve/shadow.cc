#include "serve/shadow.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmath>
#include <ctime>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "base/utc_time.h"
#include "engine/load.h"

namespace rebound {
namespace {

// Texts of up to 10 kB: ten megabytes at the very worst.
constexpr size_t kMostWaiting = 1024;
// To wake a thread costs a request more than what it offers; so the thread comes by itself.
constexpr std::chrono::milliseconds kComeEvery{10};

uint32_t BitOf(Task task) { return uint32_t{1} << Index(task); }

// Whether this one is of the sample. Each thread draws its own numbers (xorshift64*).
bool IsOfSample(double share) {
  thread_local uint64_t state = 0;
  if (state == 0) {
    static std::atomic<uint64_t> threads{0};
    state = 0x9e3779b97f4a7c15 * (1 + threads.fetch_add(1, std::memory_order_relaxed));
  }
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return static_cast<double>((state * 0x2545f4914f6cdd1d) >> 11) < std::ldexp(share, 53);
}

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Whatever else the machine has to do goes first.
void RunWhenIdle() {
  const sched_param none{};
  if (pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) == 0) return;
  constexpr int kNicest = 19;
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNicest) == 0) return;
  Log(LogLevel::kWarning,
      "a shadow would be asked at the priority of requests: let the system call "
      "sched_setscheduler pass, or lower --shadow-sample");
}

}  // namespace

Shadow::Shadow(const ShadowOptions& options, BundleStore store, std::vector<Task> tasks,
               const Engine* engine, ReviewSink sink)
    : options_(options),
      store_(std::move(store)),
      engine_(engine),
      sink_(options.reviews_per_hour > 0 ? std::move(sink) : nullptr),
      queue_(kMostWaiting),
      entries_(tasks.size()),
      rate_(options.reviews_per_hour) {
  for (size_t i = 0; i < tasks.size(); ++i) entries_[i].task = tasks[i];
}

Shadow::~Shadow() { Stop(); }

void Shadow::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Shadow::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// --- the request path ----------------------------------------------------------------------------

void Shadow::Offer(const ModelSet& models, std::string_view text, const Ruling& ruling, Task task,
                   const TaskAnswer& answer) noexcept {
  Got got{};
  got[Index(task)] = &answer;
  Enqueue(models, text, ruling, got);
}

void Shadow::Offer(const ModelSet& models, const Answer& answer) noexcept {
  Got got{};
  for (const Task task : kTasks) {
    if (const auto& of = answer.tasks[Index(task)]) got[Index(task)] = &of->answer;
  }
  Enqueue(models, answer.question.text, answer.ruling, got);
}

void Shadow::Enqueue(const ModelSet& models, std::string_view text, const Ruling& ruling,
                     const Got& got) noexcept {
  const uint32_t wanted = wanted_.load(std::memory_order_relaxed);
  bool any = false;
  for (const Task task : kTasks) {
    any = any || (got[Index(task)] != nullptr && (wanted & BitOf(task)) != 0);
  }
  if (!any || !IsOfSample(options_.sample)) return;
  const bool taken = queue_.Push([&](Item* item) {
    item->tasks = {};
    try {
      item->text.assign(text);
      item->ruling = ruling;
    } catch (const std::exception&) {
      return;  // memory is short: nothing is compared
    }
    for (const Task task : kTasks) {
      const TaskAnswer* const answer = got[Index(task)];
      if (answer == nullptr) continue;
      item->tasks[Index(task)] = {*answer, models.Get(task)->config().version};
    }
  });
  if (!taken) dropped_.fetch_add(1, std::memory_order_relaxed);
}

// --- the thread ----------------------------------------------------------------------------------

void Shadow::Run() {
  RunWhenIdle();
  const auto compare = [this](Item* item) { Compare(item); };
  for (;;) {
    uint64_t settles = 0;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      settles = settles_;
    }
    // Not for ever: a stop is looked for in between.
    size_t compared = 0;
    while (compared < kMostWaiting && queue_.Pop(compare)) ++compared;
    if (compared == kMostWaiting) continue;
    std::unique_lock lock(mutex_);
    settled_ = settles;
    changed_.notify_all();
    const auto awake = [this] { return stopping_ || settles_ != settled_; };
    if (IsWanted()) {
      changed_.wait_for(lock, kComeEvery, awake);
    } else {
      changed_.wait(lock, [&] { return awake() || IsWanted(); });
    }
  }
}

void Shadow::Settle() {
  std::unique_lock lock(mutex_);
  const uint64_t own = ++settles_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return stopping_ || settled_ >= own; });
}

void Shadow::Compare(Item* item) {
  bool is_prepared = false;
  try {
    for (Entry& entry : entries_) {
      const auto& got = item->tasks[Index(entry.task)];
      if (!got) continue;
      if (!is_prepared) Engine::Prepare(item->text, &scratch_);
      is_prepared = true;
      CompareTask(&entry, *item, *got);
    }
  } catch (const std::exception& e) {
    Log(LogLevel::kWarning, "a shadow could not be asked", {{"cause", e.what()}});
  }
  item->ruling = {};  // rules that were replaced go now
}

void Shadow::CompareTask(Entry* entry, const Item& item, const Item::Of& got) {
  Candidate candidate;
  {
    const std::lock_guard lock(mutex_);
    // What another incumbent said belongs to counts that ended.
    if (got.version != entry->status.incumbent) return;
    candidate = entry->candidate;
  }
  if (candidate.model == nullptr) return;
  const Task task = entry->task;
  ModelSet models;
  models.by_task[Index(task)] = candidate.model;
  const double begin = ThreadSeconds();
  const Prediction prediction = Engine::Predict(models, task, &scratch_);
  const TaskAnswer said =
      Engine::Decide(models, task, prediction, item.text, &scratch_, &item.ruling);
  const double taken = ThreadSeconds() - begin;
  {
    const std::lock_guard lock(mutex_);
    if (entry->candidate.counting != candidate.counting) return;
    entry->status.counts.Add(got.answer, said, taken);
  }
  if (said.label != got.answer.label && sink_) Review(entry, candidate, item, got, said);
}

void Shadow::Review(Entry* entry, const Candidate& candidate, const Item& item, const Item::Of& got,
                    const TaskAnswer& said) {
  if (std::exchange(entry->sent_while, candidate.counting) != candidate.counting) {
    entry->sent.Clear();
  }
  uint64_t ShadowCounts::*count = &ShadowCounts::repeated;
  if (!entry->sent.HasNearCopy(scratch_.normalised)) {
    count = &ShadowCounts::over_rate;
    if (rate_.Take(ShadowClock::now())) {
      const Task task = entry->task;
      Proposal proposal = ShadowProposal(task, candidate.model->config().version, said,
                                         {got.answer.label, got.answer.probability, got.version});
      proposal.text = item.text;
      const bool sent = sink_(std::move(proposal));
      if (sent) entry->sent.Add(scratch_.normalised);
      count = sent ? &ShadowCounts::sent : &ShadowCounts::refused;
    }
  }
  const std::lock_guard lock(mutex_);
  if (entry->candidate.counting == candidate.counting) ++(entry->status.counts.*count);
}

// --- which candidates ----------------------------------------------------------------------------

void Shadow::Look(bool forced) {
  const std::lock_guard look(look_mutex_);
  uint32_t wanted = 0;
  for (Entry& entry : entries_) {
    LookAt(&entry, forced);
    const std::lock_guard lock(mutex_);
    if (entry.status.running) wanted |= BitOf(entry.task);
  }
  {
    const std::lock_guard lock(mutex_);
    wanted_.store(options_.sample > 0 ? wanted : 0, std::memory_order_relaxed);
  }
  changed_.notify_all();
}

void Shadow::LookAt(Entry* entry, bool forced) {
  std::optional<int> named;
  try {
    named = store_.Shadow(entry->task);
  } catch (const std::exception& e) {
    return TellBroken(entry, 0, e.what());
  }
  if (!named) return End(entry);
  switch (NextReload(entry->state, named, ReloadClock::now(), forced)) {
    case ReloadStep::kLoad:
      return Load(entry, *named);
    case ReloadStep::kNothing:
      return CountAnew(entry, nullptr);
    case ReloadStep::kWait:
      return;
  }
}

void Shadow::Load(Entry* entry, int version) {
  try {
    auto model = LoadVersion(store_, entry->task, version);
    entry->state = {version, std::nullopt, 0, {}};
    CountAnew(entry, std::move(model));
  } catch (const std::exception& e) {
    TellBroken(entry, version, e.what());
  }
}

// Where the candidate (null: still the same) or the incumbent is another one.
void Shadow::CountAnew(Entry* entry, std::shared_ptr<const Classifier> model) {
  const Task task = entry->task;
  const ModelSet serving = engine_->Take();
  const Classifier* const incumbent = serving.Get(task);
  const int version = incumbent == nullptr ? 0 : incumbent->config().version;
  const std::lock_guard lock(mutex_);
  if (model == nullptr) {
    if (entry->status.incumbent == version) return;
    model = entry->candidate.model;
  }
  TellCounts(*entry);
  ShadowStatus& status = entry->status;
  status = {};
  status.task = task;
  status.version = model->config().version;
  status.running = true;
  status.hash = model->hash();
  status.incumbent = version;
  if (incumbent != nullptr) status.incumbent_hash = incumbent->hash();
  status.since = UtcNow();
  entry->is_named = true;
  entry->candidate = {std::move(model), ++last_counting_};
  Log(LogLevel::kInfo, "a shadow runs",
      {{"task", std::string(TaskName(task))},
       {"version", std::to_string(status.version)},
       {"incumbent", std::to_string(version)}});
}

void Shadow::TellBroken(Entry* entry, int version, const std::string& why) {
  ReloadState& state = entry->state;
  const bool known = entry->is_named && entry->status.problem == why;
  Log(known ? LogLevel::kDebug : LogLevel::kError, "shadow refused",
      {{"task", std::string(TaskName(entry->task))},
       {"version", std::to_string(version)},
       {"cause", why}});
  state.failures = state.failed == version ? state.failures + 1 : 1;
  state.serving.reset();
  state.failed = version;
  state.retry_at = ReloadClock::now() + ReloadPause(state.failures);
  const std::lock_guard lock(mutex_);
  TellCounts(*entry);
  ShadowStatus status;
  status.task = entry->task;
  status.version = version;
  status.problem = why;
  entry->status = std::move(status);
  entry->is_named = true;
  entry->candidate = {nullptr, ++last_counting_};
}

void Shadow::End(Entry* entry) {
  entry->state = {};
  const std::lock_guard lock(mutex_);
  if (!entry->is_named) return;
  TellCounts(*entry);
  const Task task = entry->task;
  entry->status = {};
  entry->task = task;
  entry->is_named = false;
  entry->candidate = {nullptr, ++last_counting_};
}

// Counts that end are in the log, once.
void Shadow::TellCounts(const Entry& entry) {
  const ShadowStatus& status = entry.status;
  if (!status.running) return;
  Log(LogLevel::kInfo, "a shadow's counts ended",
      {{"task", std::string(TaskName(status.task))},
       {"version", std::to_string(status.version)},
       {"incumbent", std::to_string(status.incumbent)},
       {"since", status.since},
       {"compared", std::to_string(status.counts.compared)},
       {"disagreed", std::to_string(status.counts.disagreed)}});
}

std::vector<ShadowStatus> Shadow::Statuses() const {
  std::vector<ShadowStatus> statuses;
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    if (entry.is_named) statuses.push_back(entry.status);
  }
  return statuses;
}

}  // namespace rebound
