#include "labelstore/vote_writer.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

constexpr size_t kBlock = 5000;

// One message of a block in the database.
struct Known {
  int64_t id = 0;
  bool is_new = false;
};
using KnownMessages = std::unordered_map<std::string_view, Known>;  // by digest
using ContributorVotes = std::map<std::pair<int64_t, std::string_view>, Votes>;

class BlockWriter {
 public:
  BlockWriter(SqlTransaction& sql, const LabelCatalog& catalog,
              const std::vector<Submission>& submissions, const std::vector<Message>& messages)
      : sql_(sql), catalog_(catalog), submissions_(submissions), messages_(messages) {}

  // `block` holds positions; no two share message and contributor.
  void Write(std::span<const size_t> block, ImportResult* result) {
    const KnownMessages known = WriteMessages(block);
    const ContributorVotes before = ReadVotes(block, known);
    const Votes none;
    std::vector<size_t> changing;
    std::set<std::string_view> counted;
    for (const size_t at : block) {
      const Known& message = known.at(messages_[at].digest);
      const auto votes = before.find({message.id, submissions_[at].contributor});
      // Of several contributors of one new message the first inserts it and the rest vote.
      const bool inserts = message.is_new && counted.insert(messages_[at].digest).second;
      const Outcome outcome =
          OutcomeOf(submissions_[at], inserts, votes == before.end() ? none : votes->second);
      Count(outcome, result);
      if (outcome != Outcome::kDuplicate) changing.push_back(at);
    }
    WriteVotes(changing, known);
  }

 private:
  KnownMessages WriteMessages(std::span<const size_t> block) {
    KnownMessages known;
    SqlArray digests, texts, groups, held_out;
    for (const size_t at : block) {
      const Message& message = messages_[at];
      if (!known.try_emplace(message.digest).second) continue;
      digests.AddHex(message.digest);
      texts.Add(message.text);
      groups.Add(message.group);
      held_out.AddBool(IsHeldOut(message.group));
    }
    const SqlValue all = digests.Take();
    const SqlValue version = SqlInt(kNormaliserVersion);
    const SqlRows inserted = sql_.Execute(
        "INSERT INTO rebound.messages (digest, text, split_group, held_out, normaliser_version) "
        "SELECT d, t, g, h, $5::int FROM unnest($1::bytea[], $2::text[], $3::text[], $4::bool[]) "
        "AS incoming (d, t, g, h) ORDER BY d ON CONFLICT (digest, normaliser_version) DO NOTHING "
        "RETURNING encode(digest, 'hex'), id",
        {all, texts.Take(), groups.Take(), held_out.Take(), version});
    for (size_t row = 0; row < inserted.size(); ++row) {
      known.at(inserted.Text(row, 0)) = {inserted.Int(row, 1), true};
    }
    if (inserted.size() == known.size()) return known;
    const SqlRows present = sql_.Execute(
        "SELECT encode(digest, 'hex'), id FROM rebound.messages "
        "WHERE digest = ANY ($1::bytea[]) AND normaliser_version = $2::int",
        {all, version});
    for (size_t row = 0; row < present.size(); ++row) {
      Known& message = known.at(present.Text(row, 0));
      if (!message.is_new) message.id = present.Int(row, 1);
    }
    return known;
  }

  ContributorVotes ReadVotes(std::span<const size_t> block, const KnownMessages& known) {
    ContributorVotes votes;
    std::map<std::string_view, std::string_view> names;  // views into the submissions
    SqlArray ids, contributors;
    bool any = false;
    for (const size_t at : block) {
      const Known& message = known.at(messages_[at].digest);
      if (message.is_new) continue;
      any = true;
      ids.AddInt(message.id);
      const std::string_view name = submissions_[at].contributor;
      if (names.emplace(name, name).second) contributors.Add(name);
    }
    if (!any) return votes;
    const SqlRows rows = sql_.Execute(
        "SELECT message_id, contributor, label_id, origin FROM rebound.message_labels "
        "WHERE message_id = ANY ($1::bigint[]) AND contributor = ANY ($2::text[])",
        {ids.Take(), contributors.Take()});
    for (size_t row = 0; row < rows.size(); ++row) {
      const auto position = catalog_.positions.find(rows.Int(row, 2));
      const auto origin = ParseOrigin(rows.Text(row, 3));
      if (position == catalog_.positions.end() || !origin) {
        throw Error(ErrorCode::kNotFound,
                    "the store holds a label that this program does not know: use the newer one");
      }
      const auto& [task, label] = position->second;
      votes[{rows.Int(row, 0), names.at(rows.Text(row, 1))}][Index(task)] =
          Vote{static_cast<size_t>(label), *origin};
    }
    return votes;
  }

  void WriteVotes(const std::vector<size_t>& changing, const KnownMessages& known) {
    SqlArray ids, tasks, contributors, labels, origins;
    bool any = false;
    for (const size_t at : changing) {
      const Submission& submission = submissions_[at];
      for (size_t task = 0; task < kTaskCount; ++task) {
        if (!submission.labels[task]) continue;
        any = true;
        ids.AddInt(known.at(messages_[at].digest).id);
        tasks.AddInt(catalog_.task_ids[task]);
        contributors.Add(submission.contributor);
        labels.AddInt(catalog_.label_ids[task][*submission.labels[task]]);
        origins.Add(OriginName(submission.origin));
      }
    }
    if (!any) return;
    sql_.Execute(
        "INSERT INTO rebound.message_labels AS old "
        "(message_id, label_set_id, contributor, label_id, origin) "
        "SELECT m, s, c, l, o::rebound.label_origin FROM "
        "unnest($1::bigint[], $2::smallint[], $3::text[], $4::smallint[], $5::text[]) "
        "AS incoming (m, s, c, l, o) ORDER BY m, s, c "
        "ON CONFLICT (message_id, label_set_id, contributor) DO UPDATE "
        "SET label_id = EXCLUDED.label_id, origin = EXCLUDED.origin, created_at = now() "
        "WHERE (old.label_id, old.origin) IS DISTINCT FROM (EXCLUDED.label_id, EXCLUDED.origin)",
        {ids.Take(), tasks.Take(), contributors.Take(), labels.Take(), origins.Take()});
  }

  SqlTransaction& sql_;
  const LabelCatalog& catalog_;
  const std::vector<Submission>& submissions_;
  const std::vector<Message>& messages_;
};

}  // namespace

ImportResult WriteSubmissions(SqlTransaction& sql, const LabelCatalog& catalog,
                              const std::vector<Submission>& submissions,
                              const std::vector<Message>& messages) {
  // By digest: two writers of the same messages take their locks in one order. Stable: votes of one
  // contributor on one message keep theirs.
  std::vector<size_t> order(submissions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return messages[a].digest < messages[b].digest; });

  ImportResult result;
  BlockWriter writer(sql, catalog, submissions, messages);
  std::vector<size_t> block;
  std::set<std::string_view> contributors;  // of the last message in the block
  for (const size_t at : order) {
    const bool same_message =
        !block.empty() && messages[block.back()].digest == messages[at].digest;
    if (!same_message) contributors.clear();
    // A second vote on the same message is a vote of its own: it must see the first.
    const bool again = !contributors.insert(submissions[at].contributor).second;
    if (again || (block.size() >= kBlock && !same_message)) {
      writer.Write(block, &result);
      block.clear();
      contributors = {submissions[at].contributor};
    }
    block.push_back(at);
  }
  if (!block.empty()) writer.Write(block, &result);
  return result;
}

}  // namespace rebound
