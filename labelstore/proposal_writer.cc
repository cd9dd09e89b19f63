#include "labelstore/proposal_writer.h"

#include <charconv>
#include <map>

#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "labelstore/contributed_text.h"
#include "labelstore/contributor_writer.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

// The first of the two numbers of a contributor's advisory lock: "prop" in ASCII.
constexpr int64_t kContributorLock = 1886547824;

// What an idempotency key stands for. Made of masked texts: nothing personal is kept, also as a
// digest.
std::string DigestOf(const std::vector<Proposal>& proposals,
                     const std::vector<CheckedProposal>& checked) {
  Sha256 digest;
  const auto add = [&](std::string_view field) {
    digest.Update(std::to_string(field.size()) + ":");
    digest.Update(field);
  };
  for (size_t i = 0; i < proposals.size(); ++i) {
    add(checked[i].message.text);
    add(checked[i].comment);
    for (const auto& label : proposals[i].labels) add(label ? std::to_string(*label) : "");
  }
  return digest.FinishHex();
}

std::string WriteAnswer(const std::vector<Proposed>& items) {
  std::string out;
  JsonWriter(&out).Array([&](JsonWriter& w) {
    for (const Proposed& item : items) {
      w.Array([&](JsonWriter& each) {
        each.Int(item.id).Int(static_cast<int64_t>(item.outcome));
        each.Int(static_cast<int64_t>(item.status));
      });
    }
  });
  return out;
}

std::vector<Proposed> ReadAnswer(std::string_view json,
                                 const std::vector<CheckedProposal>& checked) {
  const JsonDocument answer = ParseJson(json);
  std::vector<Proposed> items;
  for (const JsonValue& each : answer.GetArray()) {
    Proposed item;
    item.id = each[0].GetInt64();
    item.outcome = static_cast<ProposeOutcome>(each[1].GetInt());
    item.status = static_cast<ProposalStatus>(each[2].GetInt());
    item.text = checked.at(items.size()).message.text;
    items.push_back(std::move(item));
  }
  return items;
}

// Fills `result` where the key came before.
bool IsKnownKey(SqlTransaction& sql, const std::string& contributor, const std::string& key,
                const std::string& digest, const std::vector<CheckedProposal>& checked,
                ProposeResult* result) {
  const SqlRows known = sql.Execute(
      "SELECT request_sha256, answer FROM rebound.idempotency_keys "
      "WHERE contributor = $1 AND key = $2",
      {contributor, key});
  if (known.size() == 0) return false;
  if (known.Text(0, 0) != digest) {
    result->kind = ProposeResult::Kind::kKeyReused;
    result->problem = "the idempotency key '" + key + "' came with another request before";
    return true;
  }
  result->kind = ProposeResult::Kind::kRepeated;
  result->items = ReadAnswer(known.Text(0, 1), checked);
  return true;
}

}  // namespace

std::vector<CheckedProposal> CheckProposals(const std::vector<Proposal>& proposals) {
  std::vector<CheckedProposal> checked;
  checked.reserve(proposals.size());
  for (size_t i = 0; i < proposals.size(); ++i) {
    CheckedProposal each;
    if (const auto fault = CheckProposal(proposals[i], &each.message)) {
      throw Error(ErrorCode::kInvalidArgument, "proposal " + std::to_string(i) + " " + *fault);
    }
    each.normalised = Normalise(each.message.text);
    each.comment = MaskComment(proposals[i].comment);
    checked.push_back(std::move(each));
  }
  return checked;
}

std::string SqlReal(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), static_cast<float>(value)).ptr;
  return {text, end};
}

void SetActor(SqlTransaction& sql, const std::string& actor) {
  sql.Execute("SELECT set_config('rebound.actor', $1, true)", {actor});
}

ProposeResult WriteProposals(SqlTransaction& sql, const LabelCatalog& catalog,
                             const std::vector<Proposal>& proposals,
                             const std::vector<CheckedProposal>& checked,
                             const ProposeOptions& options, const ProposalStoreOptions& settings) {
  ProposeResult result;
  if (proposals.empty()) return result;
  // By name: two calls take their locks in one order.
  std::map<std::string, std::vector<size_t>> by_contributor;
  for (size_t i = 0; i < proposals.size(); ++i) {
    by_contributor[proposals[i].contributor].push_back(i);
  }
  const std::string& key = options.idempotency_key;
  if (!key.empty() && by_contributor.size() > 1) {
    throw Error(ErrorCode::kInvalidArgument,
                "an idempotency key belongs to one contributor: send the others by themselves");
  }
  sql.Execute("SELECT pg_advisory_xact_lock_shared($1::bigint)", {SqlInt(kRetentionLock)});
  for (const auto& [contributor, own] : by_contributor) {
    sql.Execute("SELECT pg_advisory_xact_lock($1::int, hashtext($2))",
                {SqlInt(kContributorLock), contributor});
  }
  const std::string digest = key.empty() ? "" : DigestOf(proposals, checked);
  const std::string& first = by_contributor.begin()->first;
  if (!key.empty() && IsKnownKey(sql, first, key, digest, checked, &result)) return result;

  result.items.resize(proposals.size());
  sql.Execute("SAVEPOINT before_proposals");
  for (const auto& [contributor, own] : by_contributor) {
    SetActor(sql, contributor);
    ContributorWriter writer(sql, catalog, proposals, checked, own, settings);
    if (writer.Write(!options.acknowledged, &result)) continue;
    sql.Execute("ROLLBACK TO SAVEPOINT before_proposals");
    result.kind = ProposeResult::Kind::kOverLimit;
    result.items.clear();
    return result;
  }
  if (!key.empty()) {
    sql.Execute(
        "INSERT INTO rebound.idempotency_keys (contributor, key, request_sha256, answer) "
        "VALUES ($1, $2, $3, $4::json)",
        {first, key, digest, WriteAnswer(result.items)});
  }
  return result;
}

}  // namespace rebound
