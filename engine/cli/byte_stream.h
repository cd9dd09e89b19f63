// The bytes of a file or of standard input; gzip, bzip2, xz and zstd are unpacked, known by their
// first bytes. Memory is constant. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <streambuf>
#include <string>
#include <string_view>
#include <vector>

namespace rebound {

// "standard input" for "-".
std::string InputName(const std::string& path);
// Bytes of all files that have a size; 0: one has none (a pipe), so no end can be foretold.
int64_t TotalBytes(const std::vector<std::string>& paths);

class ByteStream {
 public:
  // "-": standard input. Throws kNotFound where the file is not there, kUnavailable where it cannot
  // be read, naming it.
  explicit ByteStream(const std::string& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Up to `size` bytes; 0 at the end, and once IsInterrupted. Throws kUnavailable where reading
  // fails, kCorrupt where packed bytes are broken or end early.
  size_t Read(char* bytes, size_t size);
  // Whether the next Read may have to wait for a pipe or a terminal.
  bool WouldWait() const;
  bool IsFile() const { return is_file_; }  // which never waits
  // Bytes of the file itself that were read, packed ones as they are.
  int64_t position() const { return position_; }
  const std::string& name() const { return name_; }

 private:
  struct Unpacker;
  size_t ReadRaw(char* bytes, size_t size);
  void Sniff();

  const std::string name_;
  int fd_ = -1;
  bool is_file_ = false;
  int64_t position_ = 0;
  std::string first_;  // read to know what it is, not given out yet
  std::unique_ptr<Unpacker> unpacker_;
};

// Lines of a stream. No line costs more memory than `longest`.
class LineReader {
 public:
  explicit LineReader(ByteStream* stream, size_t longest)
      : stream_(*stream), longest_(longest), buffer_(size_t{256} << 10, '\0') {}

  // The next line without its LF; false at the end. The view holds until the next call. Of a line
  // beyond `longest` its first longest + 1 bytes come, the rest is passed over.
  bool Next(std::string_view* line);
  // Whether the next line may have to wait for its bytes.
  bool WouldWait() const;

 private:
  bool Fill();
  void PassOver();

  ByteStream& stream_;
  const size_t longest_;
  std::string buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t looked_ = 0;  // [begin_, looked_) has no LF
  bool is_over_ = false;
};

// A stream for what reads std::istream. What Read throws passes through where the istream's
// exceptions() have badbit.
class ByteStreamBuffer : public std::streambuf {
 public:
  explicit ByteStreamBuffer(ByteStream* stream)
      : stream_(*stream), buffer_(size_t{64} << 10, '\0') {}

 protected:
  int_type underflow() override;

 private:
  ByteStream& stream_;
  std::string buffer_;
};

}  // namespace rebound
