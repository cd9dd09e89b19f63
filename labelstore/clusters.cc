#include "labelstore/clusters.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/near_copies.h"
#include "base/text.h"
#include "tokenizer/normaliser.h"

namespace rebound {
namespace {

using Shingles = std::vector<std::string>;

struct Leader {
  int64_t id = 0;  // negative: new, the position in `made_` is -id - 1
  Shingles shingles;
};

// bigint is signed: the same 64 bits.
int64_t BandKey(uint64_t band) { return static_cast<int64_t>(band); }

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
        "SELECT b.hash, c.id FROM rebound.cluster_bands b JOIN rebound.clusters c "
        "ON c.id = b.cluster_id WHERE b.hash = ANY ($1::bigint[]) "
        "AND c.normaliser_version = $2::int ORDER BY c.id",
        {all, SqlInt(kNormaliserVersion)});
    std::set<int64_t> ids;
    for (size_t row = 0; row < rows.size(); ++row) {
      by_band_[rows.Int(row, 0)].push_back(rows.Int(row, 1));
      ids.insert(rows.Int(row, 1));
    }
    SqlArray found;
    for (const int64_t id : ids) found.AddInt(id);
    const SqlRows leaders = sql_.Execute(
        "SELECT id, text FROM rebound.clusters WHERE id = ANY ($1::bigint[])", {found.Take()});
    for (size_t row = 0; row < leaders.size(); ++row) {
      leaders_[leaders.Int(row, 0)] = ShinglesOf(Normalise(leaders.Text(row, 1)));
    }
  }

  // The most alike leader; of two equal ones the older.
  int64_t FindOrMake(size_t at) {
    int64_t best = 0;
    double likeness = kSameCluster;
    std::set<int64_t> seen;
    for (const uint64_t band : bands_[at]) {
      const auto found = by_band_.find(BandKey(band));
      if (found == by_band_.end()) continue;
      for (const int64_t id : found->second) {
        if (!seen.insert(id).second) continue;
        const double alike = Likeness(shingles_[at], leaders_.at(id));
        if (alike > likeness || (alike == likeness && (best == 0 || id < best))) {
          likeness = alike;
          best = id;
        }
      }
    }
    if (best != 0) return best;
    made_.push_back(at);
    const int64_t id = -static_cast<int64_t>(made_.size());
    leaders_[id] = shingles_[at];
    for (const uint64_t band : bands_[at]) by_band_[BandKey(band)].push_back(id);
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
    sql_.Execute(
        "INSERT INTO rebound.cluster_bands (hash, cluster_id) "
        "SELECT h, c FROM unnest($1::bigint[], $2::bigint[]) AS incoming (h, c) "
        "ON CONFLICT DO NOTHING",
        {hashes.Take(), owners.Take()});
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
  std::string_view before;
  for (const std::string_view word : Split(normalised, ' ')) {
    if (word.empty()) continue;
    shingles.emplace(word);
    if (!before.empty()) shingles.insert(std::string(before) + ' ' + std::string(word));
    before = word;
  }
  return {shingles.begin(), shingles.end()};
}

std::vector<int64_t> AssignClusters(SqlTransaction& sql, const std::vector<std::string>& texts) {
  return Assigner(sql, texts).Run();
}

}  // namespace rebound
