#include "serve/door/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

template <auto kFree>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using RevocationList = std::unique_ptr<X509_CRL, Freed<X509_CRL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

// The first fault that OpenSSL noted on this thread, in its own words; the notes are cleared.
std::string OpenSslReason() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "unknown cause" : reason;
  ERR_clear_error();
  return text;
}

[[noreturn]] void Bad(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "TLS: " + file.string() + ": " + what);
}

Bio ReadPem(const std::filesystem::path& file) {
  constexpr size_t kMost = 1 << 20;
  std::string bytes;
  try {
    bytes = ReadFile(file, kMost);
  } catch (const Error& e) {
    throw Error(ErrorCode::kInvalidArgument, std::string("TLS: ") + e.what());
  }
  Bio bio(BIO_new(BIO_s_mem()));
  if (BIO_write(bio.get(), bytes.data(), static_cast<int>(bytes.size())) !=
      static_cast<int>(bytes.size())) {
    throw std::bad_alloc();
  }
  return bio;
}

// All objects of a kind in a PEM file; what stands between them is ignored, as everywhere.
template <class Object, class Read>
std::vector<Object> ReadAll(const std::filesystem::path& file, const std::string& kind, Read read) {
  const Bio pem = ReadPem(file);
  std::vector<Object> objects;
  ERR_clear_error();
  while (auto* object = read(pem.get(), nullptr, nullptr, nullptr)) objects.emplace_back(object);
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
    Bad(file, "a " + kind + " in it cannot be read: " + OpenSslReason());
  }
  ERR_clear_error();
  if (objects.empty()) Bad(file, "there is no " + kind + " in it; PEM is expected");
  return objects;
}

std::vector<Certificate> ReadCertificates(const std::filesystem::path& file) {
  return ReadAll<Certificate>(file, "certificate", PEM_read_bio_X509);
}

std::chrono::system_clock::time_point TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string NameText(const X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(std::max(0L, length))};
}

std::string SubjectOf(const X509* certificate) {
  return NameText(X509_get_subject_name(certificate));
}

// A key that wants a passphrase must not stop the server at a prompt.
int NoPassphrase(char*, int, int, void*) { return -1; }

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_length,
                   const unsigned char* offered, unsigned int offered_length, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1\x08http/1.0";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kOurs, sizeof kOurs - 1, offered,
                            offered_length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301: no_application_protocol
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Of the current second; a client's certificate may have expired since its session began.
bool IsValidNow(const X509* certificate) {
  return X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0 &&
         X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }
void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsContext::TlsContext(const TlsOptions& options) : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr) throw Error(ErrorCode::kInternal, "TLS: " + OpenSslReason());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context, 32 * 1024);
  // Forward secrecy and authenticated encryption alone; TLS 1.3 has nothing else.
  if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
      SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") != 1) {
    throw Error(ErrorCode::kInternal, "TLS: no cipher is left: " + OpenSslReason());
  }
  // The state of a session lies in its ticket, with the client: no memory here for who never
  // returns. The tickets' key is this context's own and goes with it.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, 2 * 60 * 60);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  UseCertificate(options.certificate);
  UseKey(options);
  UseClientAuthorities(options);
  if (!options.client_crl.empty()) UseRevocations(options);
}

TlsContext::~TlsContext() = default;

void TlsContext::UseCertificate(const std::filesystem::path& file) {
  std::vector<Certificate> chain = ReadCertificates(file);
  const X509* leaf = chain.front().get();
  subject_ = SubjectOf(leaf);
  not_before_ = TimeOf(X509_get0_notBefore(leaf));
  not_after_ = TimeOf(X509_get0_notAfter(leaf));
  if (SSL_CTX_use_certificate(context_.get(), chain.front().get()) != 1) {
    Bad(file, "the certificate cannot be used: " + OpenSslReason());
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context_.get(), chain[i].get()) != 1) {
      Bad(file, "an intermediate certificate cannot be used: " + OpenSslReason());
    }
  }
}

void TlsContext::UseKey(const TlsOptions& options) {
  const Bio pem = ReadPem(options.key);
  ERR_clear_error();
  const Key key(PEM_read_bio_PrivateKey(pem.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    Bad(options.key, "no private key can be read from it: " + OpenSslReason() +
                         "; PEM without a passphrase is expected");
  }
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1 ||
      SSL_CTX_check_private_key(context_.get()) != 1) {
    Bad(options.key, "the key is not that of the certificate in " + options.certificate.string() +
                         " (" + OpenSslReason() + ")");
  }
}

void TlsContext::UseClientAuthorities(const TlsOptions& options) {
  // A session is resumed only where it was begun under the same rules: OpenSSL compares this id.
  std::string rules = options.client_auth == TlsClientAuth::kRequire ? "require" : "optional";
  if (!options.client_ca.empty()) {
    asks_clients_ = true;
    for (const Certificate& authority : ReadCertificates(options.client_ca)) {
      unsigned char digest[EVP_MAX_MD_SIZE];
      unsigned int length = 0;
      if (X509_digest(authority.get(), EVP_sha256(), digest, &length) != 1 ||
          X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.get()) != 1 ||
          SSL_CTX_add_client_CA(context_.get(), authority.get()) != 1) {
        Bad(options.client_ca, "a certificate in it cannot be used: " + OpenSslReason());
      }
      rules.append(reinterpret_cast<const char*>(digest), length);
    }
    const bool required = options.client_auth == TlsClientAuth::kRequire;
    SSL_CTX_set_verify(context_.get(),
                       SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  }
  unsigned char id[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(rules.data(), rules.size(), id, &length, EVP_sha256(), nullptr) != 1 ||
      SSL_CTX_set_session_id_context(context_.get(), id, length) != 1) {
    throw Error(ErrorCode::kInternal, "TLS: no session id: " + OpenSslReason());
  }
}

// OpenSSL refuses every client of an authority whose list is missing, foreign or out of date, so
// such a file must not come into use.
void TlsContext::UseRevocations(const TlsOptions& options) {
  const std::filesystem::path& file = options.client_crl;
  if (options.client_ca.empty()) Bad(file, "revocation lists are of use beside client authorities");
  const auto lists = ReadAll<RevocationList>(file, "revocation list", PEM_read_bio_X509_CRL);
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  for (const Certificate& authority : ReadCertificates(options.client_ca)) {
    const std::string name = SubjectOf(authority.get());
    const auto is_its = [&](const RevocationList& list) {
      return X509_NAME_cmp(X509_CRL_get_issuer(list.get()),
                           X509_get_subject_name(authority.get())) == 0 &&
             X509_CRL_verify(list.get(), X509_get0_pubkey(authority.get())) == 1;
    };
    const auto list = std::find_if(lists.begin(), lists.end(), is_its);
    ERR_clear_error();
    if (list == lists.end())
      Bad(file, "there is no revocation list in it that " + name + " signed");
  }
  for (const RevocationList& list : lists) {
    if (X509_STORE_add_crl(store, list.get()) != 1) {
      Bad(file, "a revocation list in it cannot be used: " + OpenSslReason());
    }
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get());
    if (next == nullptr) continue;
    if (X509_cmp_current_time(next) <= 0) {
      Bad(file, "the revocation list of " + NameText(X509_CRL_get_issuer(list.get())) +
                    " is out of date: fetch the next one");
    }
    crl_ends_ = std::min(crl_ends_.value_or(TimeOf(next)), TimeOf(next));
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

// OpenSSL's end of the wire. Reads from incoming_, appends to outgoing_; holds no bytes itself, so
// a connection at rest costs no buffer.
struct TlsSession::Wire {
  static TlsSession* Of(BIO* bio) { return static_cast<TlsSession*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* out, int size) {
    std::string_view& in = Of(bio)->incoming_;
    BIO_clear_retry_flags(bio);
    if (in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t count = in.copy(out, static_cast<size_t>(size));
    in.remove_prefix(count);
    return static_cast<int>(count);
  }
  static int Write(BIO* bio, const char* bytes, int size) {
    std::string* out = Of(bio)->outgoing_;
    BIO_clear_retry_flags(bio);
    try {
      out->append(bytes, static_cast<size_t>(size));
    } catch (...) {
      return -1;  // no exception may cross C: OpenSSL reports the write as failed
    }
    return size;
  }
  static long Control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* Make(TlsSession* session) {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made =
          BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "a connection's bytes");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    BIO* bio = BIO_new(method);
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, session);
    BIO_set_init(bio, 1);
    return bio;
  }
};

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context)
    : context_(std::move(context)), ssl_(SSL_new(context_->context_.get())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* wire = Wire::Make(this);
  SSL_set_bio(ssl_.get(), wire, wire);
  SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() = default;

bool TlsSession::resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

TlsSession::State TlsSession::Receive(std::string_view bytes, std::string* plain,
                                      std::string* wire) {
  if (state_ == State::kEnded || state_ == State::kFailed) return state_;
  incoming_ = bytes;
  outgoing_ = wire;
  ERR_clear_error();
  if (state_ == State::kHandshake) {
    handshake_bytes_ += bytes.size();
    Handshake();
  }
  if (state_ == State::kOpen) Decrypt(plain);
  if (state_ == State::kHandshake && handshake_bytes_ > kMaxHandshakeBytes) {
    Fail("the handshake is longer than " + std::to_string(kMaxHandshakeBytes) + " bytes");
  }
  incoming_ = {};
  outgoing_ = nullptr;
  return state_;
}

void TlsSession::Handshake() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    state_ = State::kOpen;
    AdmitClient();
  } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
    Fail(OpenSslReason());
  }
}

void TlsSession::AdmitClient() {
  if (!context_->asks_clients_) return;
  const Certificate client(SSL_get1_peer_certificate(ssl_.get()));
  if (client == nullptr) return;  // optional; where it is required the handshake has failed
  if (SSL_get_verify_result(ssl_.get()) != X509_V_OK || !IsValidNow(client.get())) {
    return Fail("the client's certificate is not valid any more");
  }
  client_subject_ = SubjectOf(client.get());
}

void TlsSession::Decrypt(std::string* plain) {
  constexpr size_t kRecord = 16 * 1024;
  thread_local std::array<char, kRecord> buffer;
  for (;;) {
    size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
    if (result == 1) {
      plain->append(buffer.data(), count);
      if (incoming_.empty() && SSL_pending(ssl_.get()) == 0) return;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_ZERO_RETURN) {
      state_ = State::kEnded;
    } else if (error != SSL_ERROR_WANT_READ) {
      Fail(OpenSslReason());
    }
    return;
  }
}

bool TlsSession::Send(std::string_view plain, std::string* wire) {
  if (closed_ || (state_ != State::kOpen && state_ != State::kEnded)) return false;
  if (plain.empty()) return true;
  outgoing_ = wire;
  ERR_clear_error();
  size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written);
  outgoing_ = nullptr;
  if (result != 1) Fail(OpenSslReason());
  return result == 1 && written == plain.size();
}

void TlsSession::Close(std::string* wire) {
  if (std::exchange(closed_, true) || (state_ != State::kOpen && state_ != State::kEnded)) return;
  outgoing_ = wire;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
  outgoing_ = nullptr;
}

void TlsSession::Fail(const std::string& why) {
  state_ = State::kFailed;
  error_ = why;
  client_subject_.clear();
}

}  // namespace rebound
