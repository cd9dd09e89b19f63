#include "labelstore/clusters.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/near_copies.h"
#include "base/text.h"
#include "tokenizer/characters.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using Shingles = std::vector<std::string>;

struct Leader {
  int64_t id = 0;  // negative: new, the position in `made_` is -id - 1
  Shingles shingles;
};

// Texts that are all a little alike would otherwise be compared each with each: of a band the
// oldest clusters are looked at, and of these the ones that share the most bands. A copy that is
// missed costs a second decision.
constexpr size_t kMostOfABand = 200;
constexpr size_t kMostCompared = 100;

// bigint is signed: the same 64 bits.
int64_t BandKey(uint64_t band) { return static_cast<int64_t>(band); }

// 550, and 5_7_1 as the normaliser writes it: their digits mean something.
bool IsStatusCode(std::string_view word) {
  const bool begins = word.size() >= 3 && (word[0] == '2' || word[0] == '4' || word[0] == '5');
  return begins && (word[1] == '_' || (word.size() == 3 && IsDigit(word[1]) && IsDigit(word[2])));
}

// Every run of digits as one 0: tickets, rules and queues are numbered (PXQ-441, PXQ-442).
std::string WithoutNumbers(std::string_view word) {
  std::string folded;
  for (const char c : word) {
    if (!IsDigit(c)) {
      folded += c;
    } else if (folded.empty() || folded.back() != '0') {
      folded += '0';
    }
  }
  return folded;
}

void WriteBands(SqlTransaction& sql, const SqlValue& hashes, const SqlValue& clusters) {
  sql.Execute(
      "INSERT INTO rebound.cluster_bands (hash, cluster_id) "
      "SELECT h, c FROM unnest($1::bigint[], $2::bigint[]) AS incoming (h, c) "
      "ON CONFLICT DO NOTHING",
      {hashes, clusters});
}

class Assigner {
 public:
  Assigner(SqlTransaction& sql, const std::vector<std::string>& texts) : sql_(sql), texts_(texts) {
    for (const std::string& text : texts) {
      shingles_.push_back(ShinglesOf(Normalise(text)));
      bands_.push_back(LikenessBands(shingles_.back()));
    }
  }

  std::vector<int64_t> Run() {
    LoadCandidates();
    std::vector<int64_t> clusters(texts_.size());
    for (size_t i = 0; i < texts_.size(); ++i) clusters[i] = FindOrMake(i);
    WriteNew(&clusters);
    return clusters;
  }

 private:
  void LoadCandidates() {
    std::set<int64_t> keys;
    for (const auto& bands : bands_) {
      for (const uint64_t band : bands) keys.insert(BandKey(band));
    }
    SqlArray wanted;
    for (const int64_t key : keys) wanted.AddInt(key);
    const SqlValue all = wanted.Take();
    const SqlRows rows = sql_.Execute(
        "SELECT b.hash, c.id FROM unnest($1::bigint[]) AS wanted (hash) CROSS JOIN LATERAL ("
        "  SELECT a.hash, a.cluster_id FROM rebound.cluster_bands a WHERE a.hash = wanted.hash "
        "  ORDER BY a.cluster_id LIMIT $3::bigint) b "
        "JOIN rebound.clusters c ON c.id = b.cluster_id "
        "WHERE c.normaliser_version = $2::int ORDER BY c.id",
        {all, SqlInt(kNormaliserVersion), SqlInt(kMostOfABand)});
    for (size_t row = 0; row < rows.size(); ++row) {
      by_band_[rows.Int(row, 0)].push_back(rows.Int(row, 1));
    }
    std::set<int64_t> ids;
    for (size_t i = 0; i < texts_.size(); ++i) {
      const std::vector<int64_t> candidates = CandidatesOf(i);
      ids.insert(candidates.begin(), candidates.end());
    }
    SqlArray found;
    for (const int64_t id : ids) found.AddInt(id);
    const SqlRows leaders = sql_.Execute(
        "SELECT id, text FROM rebound.clusters WHERE id = ANY ($1::bigint[])", {found.Take()});
    for (size_t row = 0; row < leaders.size(); ++row) {
      leaders_[leaders.Int(row, 0)] = ShinglesOf(Normalise(leaders.Text(row, 1)));
    }
  }

  // The clusters to compare a text with.
  std::vector<int64_t> CandidatesOf(size_t at) const {
    std::vector<int64_t> all;
    for (const uint64_t band : bands_[at]) {
      const auto found = by_band_.find(BandKey(band));
      if (found == by_band_.end()) continue;
      all.insert(all.end(), found->second.begin(), found->second.end());
    }
    std::sort(all.begin(), all.end());
    std::vector<std::pair<int64_t, int64_t>> by_shared;  // minus the shared bands, cluster
    for (size_t i = 0; i < all.size(); ++i) {
      if (i == 0 || all[i] != all[i - 1]) by_shared.emplace_back(0, all[i]);
      --by_shared.back().first;
    }
    if (by_shared.size() > kMostCompared) {
      std::nth_element(by_shared.begin(), by_shared.begin() + kMostCompared, by_shared.end());
      by_shared.resize(kMostCompared);
    }
    std::vector<int64_t> candidates;
    for (const auto& [shared, id] : by_shared) candidates.push_back(id);
    return candidates;
  }

  // The most alike leader; of two equal ones the older.
  int64_t FindOrMake(size_t at) {
    int64_t best = 0;
    double likeness = kSameCluster;
    for (const int64_t id : CandidatesOf(at)) {
      const double alike = Likeness(shingles_[at], leaders_.at(id));
      if (alike > likeness || (alike == likeness && (best == 0 || id < best))) {
        likeness = alike;
        best = id;
      }
    }
    if (best != 0) return best;
    made_.push_back(at);
    const int64_t id = -static_cast<int64_t>(made_.size());
    leaders_[id] = shingles_[at];
    for (const uint64_t band : bands_[at]) {
      std::vector<int64_t>& same = by_band_[BandKey(band)];
      if (same.size() < kMostOfABand) same.push_back(id);
    }
    return id;
  }

  void WriteNew(std::vector<int64_t>* clusters) {
    if (made_.empty()) return;
    const SqlRows ids = sql_.Execute(
        "SELECT nextval('rebound.clusters_id_seq') FROM generate_series(1, $1::bigint)",
        {SqlInt(static_cast<int64_t>(made_.size()))});
    SqlArray new_ids, texts, hashes, owners;
    for (size_t i = 0; i < made_.size(); ++i) {
      new_ids.AddInt(ids.Int(i, 0));
      texts.Add(texts_[made_[i]]);
      for (const uint64_t band : bands_[made_[i]]) {
        hashes.AddInt(BandKey(band));
        owners.AddInt(ids.Int(i, 0));
      }
    }
    sql_.Execute(
        "INSERT INTO rebound.clusters (id, text, normaliser_version) "
        "SELECT i, t, $3::int FROM unnest($1::bigint[], $2::text[]) AS incoming (i, t)",
        {new_ids.Take(), texts.Take(), SqlInt(kNormaliserVersion)});
    WriteBands(sql_, hashes.Take(), owners.Take());
    for (int64_t& cluster : *clusters) {
      if (cluster < 0) cluster = ids.Int(static_cast<size_t>(-cluster - 1), 0);
    }
  }

  SqlTransaction& sql_;
  const std::vector<std::string>& texts_;
  std::vector<Shingles> shingles_;
  std::vector<std::vector<uint64_t>> bands_;
  std::unordered_map<int64_t, std::vector<int64_t>> by_band_;
  std::map<int64_t, Shingles> leaders_;
  std::vector<size_t> made_;  // texts that lead a new cluster
};

}  // namespace

std::vector<std::string> ShinglesOf(std::string_view normalised) {
  std::set<std::string> shingles;
  std::string before;
  for (const std::string_view view : Split(normalised, ' ')) {
    if (view.empty()) continue;
    std::string word = IsStatusCode(view) ? std::string(view) : WithoutNumbers(view);
    if (!before.empty()) shingles.insert(before + ' ' + word);
    before = word;
    shingles.insert(std::move(word));
  }
  return {shingles.begin(), shingles.end()};
}

std::vector<int64_t> AssignClusters(SqlTransaction& sql, const std::vector<std::string>& texts) {
  return Assigner(sql, texts).Run();
}

void LeadAnew(SqlTransaction& sql, const SqlValue& clusters) {
  const SqlRows rows = sql.Execute(
      "SELECT DISTINCT ON (c.id) c.id, t.text FROM rebound.clusters c "
      "JOIN rebound.contributed_texts t ON t.cluster_id = c.id "
      "WHERE c.id = ANY ($1::bigint[]) AND c.normaliser_version = $2::int AND NOT EXISTS ("
      "  SELECT 1 FROM rebound.contributed_texts f WHERE f.cluster_id = c.id AND f.text = c.text) "
      "ORDER BY c.id, t.id",
      {clusters, SqlInt(kNormaliserVersion)});
  SqlArray ids, texts, hashes, owners;
  for (size_t row = 0; row < rows.size(); ++row) {
    ids.AddInt(rows.Int(row, 0));
    texts.Add(rows.Text(row, 1));
    for (const uint64_t band : LikenessBands(ShinglesOf(Normalise(rows.Text(row, 1))))) {
      hashes.AddInt(BandKey(band));
      owners.AddInt(rows.Int(row, 0));
    }
  }
  if (rows.size() == 0) return;
  const SqlValue led = ids.Take();
  sql.Execute(
      "UPDATE rebound.clusters SET text = t FROM unnest($1::bigint[], $2::text[]) "
      "AS incoming (i, t) WHERE id = i",
      {led, texts.Take()});
  sql.Execute("DELETE FROM rebound.cluster_bands WHERE cluster_id = ANY ($1::bigint[])", {led});
  WriteBands(sql, hashes.Take(), owners.Take());
}

}  // namespace rebound
