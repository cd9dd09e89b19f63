#include "serve/store_pool.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "base/error.h"
#include "labelstore/postgres_label_store.h"

namespace rebound {
namespace {

using std::chrono::milliseconds;

// Waiting contributions hold their bodies: as many as fit into modest memory.
constexpr size_t kSubmitThreads = 3, kSubmitWaiting = 256;
constexpr size_t kBulkThreads = 2, kBulkWaiting = 8;
constexpr size_t kReviewThreads = 2, kReviewWaiting = 32;

milliseconds LimitOf(StoreUse use, milliseconds submit) {
  switch (use) {
    case StoreUse::kSubmit:
      return submit;
    // Within the time that the door gives an answer; what takes longer goes to the spool.
    case StoreUse::kBulk:
    case StoreUse::kReview:
      return submit * 4;
    case StoreUse::kDeliver:
      break;
  }
  // What was acknowledged may take its time, however slow the store is: 10,000 rows in one piece.
  return submit * 100;
}

}  // namespace

StoreSession::StoreSession(const StorePoolOptions& options, StoreUse use)
    : uri_(options.uri), use_(use), limit_(LimitOf(use, options.submit_limit)) {}

void StoreSession::Start() { deadline_ = std::chrono::steady_clock::now() + limit_; }

PostgresOptions StoreSession::Limits() {
  PostgresOptions options;
  options.connect_timeout = std::chrono::seconds(3);
  options.statement_timeout = limit_;
  options.transaction_limit = limit_ + limit_ / 2;  // the server's own limit tells more
  options.application_name = "rebound-serve";
  options.pause = [this](milliseconds wait) {
    const auto left = deadline_ - std::chrono::steady_clock::now();
    if (left.count() <= 0) {
      throw Error(ErrorCode::kUnavailable, "the label store did not answer in time: try again");
    }
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(wait, left));
  };
  return options;
}

ProposalStore& StoreSession::proposals() {
  if (proposals_ == nullptr) {
    ProposalStoreOptions options;
    options.postgres = Limits();
    proposals_ = OpenProposalStore(uri_, std::move(options));
  }
  return *proposals_;
}

ReviewDesk& StoreSession::desk() {
  if (desk_ == nullptr) desk_ = OpenReviewDesk(uri_, Limits());
  return *desk_;
}

SnapshotCatalog& StoreSession::snapshots() {
  if (snapshots_ == nullptr) {
    connection_ = std::make_unique<PostgresConnection>(uri_, Limits());
    snapshots_ = std::make_unique<SnapshotCatalog>(connection_.get());
  }
  return *snapshots_;
}

LabelStore& StoreSession::labels() {
  if (labels_ == nullptr) {
    PostgresOptions options;
    options.connect_timeout = std::chrono::seconds(3);
    options.statement_timeout = std::chrono::minutes(15);  // of a snapshot: nobody waits for it
    options.transaction_limit = std::chrono::minutes(30);
    options.application_name = "rebound-serve";
    labels_ = std::make_unique<PostgresLabelStore>(uri_, std::move(options));
  }
  return *labels_;
}

StorePool::StorePool(StorePoolOptions options)
    : options_(std::move(options)),
      submit_(kSubmitWaiting, kSubmitThreads),
      bulk_(kBulkWaiting, kBulkThreads),
      review_(kReviewWaiting, kReviewThreads) {}

bool StorePool::Post(Lane lane, std::function<void()> work) {
  Background& background = lane == Lane::kSubmit ? submit_ : lane == Lane::kBulk ? bulk_ : review_;
  return background.Post(std::move(work));
}

bool StorePool::IsLate(Lane lane, std::chrono::nanoseconds waited) const {
  return lane != Lane::kSubmit && waited > options_.submit_limit * 3;
}

void StorePool::Stop() {
  submit_.Stop();
  bulk_.Stop();
  review_.Stop();
}

StorePool::Lease StorePool::Take(StoreUse use) {
  std::unique_ptr<StoreSession> session;
  {
    const std::lock_guard lock(mutex_);
    auto& idle = idle_[static_cast<size_t>(use)];
    if (!idle.empty()) {
      session = std::move(idle.back());
      idle.pop_back();
    }
  }
  if (session == nullptr) session = std::make_unique<StoreSession>(options_, use);
  session->Start();
  return {this, use, std::move(session)};
}

void StorePool::GiveBack(StoreUse use, std::unique_ptr<StoreSession> session) {
  const std::lock_guard lock(mutex_);
  idle_[static_cast<size_t>(use)].push_back(std::move(session));
}

}  // namespace rebound
