// A private slapd for tests: own configuration, data and free port in a temporary folder, under an
// unprivileged user where root starts it. It goes when the object or the program does. Where it
// cannot start, the test fails. Thread-compatible.
//
// The tree dc=example,dc=org has ou=open, which anybody may read, and ou=closed, which cn=reader
// with the password "pass@word/1" may. Rules are of the class reboundRule: ruleDomain, ruleCode,
// ruleText (each may have several values) and ruleBytes. A search without pages gives 500 entries.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"

namespace rebound::test {

class TestLdap {
 public:
  // `ldif`: entries under ou=open and ou=closed. Throws Error where slapd does not start.
  explicit TestLdap(std::string_view ldif);
  ~TestLdap();
  TestLdap(const TestLdap&) = delete;
  TestLdap& operator=(const TestLdap&) = delete;

  void Start();
  void Kill();              // kill -9
  void Freeze(bool is_on);  // SIGSTOP, SIGCONT: it takes connections and answers none

  std::string uri(const std::string& login = "") const;  // ldap://login@127.0.0.1:port/
  std::string tls_uri() const;                           // ldaps://127.0.0.1:port/
  std::string socket_uri() const;                        // ldapi://
  // The certificate that signs itself.
  std::filesystem::path certificate() const { return folder_.path() / "cert.pem"; }

 private:
  void Configure() const;
  void Load(std::string_view ldif) const;

  TempFolder folder_;
  std::string port_;
  std::string tls_port_;
  pid_t process_ = 0;
};

}  // namespace rebound::test
