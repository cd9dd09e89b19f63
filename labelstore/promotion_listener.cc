#include <algorithm>

#include "labelstore/model_registry.h"

namespace rebound {

PromotionListener::PromotionListener(const std::string& uri, PostgresOptions options)
    : listener_(uri, "rebound_promotions", options), uri_(uri), options_(std::move(options)) {}

std::vector<Promotion> PromotionListener::ReadNew() {
  if (!registry_) registry_ = std::make_unique<ModelRegistry>(uri_, options_);
  std::vector<Promotion> news;
  for (const Task task : kTasks) {
    std::optional<Promotion> current = registry_->Current(task);
    if (current && current->id > seen_[Index(task)]) news.push_back(std::move(*current));
  }
  // Only now: where a look fails half way, the next one tells all of it.
  for (const Promotion& each : news) seen_[Index(each.task)] = each.id;
  behind_ = false;
  return news;
}

std::vector<Promotion> PromotionListener::WaitForPromotion(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto left = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(
                                   deadline - std::chrono::steady_clock::now()),
                               std::chrono::milliseconds(0));
    // A look that failed is due still, whatever the listener says next.
    const bool now = behind_ && listener_.connected();
    const SqlWake wake = listener_.Wait(now ? std::chrono::milliseconds(0) : left);
    if (wake == SqlWake::kTimeout && !behind_) return {};
    behind_ = true;
    std::vector<Promotion> news = ReadNew();
    if (!news.empty() || left.count() == 0) return news;
  }
}

}  // namespace rebound
