// SHA-256 by OpenSSL. Thread-safe.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rebound {

// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);
std::string Sha256HexOfFile(const std::filesystem::path& path);

// The first 8 bytes of SHA-256, big-endian: a stable hash for splits and seeds.
uint64_t StableHash(std::string_view bytes);

// A digest fed piece by piece. Thread-compatible.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(std::string_view bytes);
  // Ends the digest; call once.
  std::string FinishHex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Compares without telling by its time where the two differ.
bool EqualInConstantTime(std::string_view a, std::string_view b);

}  // namespace rebound
