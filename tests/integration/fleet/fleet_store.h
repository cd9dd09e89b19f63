// What the tests of this folder share: a store, the folder of whoever publishes, short calls of its
// registry.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/file.h"
#include "datasource/postgres.h"
#include "labelstore/label_store.h"
#include "labelstore/model_registry.h"
#include "labelstore/roles.h"
#include "tests/support/bundles.h"
#include "tests/support/postgres.h"

namespace rebound::test {

class FleetTest : public testing::Test {
 protected:
  FleetTest() : uri_(SharedCluster().NewStore()) {
    PostgresConnection owner(uri_);
    GrantRoles(&owner);
  }
  // A bundle whose answer is always `always`, made and uploaded where it was trained.
  int Upload(Task task, const std::string& always = "") {
    TestBundle bundle;
    bundle.task = task;
    bundle.always = always;
    const auto made = MakeTestDraft(bundle);
    const int version = trainer_.Publish(made->draft);
    registry_.Upload(trainer_.BundleFolder(task, version));
    return version;
  }
  int UploadAndPromote(Task task, const std::string& always = "") {
    const int version = Upload(task, always);
    registry_.Promote(task, version, "anna", "");
    return version;
  }
  void Sql(const std::string& script) {
    PostgresConnection(uri_).Transact(SqlIsolation::kReadCommitted,
                                      [&](SqlTransaction& sql) { sql.ExecuteScript(script); });
  }
  // Turns a byte of a stored file over; again and it is right again.
  void Flip(int version, const std::string& file) {
    Sql("ALTER TABLE rebound.bundle_files DISABLE TRIGGER refuse_change;"
        "UPDATE rebound.bundle_files SET content = set_byte(content, 100, "
        "get_byte(content, 100) # 1) WHERE name = '" +
        file + "' AND version = " + std::to_string(version));
  }
  // The URI as a login of these groups.
  std::string LoginOf(const std::string& groups) {
    const std::string login = "login_" + std::to_string(++logins_);
    Sql("DROP ROLE IF EXISTS " + login + "; CREATE ROLE " + login + " LOGIN; GRANT " + groups +
        " TO " + login);
    return uri_ + "&options=-crole%3D" + login;
  }

  const std::string uri_;
  ModelRegistry registry_{uri_};
  TempFolder folder_;
  BundleStore trainer_{folder_.path() / "trainer"};
  BundleStore replica_{folder_.path() / "replica"};
  int logins_ = 0;
};

}  // namespace rebound::test
