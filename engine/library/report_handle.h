// What stands behind a rebound_report: a message, read and answered by recipient. Immutable,
// Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/library/answer_handle.h"
#include "engine/mail/message.h"

struct rebound_report {
 public:
  // Throws as ParseMessage does, of at most kFileMessageBytes.
  rebound_report(const rebound::Moment& moment, std::string_view message);
  rebound_report(const rebound_report&) = delete;
  rebound_report& operator=(const rebound_report&) = delete;

  const rebound::BounceReport& report() const { return report_; }
  // Null where the recipient has no text.
  const rebound_answer* answer(size_t recipient) const { return answers_[recipient].get(); }
  const std::string& json() const { return json_; }

  int momentum_code() const { return momentum_code_; }  // 0: the message is no bounce
  const std::string& momentum_name() const { return momentum_name_; }

 private:
  void FindMomentumCode();
  void WriteJson();

  const rebound::BounceReport report_;
  std::vector<std::unique_ptr<const rebound_answer>> answers_;  // by recipient
  int momentum_code_ = 0;
  std::string momentum_name_;
  std::string json_;
};
