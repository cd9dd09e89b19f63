#include "tests/support/reused_stores.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "datasource/postgres.h"

namespace rebound::test {
namespace {

constexpr int64_t kMostRows = 2000;  // what is left of more would slow the next test down

// Every row of the catalogs that a change of schema, rights or settings leaves a new version of,
// and the content of the tables that migrations fill.
constexpr const char* kMark = R"sql(
SELECT md5(string_agg(part, ',' ORDER BY part)) FROM (
  SELECT 'class' || oid || '.' || xmin AS part FROM pg_class WHERE oid >= 16384
  UNION ALL SELECT 'attribute' || attrelid || '.' || attnum || '.' || xmin FROM pg_attribute
    WHERE attrelid >= 16384 AND attnum > 0
  UNION ALL SELECT 'proc' || oid || '.' || xmin FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT 'trigger' || oid || '.' || xmin FROM pg_trigger
  UNION ALL SELECT 'constraint' || oid || '.' || xmin FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT 'type' || oid || '.' || xmin FROM pg_type WHERE oid >= 16384
  UNION ALL SELECT 'rule' || oid || '.' || xmin FROM pg_rewrite WHERE oid >= 16384
  UNION ALL SELECT 'schema' || oid || '.' || xmin FROM pg_namespace
    WHERE nspname NOT LIKE 'pg\_t%'
  UNION ALL SELECT 'extension' || oid || '.' || xmin FROM pg_extension
  UNION ALL SELECT 'setting' || setdatabase || '.' || setrole || '.' || xmin
    FROM pg_db_role_setting
  UNION ALL SELECT 'label' || l::text FROM rebound.labels l
  UNION ALL SELECT 'label_set' || s::text FROM rebound.label_sets s
  UNION ALL SELECT 'migration' || m::text FROM rebound.schema_migrations m
) parts
)sql";

constexpr const char* kEmpty = R"sql(
DO $$
DECLARE
  name text;
  here bigint;
  rows bigint := 0;
BEGIN
  SET LOCAL session_replication_role = replica;  -- without triggers, which would refuse it
  FOR name IN SELECT relname FROM pg_class
      WHERE relnamespace = 'rebound'::regnamespace AND relkind = 'r' AND relname NOT IN
        ('labels', 'label_sets', 'schema_migrations', 'review_settings') LOOP
    EXECUTE format('DELETE FROM rebound.%I', name);
    GET DIAGNOSTICS here = ROW_COUNT;
    rows := rows + here;
  END LOOP;
  UPDATE rebound.review_settings SET overlap = 1 WHERE overlap <> 1;
  PERFORM setval(s.seqrelid::regclass, s.seqstart, false) FROM pg_sequence s;
  PERFORM set_config('rebound_test.rows', rows::text, false);
END $$
)sql";

std::string MarkOf(SqlTransaction& sql) { return std::string(sql.Execute(kMark).Text(0, 0)); }

// A session ends a moment after its client hung up.
bool IsAlone(SqlTransaction& sql) {
  for (int look = 0; look < 100; ++look) {
    const SqlRows others = sql.Execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
    if (others.Int(0, 0) == 0) return true;
    sql.Execute("SELECT pg_stat_clear_snapshot(), pg_sleep(0.01)");
  }
  return false;
}

// False where it must not be used again.
bool Empty(const std::string& uri, const std::string& mark) {
  bool can_be_used = false;
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted, [&](SqlTransaction& sql) {
    can_be_used = false;
    if (!IsAlone(sql) || MarkOf(sql) != mark) return;
    sql.Execute("SET LOCAL lock_timeout = '5s'");
    sql.ExecuteScript(kEmpty);
    can_be_used = sql.Execute("SELECT current_setting('rebound_test.rows')").Int(0, 0) <= kMostRows;
  });
  return can_be_used;
}

const testing::TestInfo* RunningTest() {
  return testing::UnitTest::GetInstance()->current_test_info();
}

}  // namespace

std::optional<std::string> ReusedStores::Take(const std::string& server) {
  const testing::TestInfo* const running = RunningTest();
  for (size_t i = 0; i < stores_.size();) {
    Store& store = stores_[i];
    if (store.user == nullptr || store.user == running) {
      ++i;
      continue;
    }
    bool can_be_used = false;
    try {
      can_be_used = Empty(store.uri, store.mark);
    } catch (const Error&) {
      // The test took it away, or its server's socket is another one now.
    }
    if (can_be_used) {
      store.user = running;
      return store.uri;
    }
    PostgresConnection(server).ExecuteAlone("DROP DATABASE IF EXISTS " + store.database +
                                            " WITH (FORCE)");
    stores_.erase(stores_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return std::nullopt;
}

void ReusedStores::Keep(const std::string& uri, const std::string& database) {
  Store store{uri, database, "", RunningTest()};
  PostgresConnection(uri).Transact(SqlIsolation::kReadCommitted,
                                   [&](SqlTransaction& sql) { store.mark = MarkOf(sql); });
  stores_.push_back(std::move(store));
}

}  // namespace rebound::test
