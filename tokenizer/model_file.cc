#include "tokenizer/model_file.h"

#include <bit>
#include <cstring>

#include "base/error.h"

namespace rebound {
namespace {

[[noreturn]] void Corrupt(const std::string& what) {
  throw Error(ErrorCode::kCorrupt,
              "tokenizer model: " + what + "; make it again with rebound-tokenizer");
}

// Reads one protobuf message field by field.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  // The next field, or false at the end of the message.
  bool Next() {
    if (rest_.empty()) return false;
    const uint64_t key = Varint();
    number_ = key >> 3;
    wire_ = key & 7;
    if (number_ == 0) Corrupt("not a SentencePiece model (field number 0)");
    switch (wire_) {
      case 0:
        varint_ = Varint();
        break;
      case 1:
        Take(8);
        break;
      case 2: {
        const uint64_t length = Varint();
        if (length > rest_.size()) Corrupt("cut short (a field runs beyond the end)");
        Take(static_cast<size_t>(length));
        break;
      }
      case 5:
        Take(4);
        break;
      default:
        Corrupt("not a SentencePiece model (wire type " + std::to_string(wire_) + ")");
    }
    return true;
  }

  uint64_t number() const { return number_; }
  std::string_view Bytes() const {
    Expect(2);
    return bytes_;
  }
  int64_t Int() const {
    Expect(0);
    return static_cast<int64_t>(varint_);
  }
  bool Bool() const { return Int() != 0; }
  float Float() const {
    Expect(5);
    uint32_t bits = 0;
    for (size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes_[i]);
    return std::bit_cast<float>(bits);
  }

 private:
  void Expect(uint64_t wire) const {
    if (wire_ != wire) Corrupt("field " + std::to_string(number_) + " has another type");
  }
  void Take(size_t length) {
    if (length > rest_.size()) Corrupt("cut short (a field runs beyond the end)");
    bytes_ = rest_.substr(0, length);
    rest_.remove_prefix(length);
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) Corrupt("cut short (in a number)");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    Corrupt("a number of more than 64 bits");
  }

  std::string_view rest_;
  uint64_t number_ = 0;
  uint64_t wire_ = 0;
  uint64_t varint_ = 0;
  std::string_view bytes_;
};

ModelPiece ParsePiece(std::string_view bytes) {
  ModelPiece piece;
  FieldReader field(bytes);
  while (field.Next()) {
    if (field.number() == 1) piece.text = field.Bytes();
    if (field.number() == 2) {
      piece.score = field.Float();
      piece.has_score = true;
    }
    if (field.number() == 3) {
      const int64_t type = field.Int();
      if (type < 1 || type > 6) Corrupt("piece of unknown type " + std::to_string(type));
      piece.type = static_cast<PieceType>(type);
    }
  }
  return piece;
}

void ParseTrainerSpec(std::string_view bytes, ModelFile* model) {
  FieldReader field(bytes);
  while (field.Next()) {
    if (field.number() == 3) model->model_type = field.Int();
    if (field.number() == 24) model->whitespace_as_suffix = field.Bool();
    if (field.number() == 35) model->byte_fallback = field.Bool();
  }
}

void ParseNormalizerSpec(std::string_view bytes, ModelFile* model) {
  FieldReader field(bytes);
  while (field.Next()) {
    if (field.number() == 2) model->charsmap = field.Bytes();
    if (field.number() == 3) model->add_dummy_prefix = field.Bool();
    if (field.number() == 4) model->remove_extra_whitespaces = field.Bool();
    if (field.number() == 5) model->escape_whitespaces = field.Bool();
  }
}

}  // namespace

ModelFile ParseModelFile(std::string_view bytes) {
  ModelFile model;
  FieldReader field(bytes);
  while (field.Next()) {
    if (field.number() == 1) model.pieces.push_back(ParsePiece(field.Bytes()));
    if (field.number() == 2) ParseTrainerSpec(field.Bytes(), &model);
    if (field.number() == 3) ParseNormalizerSpec(field.Bytes(), &model);
  }
  if (model.pieces.empty()) Corrupt("no pieces in it");
  return model;
}

}  // namespace rebound
