#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "base/file.h"

namespace rebound {
namespace {

using Bytes = std::array<unsigned char, 32>;

Bytes Digest(std::string_view bytes) {
  Bytes out{};
  if (EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not compute a SHA-256");
  }
  return out;
}

std::string Hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(64);
  for (const unsigned char b : bytes) {
    hex.push_back(kDigits[b >> 4]);
    hex.push_back(kDigits[b & 15]);
  }
  return hex;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (state_->context == nullptr ||
      EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not start a SHA-256");
  }
}

Sha256::~Sha256() = default;

void Sha256::Update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not compute a SHA-256");
  }
}

std::string Sha256::FinishHex() {
  Bytes out{};
  if (EVP_DigestFinal_ex(state_->context, out.data(), nullptr) != 1) {
    throw Error(ErrorCode::kInternal, "OpenSSL could not end a SHA-256");
  }
  return Hex(out);
}

std::string Sha256Hex(std::string_view bytes) { return Hex(Digest(bytes)); }

std::string Sha256HexOfFile(const std::filesystem::path& path) {
  const MappedFile file(path);
  return Sha256Hex(file.bytes());
}

uint64_t StableHash(std::string_view bytes) {
  const Bytes digest = Digest(bytes);
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; ++i) hash = hash << 8 | digest[i];
  return hash;
}

bool EqualInConstantTime(std::string_view a, std::string_view b) {
  const Bytes x = Digest(a), y = Digest(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

}  // namespace rebound
