#include "serve/door/load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace rebound {

std::string_view Shed(const LoadLimits& limits, int64_t unanswered,
                      std::chrono::steady_clock::duration wait) {
  if (unanswered >= limits.max_unanswered) return "too many requests wait for their answer";
  if (wait > limits.max_wait) return "requests wait too long to be read";
  return {};
}

void LoopLag::Hand(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  marks_.push_back(now);
  if (marks_.size() == 1) oldest_ = now.time_since_epoch().count();
}

void LoopLag::Reach(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (marks_.empty()) return;
  // Marks that come together tell of one wait: the longest, that of the first.
  constexpr std::chrono::milliseconds kTogether{50};
  const int64_t wait = (now - marks_.front()).count();
  last_wait_ = now - reached_ < kTogether ? std::max(last_wait_.load(), wait) : wait;
  reached_ = now;
  marks_.pop_front();
  oldest_ = marks_.empty() ? 0 : marks_.front().time_since_epoch().count();
}

LoopLag::Clock::duration LoopLag::Wait(Clock::time_point now) const {
  const Clock::duration last(last_wait_.load());
  Clock::time_point handed;
  return OldestMark(&handed) ? std::max(last, now - handed) : last;
}

bool LoopLag::OldestMark(Clock::time_point* handed) const {
  const int64_t ticks = oldest_.load();
  *handed = Clock::time_point(Clock::duration(ticks));
  return ticks != 0;
}

bool PeerCounts::Add(const std::string& network) {
  if (most_ == 0) return true;
  const std::lock_guard lock(mutex_);
  size_t& count = counts_[network];
  if (count >= most_) return false;
  ++count;
  return true;
}

void PeerCounts::Remove(const std::string& network) {
  if (most_ == 0) return;
  const std::lock_guard lock(mutex_);
  const auto it = counts_.find(network);
  if (it != counts_.end() && --it->second == 0) counts_.erase(it);
}

PeerAddress PeerOf(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  PeerAddress peer;
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
    inet_ntop(AF_INET, &address, text, sizeof text);
    peer.network = text;
  } else if (storage.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
      peer.network = text;
    } else {
      inet_ntop(AF_INET6, &address, text, sizeof text);
      peer.network.assign(reinterpret_cast<const char*>(address.s6_addr), 8);
    }
  }
  peer.text = text;
  return peer;
}

}  // namespace rebound
