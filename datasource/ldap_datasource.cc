#include <fcntl.h>
#include <lber.h>
#include <ldap.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "datasource/ldap_query.h"
#include "datasource/no_pipe_signal.h"
#include "datasource/read_guard.h"
#include "datasource/sources.h"
#include "datasource/uri.h"
#include "datasource/watchdog.h"

namespace rebound {
namespace {

constexpr ber_int_t kPageSize = 1000;

[[noreturn]] void Refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

struct SessionCloser {
  void operator()(LDAP* session) const { ldap_unbind_ext(session, nullptr, nullptr); }
};
using Session = std::unique_ptr<LDAP, SessionCloser>;
struct MessageFreer {
  void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
};
using Message = std::unique_ptr<LDAPMessage, MessageFreer>;
struct ControlFreer {
  void operator()(LDAPControl* control) const { ldap_control_free(control); }
};
using Control = std::unique_ptr<LDAPControl, ControlFreer>;

// Ends a session's connection from another thread. libldap watches the time while it connects and
// while it waits for an answer to begin, but neither in a TLS handshake (with GnuTLS it spins there
// for ever) nor inside an answer. Thread-safe.
class Breaker {
 public:
  Breaker() {
    callback_.lc_add = &Breaker::OnConnect;
    callback_.lc_del = [](LDAP*, Sockbuf*, ldap_conncb*) {};
    callback_.lc_arg = this;
  }
  ~Breaker() {
    if (fd_ >= 0) ::close(fd_);
  }
  Breaker(const Breaker&) = delete;
  Breaker& operator=(const Breaker&) = delete;

  // REQUIRES: outlives the session.
  void Watch(LDAP* session) { ldap_set_option(session, LDAP_OPT_CONNECT_CB, &callback_); }

  void Break() {
    const std::lock_guard lock(mutex_);
    is_broken_ = true;
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }

 private:
  // The socket is connected; TLS has not begun.
  static int OnConnect(LDAP* session, Sockbuf* buffer, LDAPURLDesc*, sockaddr*,
                       ldap_conncb* callback) {
    int fd = -1;
    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &fd);
    // From here on it may block, which shutdown ends, rather than spin.
    ldap_set_option(session, LDAP_OPT_NETWORK_TIMEOUT, nullptr);
    static_cast<Breaker*>(callback->lc_arg)->Take(fd);
    return 0;
  }

  // A copy of its own: libldap may close its descriptor, and another file get the number.
  void Take(int fd) {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (is_broken_) ::shutdown(fd, SHUT_RDWR);
  }

  ldap_conncb callback_{};
  std::mutex mutex_;
  bool is_broken_ = false;
  int fd_ = -1;
};

ErrorCode CodeOf(int result) {
  switch (result) {
    case LDAP_NO_SUCH_OBJECT:
      return ErrorCode::kNotFound;
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
      return ErrorCode::kTooLarge;
    case LDAP_SERVER_DOWN:
    case LDAP_TIMEOUT:
    case LDAP_CONNECT_ERROR:
    case LDAP_NO_MEMORY:
    case LDAP_LOCAL_ERROR:
    case LDAP_DECODING_ERROR:
    case LDAP_ENCODING_ERROR:
    case LDAP_BUSY:
    case LDAP_UNAVAILABLE:
    case LDAP_OPERATIONS_ERROR:
    case LDAP_PROTOCOL_ERROR:
    case LDAP_TIMELIMIT_EXCEEDED:
    case LDAP_OTHER:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInvalidArgument;
  }
}

const char* RemedyOf(int result) {
  switch (result) {
    case LDAP_INVALID_CREDENTIALS:
    case LDAP_INAPPROPRIATE_AUTH:
      return ": check the user's DN and the password";
    case LDAP_INSUFFICIENT_ACCESS:
      return ": grant this user the right to read";
    case LDAP_CONFIDENTIALITY_REQUIRED:
    case LDAP_STRONG_AUTH_REQUIRED:
      return ": use ldaps://";
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
      return ": narrow the filter, or raise the server's limit for this user";
    case LDAP_SERVER_DOWN:
    case LDAP_CONNECT_ERROR:
      return ": check that the server runs there and, with TLS, that its certificate is trusted";
    default:
      return "";
  }
}

// The values of one attribute of an entry; the DN where it is named "dn".
class Values {
 public:
  Values(LDAP* session, LDAPMessage* entry, const std::string& attribute) {
    values_ = ldap_get_values_len(session, entry, attribute.c_str());
    for (berval** value = values_; value != nullptr && *value != nullptr; ++value) {
      views_.emplace_back((*value)->bv_val, (*value)->bv_len);
    }
    if (views_.empty() && AsciiLower(attribute) == "dn") {
      dn_ = ldap_get_dn(session, entry);
      if (dn_ != nullptr) views_.emplace_back(dn_);
    }
    if (views_.empty()) views_.emplace_back("");
  }
  ~Values() {
    ldap_value_free_len(values_);
    ldap_memfree(dn_);
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  const std::vector<std::string_view>& views() const { return views_; }

 private:
  berval** values_ = nullptr;
  char* dn_ = nullptr;
  std::vector<std::string_view> views_;  // never empty
};

class LdapDatasource final : public Datasource {
 public:
  LdapDatasource(const std::string& scheme, std::string_view rest, DatasourceLimits limits)
      : limits_(limits) {
    Authority parts = ParseAuthority(rest);
    const bool is_local = scheme == "ldapi";
    const std::string form = scheme + (is_local ? "://%2Fpath%2Fof%2Fsocket/" : "://host:port/");
    if (!parts.rest.empty()) {
      Refuse("the datasource's address goes on behind the server: write it like " + form +
             " and the base and filter into the query");
    }
    if (parts.user.empty() != parts.password.empty()) {
      // A server takes a user without password for nobody, and says it is well.
      Refuse("the datasource's address needs a user and a password, or neither: write it like " +
             scheme + "://cn=reader,dc=example:${NAME}@" + form.substr(scheme.size() + 3));
    }
    const std::string port = parts.port.empty() ? "" : ":" + parts.port;
    address_ = scheme + "://" + parts.host + port + "/";
    LDAPURLDesc* parsed = nullptr;
    if (is_local ? PercentDecode(parts.host).find('/') != 0
                 : ldap_url_parse(address_.c_str(), &parsed) != LDAP_URL_SUCCESS) {
      Refuse("the datasource's address names no server: write it like " + form);
    }
    ldap_free_urldesc(parsed);
    user_ = std::move(parts.user);
    password_ = std::move(parts.password);
    description_ = "LDAP " + (is_local ? "on " + PercentDecode(parts.host) : parts.host + port);
  }

  void Read(std::string_view text, size_t columns, const Row& row) override {
    ReadGuard guard(limits_, description_);
    const LdapQuery query = ParseLdapQuery(text, description_);
    guard.CheckColumns(query.attributes.size(), columns);
    const NoPipeSignal no_pipe_signal;
    Breaker breaker;
    const Session session = Open(guard);
    breaker.Watch(session.get());
    const Watchdog watchdog(guard.left(), [&] { breaker.Break(); });
    Bind(session.get(), guard);
    std::string cookie;
    do {
      cookie = ReadPage(session.get(), query, cookie, &guard, row);
    } while (!cookie.empty());
  }

  std::string description() const override { return description_; }

 private:
  // Connects to nothing yet.
  Session Open(const ReadGuard& guard) const {
    LDAP* opened = nullptr;
    const int result = ldap_initialize(&opened, address_.c_str());
    if (result != LDAP_SUCCESS) Throw(result, "");
    Session session(opened);
    const int version = LDAP_VERSION3;
    ldap_set_option(opened, LDAP_OPT_PROTOCOL_VERSION, &version);
    // Another server would get this one's password.
    ldap_set_option(opened, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(opened, LDAP_OPT_RESTART, LDAP_OPT_ON);
    const timeval left = Left(guard);
    ldap_set_option(opened, LDAP_OPT_NETWORK_TIMEOUT, &left);
    ldap_set_option(opened, LDAP_OPT_TIMEOUT, &left);
    return session;
  }

  static timeval Left(const ReadGuard& guard) {
    const auto left = guard.left().count();
    return {left / 1000, static_cast<suseconds_t>(left % 1000 * 1000)};
  }

  // Anonymous where the address names no user.
  void Bind(LDAP* session, const ReadGuard& guard) const {
    if (user_.empty()) return;
    berval password{password_.size(), const_cast<char*>(password_.data())};
    int id = 0;
    const int sent =
        ldap_sasl_bind(session, user_.c_str(), LDAP_SASL_SIMPLE, &password, nullptr, nullptr, &id);
    if (sent != LDAP_SUCCESS) ThrowLast(session, sent, guard);
    const Message answer = Next(session, id, guard);
    CheckEnd(session, answer.get(), guard, nullptr);
  }

  // The next message of operation `id`.
  Message Next(LDAP* session, int id, const ReadGuard& guard) const {
    guard.CheckTime();
    timeval left = Left(guard);
    LDAPMessage* message = nullptr;
    const int type = ldap_result(session, id, LDAP_MSG_ONE, &left, &message);
    if (type == 0) guard.ThrowTimeout();
    if (type < 0) ThrowLast(session, LDAP_SERVER_DOWN, guard);
    return Message(message);
  }

  // Sends one search and tells its entries; returns the cookie of the next page, "" behind the
  // last.
  std::string ReadPage(LDAP* session, const LdapQuery& query, const std::string& cookie,
                       ReadGuard* guard, const Row& row) const {
    berval at{cookie.size(), const_cast<char*>(cookie.data())};
    LDAPControl* made = nullptr;
    // Not critical: a server without pages gives everything at once.
    if (ldap_create_page_control(session, kPageSize, &at, 0, &made) != LDAP_SUCCESS) {
      Throw(LDAP_NO_MEMORY, "");
    }
    const Control control(made);
    LDAPControl* controls[] = {made, nullptr};
    std::vector<char*> names;
    for (const std::string& name : query.attributes)
      names.push_back(const_cast<char*>(name.c_str()));
    names.push_back(nullptr);
    timeval left = Left(*guard);
    int id = 0;
    const int sent = ldap_search_ext(session, query.base.c_str(), query.scope, query.filter.c_str(),
                                     names.data(), 0, controls, nullptr, &left, LDAP_NO_LIMIT, &id);
    if (sent != LDAP_SUCCESS) ThrowLast(session, sent, *guard);
    while (true) {
      const Message message = Next(session, id, *guard);
      const int type = ldap_msgtype(message.get());
      if (type == LDAP_RES_SEARCH_ENTRY) {
        TellEntry(session, message.get(), query, guard, row);
      } else if (type == LDAP_RES_SEARCH_RESULT) {
        std::string next;
        CheckEnd(session, message.get(), *guard, &next);
        return next;
      }
    }
  }

  // A row for every combination of the values, as a join would give: values of an attribute are a
  // set, so that the n-th of two attributes have nothing to do with each other.
  static void TellEntry(LDAP* session, LDAPMessage* entry, const LdapQuery& query, ReadGuard* guard,
                        const Row& row) {
    std::vector<std::unique_ptr<Values>> columns;
    for (const std::string& name : query.attributes) {
      columns.push_back(std::make_unique<Values>(session, entry, name));
    }
    std::vector<size_t> at(columns.size(), 0);
    std::vector<std::string_view> fields(columns.size());
    while (true) {
      for (size_t c = 0; c < columns.size(); ++c) fields[c] = columns[c]->views()[at[c]];
      guard->Tell(fields, row);
      size_t c = columns.size();  // the last column turns fastest
      while (c > 0 && ++at[c - 1] == columns[c - 1]->views().size()) at[--c] = 0;
      if (c == 0) return;
    }
  }

  // Throws unless the operation went well; takes the cookie of the next page.
  void CheckEnd(LDAP* session, LDAPMessage* message, const ReadGuard& guard,
                std::string* cookie) const {
    int result = LDAP_OTHER;
    char* text = nullptr;
    LDAPControl** controls = nullptr;
    const int parsed =
        ldap_parse_result(session, message, &result, nullptr, &text, nullptr, &controls, 0);
    const std::string reason = text == nullptr ? "" : text;
    ldap_memfree(text);
    const std::unique_ptr<LDAPControl*, void (*)(LDAPControl**)> owner(controls,
                                                                       ldap_controls_free);
    if (parsed != LDAP_SUCCESS) Throw(parsed, "");
    if (result == LDAP_TIMELIMIT_EXCEEDED && guard.is_over()) guard.ThrowTimeout();
    if (result != LDAP_SUCCESS) Throw(result, reason);
    LDAPControl* page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nullptr);
    if (cookie == nullptr || page == nullptr) return;
    ber_int_t estimate = 0;
    berval next{0, nullptr};
    if (ldap_parse_pageresponse_control(session, page, &estimate, &next) != LDAP_SUCCESS) {
      Throw(LDAP_DECODING_ERROR, "");
    }
    if (next.bv_val != nullptr) cookie->assign(next.bv_val, next.bv_len);
    ldap_memfree(next.bv_val);
  }

  // With what libldap itself knows of the fault.
  [[noreturn]] void ThrowLast(LDAP* session, int result, const ReadGuard& guard) const {
    if (guard.is_over() || result == LDAP_TIMEOUT) guard.ThrowTimeout();
    char* text = nullptr;
    ldap_get_option(session, LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    const std::string reason = text == nullptr ? "" : text;
    ldap_memfree(text);
    Throw(result, reason);
  }

  [[noreturn]] void Throw(int result, const std::string& reason) const {
    throw Error(CodeOf(result), description_ + ": " + ldap_err2string(result) +
                                    (reason.empty() ? "" : " (" + reason + ")") + RemedyOf(result));
  }

  const DatasourceLimits limits_;
  std::string address_;
  std::string user_;
  std::string password_;
  std::string description_;
};

}  // namespace

std::unique_ptr<Datasource> MakeLdapDatasource(const std::string& scheme, std::string_view rest,
                                               DatasourceLimits limits) {
  return std::make_unique<LdapDatasource>(scheme, rest, limits);
}

}  // namespace rebound
