#include "tests/support/ldap.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "tests/support/datasources.h"
#include "tests/support/postgres.h"

namespace rebound::test {
namespace {

namespace fs = std::filesystem;

constexpr char kSlapd[] = "/usr/sbin/slapd";

// The port is free now; nobody else asks for it in the moment until slapd does.
std::string FreePort() { return SilentServer().port(); }

std::string Must(const std::string& command) {
  const Ran ran = RunCommand(command);
  if (ran.exit_code != 0) throw Error(ErrorCode::kUnavailable, command + ": " + ran.errors);
  return ran.output;
}

// Who runs slapd where root starts it; null for a user who is no root.
const passwd* Owner() {
  if (::geteuid() != 0) return nullptr;
  const passwd* owner = ::getpwnam("openldap");
  return owner != nullptr ? owner : ::getpwnam("nobody");
}

bool Answers(const std::string& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
  const bool is_there =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return is_there;
}

constexpr char kTree[] =
    "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\ndc: example\n"
    "o: Example\n\n"
    "dn: ou=open,dc=example,dc=org\nobjectClass: organizationalUnit\nou: open\n\n"
    "dn: ou=closed,dc=example,dc=org\nobjectClass: organizationalUnit\nou: closed\n\n"
    "dn: cn=reader,dc=example,dc=org\nobjectClass: organizationalRole\n"
    "objectClass: simpleSecurityObject\ncn: reader\nuserPassword: pass@word/1\n\n";

// OIDs of OpenLDAP's range for experiments.
constexpr char kSchema[] = R"(
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'ruleDomain' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'ruleCode' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )
attributetype ( 1.3.6.1.4.1.4203.666.1.903 NAME 'ruleText' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.904 NAME 'ruleBytes' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'reboundRule' SUP top STRUCTURAL MUST cn MAY ( ruleDomain $ ruleCode $ ruleText $ ruleBytes ) )
)";

}  // namespace

TestLdap::TestLdap(std::string_view ldif)
    : folder_("rebound-test-ldap-"), port_(FreePort()), tls_port_(FreePort()) {
  Configure();
  Load(ldif);
  Start();
}

TestLdap::~TestLdap() { Kill(); }

void TestLdap::Configure() const {
  const std::string place = folder_.path();
  Must(
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=rebound-test -addext "
      "subjectAltName=IP:127.0.0.1 -keyout " +
      place + "/key.pem -out " + place + "/cert.pem");
  WriteFileDurably(folder_.path() / "slapd.conf",
                   "include /etc/ldap/schema/core.schema\n" + std::string(kSchema) +
                       "modulepath /usr/lib/ldap\nmoduleload back_mdb\nthreads 2\n"
                       "TLSCertificateFile " +
                       place + "/cert.pem\nTLSCertificateKeyFile " + place +
                       "/key.pem\n"
                       "database mdb\nsuffix dc=example,dc=org\nmaxsize 268435456\n"
                       "limits * size.soft=500 size.hard=500 size.pr=1000 size.prtotal=unlimited\n"
                       "directory " +
                       place +
                       "/data\n"
                       "access to attrs=userPassword by anonymous auth\n"
                       "access to dn.subtree=ou=closed,dc=example,dc=org\n"
                       "  by dn.exact=cn=reader,dc=example,dc=org read\n  by * none\n"
                       "access to * by * read\n");
}

void TestLdap::Load(std::string_view ldif) const {
  const fs::path place = folder_.path();
  fs::create_directory(place / "data");
  WriteFileDurably(place / "all.ldif", kTree + std::string(ldif));
  Must("/usr/sbin/slapadd -q -f " + (place / "slapd.conf").string() + " -l " +
       (place / "all.ldif").string());
  if (const passwd* owner = Owner()) {
    Must("chown -R " + std::to_string(owner->pw_uid) + ":" + std::to_string(owner->pw_gid) + " " +
         place.string());
  }
}

void TestLdap::Start() {
  const std::string listeners =
      "ldap://127.0.0.1:" + port_ + "/ ldaps://127.0.0.1:" + tls_port_ + "/ " + socket_uri();
  const std::string configuration = folder_.path() / "slapd.conf";
  const std::string log = folder_.path() / "log";
  const passwd* owner = Owner();
  const pid_t tester = ::getpid();
  process_ = ::fork();
  if (process_ == 0) {
    if (owner != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(owner->pw_gid) != 0 ||
                             ::setuid(owner->pw_uid) != 0)) {
      ::_exit(126);
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != tester) ::_exit(126);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execl(kSlapd, kSlapd, "-d", "0", "-f", configuration.c_str(), "-h", listeners.c_str(),
            nullptr);
    ::_exit(127);
  }
  while (!Answers(port_)) {
    if (::waitpid(process_, nullptr, WNOHANG) != 0) {
      process_ = 0;
      throw Error(ErrorCode::kUnavailable, "slapd does not start (is the package slapd there?): " +
                                               (fs::exists(log) ? ReadFile(log) : ""));
    }
    ::poll(nullptr, 0, 5);
  }
}

void TestLdap::Kill() {
  if (process_ == 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

void TestLdap::Freeze(bool is_on) {
  ::kill(process_, is_on ? SIGSTOP : SIGCONT);
  if (is_on) ::waitpid(process_, nullptr, WUNTRACED);
}

std::string TestLdap::uri(const std::string& login) const {
  return "ldap://" + login + (login.empty() ? "" : "@") + "127.0.0.1:" + port_ + "/";
}

std::string TestLdap::tls_uri() const { return "ldaps://127.0.0.1:" + tls_port_ + "/"; }

std::string TestLdap::socket_uri() const {
  std::string path = folder_.path() / "socket";
  for (size_t at = path.find('/'); at != path.npos; at = path.find('/')) path.replace(at, 1, "%2F");
  return "ldapi://" + path + "/";
}

}  // namespace rebound::test
