#include "labelstore/scene.h"

#include <cstdio>
#include <initializer_list>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace rebound {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kAlphanumeric =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

std::string Characters(Random* random, std::string_view alphabet, int64_t count) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) text += random->Pick(alphabet);
  return text;
}

template <class... Values>
std::string Print(const char* format, Values... values) {
  char buffer[128];
  const int size = std::snprintf(buffer, sizeof buffer, format, values...);
  return std::string(buffer, static_cast<size_t>(size));
}

// Draws stand in braces: only there is their order the same with every compiler.
std::string Join(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

std::vector<std::string> LoadList(const std::filesystem::path& folder, const char* name) {
  const auto path = folder / (std::string(name) + ".txt");
  std::vector<std::string> values;
  const std::string bytes = ReadFile(path);
  for (const std::string_view line : Split(bytes, '\n')) {
    const std::string_view value = Trim(line);
    if (!value.empty() && value.front() != '#') values.emplace_back(value);
  }
  if (values.empty()) throw Error(ErrorCode::kInvalidArgument, path.string() + " holds no value");
  return values;
}

}  // namespace

SlotLists LoadSlotLists(const std::filesystem::path& folder) {
  return {LoadList(folder, "user"),
          LoadList(folder, "domain_word"),
          LoadList(folder, "tld"),
          LoadList(folder, "host_prefix"),
          LoadList(folder, "sender_host_prefix"),
          LoadList(folder, "dnsbl"),
          LoadList(folder, "uribl"),
          LoadList(folder, "listname"),
          LoadList(folder, "file"),
          LoadList(folder, "country"),
          LoadList(folder, "name"),
          LoadList(folder, "virus"),
          LoadList(folder, "url_path")};
}

Scene::Scene(const SlotLists& lists, Random* random) : lists_(lists), random_(random) {
  user_ = random_->Pick(lists_.users);
  domain_ = MakeDomain();
  sender_user_ = random_->Pick(lists_.users);
  sender_domain_ = MakeDomain();
  host_ = Join(
      {random_->Pick(lists_.host_prefixes), ".", random_->Chance(700) ? domain_ : MakeDomain()});
  sender_host_ = Join({random_->Pick(lists_.sender_host_prefixes), ".",
                       random_->Chance(700) ? sender_domain_ : MakeDomain()});
  ip_ = MakeIp();
  remote_ip_ = MakeIp();
}

std::string Scene::MakeDomain() {
  std::string name = random_->Pick(lists_.domain_words);
  if (random_->Chance(300)) name += "-" + random_->Pick(lists_.domain_words);
  if (random_->Chance(150)) name += std::to_string(random_->Between(1, 365));
  return name + "." + random_->Pick(lists_.tlds);
}

std::string Scene::MakeIp() {
  int64_t first = random_->Between(1, 223);
  if (first == 10 || first == 127) first = 185;
  return Join({std::to_string(first), ".", std::to_string(random_->Below(256)), ".",
               std::to_string(random_->Below(256)), ".", std::to_string(random_->Between(1, 254))});
}

std::string Scene::MakeId() {
  switch (random_->Below(6)) {
    case 0:
      return Characters(random_, kHex, random_->Between(8, 12));
    case 1:  // a short queue id
      return Characters(random_, "0123456789ABCDEF", random_->Between(9, 11));
    case 2:  // a long queue id
      return "4" + Characters(random_, kAlphanumeric, random_->Between(10, 13));
    case 3:  // Exim's form
      return Join({"1", Characters(random_, kLetters, 1), Characters(random_, kAlphanumeric, 4),
                   "-", Characters(random_, kAlphanumeric, 6), "-",
                   Characters(random_, kAlphanumeric, 2)});
    case 4:  // Gmail's form
      return Join({Characters(random_, "abcdefghijklmnop", 1),
                   std::to_string(random_->Between(1, 40)), "si",
                   std::to_string(random_->Between(1000000, 99999999)),
                   Characters(random_, "abcdefghijklmnopqrstuvwxyz", 3)});
    default:
      return Characters(random_, kAlphanumeric, random_->Between(12, 24));
  }
}

std::string Scene::MakeNumber(std::string_view before) {
  if (!before.empty() && before.back() == '.') return std::to_string(random_->Between(2, 254));
  static constexpr std::array<int64_t, 10> kMost = {9, 9, 20, 50, 99, 100, 500, 999, 9999, 250000};
  return std::to_string(random_->Between(1, random_->Pick(kMost)));
}

std::string Scene::MakeDate() {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  static constexpr std::array<const char*, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                       "Fri", "Sat", "Sun"};
  const int year = static_cast<int>(random_->Between(2014, 2025));
  const int month = static_cast<int>(random_->Between(1, 12));
  const int day = static_cast<int>(random_->Between(1, 28));
  const int hour = static_cast<int>(random_->Below(24));
  const int minute = static_cast<int>(random_->Below(60));
  const int second = static_cast<int>(random_->Below(60));
  const char* month_name = kMonths[static_cast<size_t>(month - 1)];
  switch (random_->Below(4)) {
    case 0:  // one draw: the order of arguments is the compiler's choice
      return Print("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, hour, minute, second,
                   static_cast<int>(random_->Below(1000)));
    case 1:
      return Print("%s, %d %s %d %02d:%02d:%02d +0000", random_->Pick(kDays), day, month_name, year,
                   hour, minute, second);
    case 2:
      return Print("%04d-%02d-%02d %02d:%02d:%02d", year, month, day, hour, minute, second);
    default:
      return Print("%02d %s %d", day, month_name, year);
  }
}

std::string Scene::MakeUrl() {
  static constexpr std::array<const char*, 5> kHosts = {"www.", "postmaster.", "support.", "help.",
                                                        ""};
  std::string url = random_->Chance(600) ? "https://" : "http://";
  url += Join({random_->Pick(kHosts), MakeDomain(), "/"});
  for (const Piece& piece : ParsePieces(random_->Pick(lists_.url_paths))) {
    url += piece.kind == Piece::Kind::kSlot ? Value(piece.slot) : piece.text;
  }
  return url;
}

std::string Scene::Value(Slot slot, std::string_view before) {
  switch (slot) {
    case Slot::kEmail:
      return user_ + "@" + domain_;
    case Slot::kSender:
      return sender_user_ + "@" + sender_domain_;
    case Slot::kUser:
      return user_;
    case Slot::kDomain:
      return domain_;
    case Slot::kSenderDomain:
      return sender_domain_;
    case Slot::kHost:
      return host_;
    case Slot::kSenderHost:
      return sender_host_;
    case Slot::kIp:
      return ip_;
    case Slot::kIp6:
      return Join({"2", Characters(random_, kHex, 3), ":", Characters(random_, kHex, 4), ":",
                   Characters(random_, kHex, 4), "::", Characters(random_, kHex, 4)});
    case Slot::kRemoteIp:
      return remote_ip_;
    case Slot::kId:
      return MakeId();
    case Slot::kUuid:
      return Join({Characters(random_, kHex, 8), "-", Characters(random_, kHex, 4), "-4",
                   Characters(random_, kHex, 3), "-", Characters(random_, "89ab", 1),
                   Characters(random_, kHex, 3), "-", Characters(random_, kHex, 12)});
    case Slot::kNum:
      return MakeNumber(before);
    case Slot::kSize:
      return std::to_string(random_->Between(1000000, 99999999));
    case Slot::kUrl:
      return MakeUrl();
    case Slot::kDate:
      return MakeDate();
    case Slot::kSecs: {
      static constexpr std::array<int, 12> kSeconds = {10,  30,  60,  120, 180,  240,
                                                       300, 300, 600, 900, 1800, 3600};
      return std::to_string(random_->Chance(700) ? random_->Pick(kSeconds)
                                                 : random_->Between(5, 3600));
    }
    case Slot::kMins:
      return std::to_string(random_->Between(1, 90));
    case Slot::kHours:
      return std::to_string(random_->Between(1, 96));
    case Slot::kDnsbl:
      return random_->Pick(lists_.dnsbls);
    case Slot::kUribl:
      return random_->Pick(lists_.uribls);
    case Slot::kListName:
      return random_->Pick(lists_.list_names);
    case Slot::kFile:
      return random_->Pick(lists_.files);
    case Slot::kCountry:
      return random_->Pick(lists_.countries);
    case Slot::kName:
      return random_->Pick(lists_.names);
    case Slot::kVirus:
      return random_->Pick(lists_.viruses);
  }
  throw Error(ErrorCode::kInternal, "a slot without a value");
}

}  // namespace rebound
