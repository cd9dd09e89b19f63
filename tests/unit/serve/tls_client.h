// Certificates made for a test, and an HttpClient over TLS.
#pragma once

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/unit/serve/http_client.h"

namespace rebound::test {

struct CertificateWish {
  std::string name = "localhost";  // the subject's CN, and its DNS name
  long from_seconds = -3600;       // from now
  long to_seconds = 90L * 24 * 3600;
  bool authority = false;
};

// A key and its certificate, signed by `issuer` or by itself.
class Identity {
 public:
  explicit Identity(const CertificateWish& wish = {}, const Identity* issuer = nullptr)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    X509* x = certificate_.get();
    static long serial = 1000;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), wish.from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(x), wish.to_seconds);
    X509_NAME* name = X509_get_subject_name(x);
    for (const auto& [field, text] :
         {std::pair{"O", std::string("Rebound tests")}, std::pair{"CN", wish.name}}) {
      X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
    }
    const Identity& signer = issuer == nullptr ? *this : *issuer;
    X509_set_issuer_name(x, X509_get_subject_name(signer.certificate_.get()));
    X509_set_pubkey(x, key_.get());
    Extend(NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wish.authority) Extend(NID_subject_alt_name, "DNS:" + wish.name + ",IP:127.0.0.1");
    if (X509_sign(x, signer.key_.get(), EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
  }

  std::string CertificatePem() const {
    return Pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
  }
  std::string KeyPem() const {
    return Pem([&](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }
  // The revocation list of an authority, from an hour ago to `to_seconds` from now.
  std::string RevocationsPem(const std::vector<const Identity*>& revoked,
                             long to_seconds = 24L * 3600) const {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(X509_CRL_new(), X509_CRL_free);
    const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> time(ASN1_TIME_new(),
                                                                     ASN1_TIME_free);
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    X509_gmtime_adj(time.get(), -3600);
    X509_CRL_set1_lastUpdate(list.get(), time.get());
    for (const Identity* const identity : revoked) {
      X509_REVOKED* const entry = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity->certificate()));
      X509_REVOKED_set_revocationDate(entry, time.get());
      X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_gmtime_adj(time.get(), to_seconds);
    X509_CRL_set1_nextUpdate(list.get(), time.get());
    if (X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) == 0) {
      throw std::runtime_error("X509_CRL_sign");
    }
    return Pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list.get()); });
  }
  X509* certificate() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  void Extend(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    if (extension == nullptr) throw std::runtime_error("X509V3_EXT_conf_nid: " + value);
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Body>
  static std::string Pem(Body write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio, &bytes);
    std::string pem(bytes, static_cast<size_t>(length));
    BIO_free(bio);
    return pem;
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

// Writes the two files of a server.
inline void WriteIdentity(const Identity& identity, const std::filesystem::path& certificate,
                          const std::filesystem::path& key) {
  WriteFileDurably(key, identity.KeyPem());
  WriteFileDurably(certificate, identity.CertificatePem());
}

struct TlsWish {
  const Identity* trusted = nullptr;  // whom the server must be; null: anybody
  const Identity* own = nullptr;      // the client's certificate
  SSL_SESSION* session = nullptr;     // to resume
  int version = 0;                    // TLS1_2_VERSION or TLS1_3_VERSION alone; 0: any
  std::string protocols;              // ALPN: lengths and names
  std::string ciphers;
};

class TlsClient : public HttpClient {
 public:
  // Throws where the handshake fails, with OpenSSL's reason.
  explicit TlsClient(uint16_t port, const TlsWish& wish = {}, int receive_buffer = 0)
      : HttpClient(port, receive_buffer),
        context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        ssl_(nullptr, SSL_free) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (wish.version != 0) {
      SSL_CTX_set_min_proto_version(context, wish.version);
      SSL_CTX_set_max_proto_version(context, wish.version);
      if (wish.version < TLS1_2_VERSION) SSL_CTX_set_security_level(context, 0);
    }
    if (!wish.ciphers.empty()) SSL_CTX_set_cipher_list(context, wish.ciphers.c_str());
    if (wish.trusted != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), wish.trusted->certificate());
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (wish.own != nullptr) {
      SSL_CTX_use_certificate(context, wish.own->certificate());
      SSL_CTX_use_PrivateKey(context, wish.own->key());
    }
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, KeepSession);
    ssl_.reset(SSL_new(context));
    SSL_set_app_data(ssl_.get(), this);
    if (!wish.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wish.protocols.data()),
                          static_cast<unsigned>(wish.protocols.size()));
    }
    if (wish.session != nullptr) SSL_set_session(ssl_.get(), wish.session);
    SSL_set_tlsext_host_name(ssl_.get(), "localhost");
    SSL_set_fd(ssl_.get(), fd());
    ERR_clear_error();
    if (SSL_connect(ssl_.get()) != 1) {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      throw std::runtime_error(reason == nullptr ? "the server hung up" : reason);
    }
  }
  ~TlsClient() override {
    // OpenSSL would bar the session of a connection that was not shut down from being resumed.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    if (session_ != nullptr) SSL_SESSION_free(session_);
    Close();
  }

  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  int version() const { return SSL_version(ssl_.get()); }
  // The last ticket that came; it comes before the first answer. The caller does not own it.
  SSL_SESSION* session() const { return session_; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }
  std::string server_name() const {
    X509* server = SSL_get0_peer_certificate(ssl_.get());
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(server), NID_commonName, name, sizeof name);
    return name;
  }
  // close_notify.
  void FinishTls() { SSL_shutdown(ssl_.get()); }
  bool ServerSaidClose() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  SSL* ssl() const { return ssl_.get(); }
  // OpenSSL's word for what ended the connection.
  const std::string& error() const { return error_; }

 protected:
  ssize_t Write(std::string_view bytes) override {
    ERR_clear_error();
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  ssize_t Read(char* bytes, size_t size) override {
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), bytes, static_cast<int>(size));
    if (count <= 0) {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      if (reason != nullptr) error_ = reason;
    }
    return count;
  }
  bool HasUnread() const override { return SSL_pending(ssl_.get()) > 0; }

 private:
  static int KeepSession(SSL* ssl, SSL_SESSION* session) {
    auto* client = static_cast<TlsClient*>(SSL_get_app_data(ssl));
    if (client->session_ != nullptr) SSL_SESSION_free(client->session_);
    client->session_ = session;
    return 1;  // it is ours now
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  SSL_SESSION* session_ = nullptr;
  std::string error_;
};

}  // namespace rebound::test
