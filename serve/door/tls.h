// TLS 1.2 and 1.3 over bytes, without sockets: OpenSSL reads from and writes to memory.
//
// A TlsContext is what the files held when it was loaded: certificate, key, client authorities.
// A TlsSession is one connection's state: wire bytes in, plain bytes out, and the other way. ALPN
// is http/1.1, sessions resume by tickets (with client certificates too), renegotiation is off.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace rebound {

enum class TlsClientAuth { kOptional, kRequire };

struct TlsOptions {
  std::filesystem::path certificate;  // PEM: the server's, then its intermediates; empty: no TLS
  std::filesystem::path key;          // PEM, not encrypted
  std::filesystem::path client_ca;    // PEM: who may sign clients' certificates; empty: none asked
  std::filesystem::path client_crl;   // PEM: which of those are revoked; empty: none is looked at
  TlsClientAuth client_auth = TlsClientAuth::kRequire;

  bool enabled() const { return !certificate.empty(); }
};

// Immutable.
class TlsContext {
 public:
  // Throws kInvalidArgument naming the file, what is wrong with it and the remedy.
  explicit TlsContext(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const std::string& subject() const { return subject_; }
  std::chrono::system_clock::time_point not_before() const { return not_before_; }
  std::chrono::system_clock::time_point not_after() const { return not_after_; }
  // When the first of the revocation lists ends: from then on no client of its authority comes in.
  // nullopt: there is none, or none that ends.
  std::optional<std::chrono::system_clock::time_point> crl_ends() const { return crl_ends_; }

 private:
  friend class TlsSession;

  void UseCertificate(const std::filesystem::path& file);
  void UseKey(const TlsOptions& options);
  void UseClientAuthorities(const TlsOptions& options);
  void UseRevocations(const TlsOptions& options);

  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
  bool asks_clients_ = false;
  std::string subject_;
  std::chrono::system_clock::time_point not_before_;
  std::chrono::system_clock::time_point not_after_;
  std::optional<std::chrono::system_clock::time_point> crl_ends_;
};

// Thread-compatible.
class TlsSession {
 public:
  enum class State {
    kHandshake,
    kOpen,
    kEnded,   // the client said close_notify: nothing more comes, answers may still go
    kFailed,  // nothing but what stands in `wire` (an alert) may be sent any more
  };
  // A client may say this much before its handshake is done.
  static constexpr size_t kMaxHandshakeBytes = 64 * 1024;

  explicit TlsSession(std::shared_ptr<const TlsContext> context);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  // Takes bytes that came. Appends what they say to `plain`, and to `wire` what must be sent.
  State Receive(std::string_view bytes, std::string* plain, std::string* wire);
  // REQUIRES: kOpen or kEnded. Appends `plain`, encrypted, to `wire`; false where the session is
  // broken: hang up.
  bool Send(std::string_view plain, std::string* wire);
  // Appends close_notify to `wire` where the session is open; after it nothing is sent.
  void Close(std::string* wire);

  State state() const { return state_; }
  // Why the session failed, for the log.
  const std::string& error() const { return error_; }
  // Of the client certificate that was verified, as RFC 2253 writes it; empty where there is none.
  const std::string& client_subject() const { return client_subject_; }
  bool resumed() const;

 private:
  struct Wire;  // the BIO between OpenSSL and the two strings
  friend struct Wire;

  void Handshake();
  void AdmitClient();
  void Decrypt(std::string* plain);
  void Fail(const std::string& why);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  const std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  State state_ = State::kHandshake;
  bool closed_ = false;
  size_t handshake_bytes_ = 0;
  std::string error_;
  std::string client_subject_;
  std::string_view incoming_;  // during a call: what OpenSSL has not read yet
  std::string* outgoing_ = nullptr;
};

}  // namespace rebound
