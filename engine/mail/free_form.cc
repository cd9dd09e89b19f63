#include "engine/mail/free_form.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/text.h"
#include "engine/mail/address.h"
#include "engine/mail/reason.h"

namespace rebound {
namespace {

constexpr size_t kMostReasonLines = 12;

struct AddressLine {
  std::string_view address;
  std::string_view rest;  // of the line, behind the colon
  bool certain = false;   // "<address>:", which nothing but a report writes
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// "To: ", "Recipient: ", "* " before an address.
std::string_view WithoutLabel(std::string_view line) {
  line = Trim(line);
  while (line.starts_with("* ") || line.starts_with("- ") || line.starts_with("\u2022")) {
    line = Trim(line.substr(line[0] == '*' || line[0] == '-' ? 1 : 3));
  }
  static constexpr std::array<std::string_view, 8> kLabels = {
      "to:",   "recipient:", "recipients:", "recipient address:", "failed recipient:",
      "rcpt:", "address:",   "user:"};
  const std::string lower = AsciiLower(line.substr(0, 24));
  for (const std::string_view label : kLabels) {
    if (lower.starts_with(label)) return Trim(line.substr(label.size()));
  }
  return line;
}

// What may stand between a name and the address that it belongs to.
bool IsName(std::string_view text) {
  return text.size() < 64 && std::count(text.begin(), text.end(), ' ') <= 4 &&
         text.find_first_of(":.;!?") == std::string_view::npos;
}

// "on 1/1/2005", "am 01.01.2005": the time that Exchange puts behind an address.
bool IsTime(std::string_view rest) {
  const size_t blank = rest.find(' ');
  return blank != std::string_view::npos && blank > 0 && blank <= 4 && blank + 1 < rest.size() &&
         IsDigit(rest[blank + 1]);
}

std::optional<AddressLine> ReadAddressLine(std::string_view raw) {
  if (raw.size() > 2000) raw = raw.substr(0, 2000);
  const std::string_view line = WithoutLabel(raw);
  const std::optional<FoundAddress> found = FindAddress(line);
  if (!found) return std::nullopt;
  std::string_view rest = Trim(line.substr(found->end));
  const bool bracketed = found->end - found->begin > found->address.size();
  if (found->begin > 0) {  // "User Name (user@example.com)<mailto:user@example.com>"
    const bool name = bracketed && IsName(line.substr(0, found->begin)) &&
                      (rest.empty() || rest.starts_with("<mailto:") || rest == ":");
    if (!name) return std::nullopt;
    return AddressLine{found->address, {}};
  }
  if (rest.starts_with("(expanded from") || rest.starts_with("(generated from")) {
    const size_t close = rest.find(')');
    rest = close == std::string_view::npos ? "" : Trim(rest.substr(close + 1));
  }
  if (rest.empty()) return AddressLine{found->address, {}};
  if (rest.starts_with(':')) {
    return AddressLine{found->address, Trim(rest.substr(1)), bracketed};
  }
  if (rest.starts_with("...")) return AddressLine{found->address, Trim(rest.substr(3))};
  if (rest.starts_with('(') || rest.starts_with('#') || rest.starts_with("- ")) {
    return AddressLine{found->address, rest};
  }
  const bool apart = line.substr(found->end, 2) == "  " || line.substr(found->end, 1) == "\t";
  if (bracketed && apart) return AddressLine{found->address, rest};
  if (rest.starts_with("<mailto:") || IsTime(rest)) return AddressLine{found->address, {}};
  return std::nullopt;
}

// The address of "(generated from user@example.com)".
std::string OriginOf(std::string_view line) {
  const std::string lower = AsciiLower(line.substr(0, 1000));
  for (const std::string_view lead : {"generated from ", "(expanded from"}) {
    const size_t at = lower.find(lead);
    if (at == std::string::npos) continue;
    const std::optional<FoundAddress> found = FindAddress(line, at + lead.size());
    if (found) return std::string(found->address);
  }
  return "";
}

struct Reason {
  std::string text;
  std::string remote;
  int score = 0;
};

class Reader {
 public:
  Reader(const HumanText& text, const KnownAddresses& known) : lines_(text.lines), known_(known) {
    for (const std::string_view line : lines_) scores_.push_back(ScoreOfReason(line));
  }

  std::vector<FreeFormRecipient> Read() {
    const FreeFormAgent agent = FindAgent(lines_);
    delayed_ = agent.delayed;
    domino_ = agent.name == "domino";
    ReadBlocks();
    if (out_.empty()) ReadSentences();
    ReadTranscript();
    FillFromWhole();
    return std::move(out_);
  }

 private:
  bool IsRecipient(std::string_view address) const {
    return !IsMailSystem(address) && known_.others.count(AsciiLower(address)) == 0;
  }

  // The best line of [begin, end) with what goes on it. `first`: words that stand before them.
  Reason BestReason(std::string_view first, size_t begin, size_t end) const {
    size_t best = end;
    int score = ScoreOfReason(first);
    for (size_t i = begin; i < end; ++i) {
      if (scores_[i] > score) {
        score = scores_[i];
        best = i;
      }
    }
    std::vector<std::string_view> taken;
    if (best == end) {
      if (!first.empty()) {
        taken.push_back(first);
        best = begin;
      } else {  // nothing that is known: the first words
        best = begin;
        while (best < end && Trim(lines_[best]).empty()) ++best;
      }
    } else if (score >= kSureReason) {
      while (best > begin && GoesOnReply(lines_[best - 1], lines_[best])) --best;
    } else {  // words are read from where their paragraph begins
      while (best > begin && !Trim(lines_[best - 1]).empty()) --best;
    }
    for (size_t i = best; i < end && taken.size() < kMostReasonLines; ++i) {
      if (Trim(lines_[i]).empty()) break;
      taken.push_back(lines_[i]);
    }
    Reason reason{JoinReason(taken), {}, score};
    if (!reason.text.empty() && reason.score == 0) reason.score = 1;
    reason.remote = RemoteOf(first, begin, end);
    return reason;
  }

  std::string RemoteOf(std::string_view first, size_t begin, size_t end) const {
    std::string all(first);
    for (size_t i = begin; i < end && all.size() < 4096; ++i) {
      all += ' ';
      all += lines_[i];
    }
    return FindRemoteHost(all);
  }

  // The words directly above an address, as Domino writes them.
  Reason ReasonAbove(size_t line) const {
    size_t begin = line;
    while (begin > 0 && line - begin < kMostReasonLines && !Trim(lines_[begin - 1]).empty() &&
           !Trim(lines_[begin - 1]).starts_with("---")) {
      --begin;
    }
    return begin == line ? Reason{} : BestReason({}, begin, line);
  }

  void Add(std::string_view address, std::string origin, Reason reason) {
    const std::string key = AsciiLower(address);
    const auto [at, is_new] = by_address_.try_emplace(key, out_.size());
    if (is_new) {
      out_.push_back({});
      out_.back().address = RepairUtf8(address);
      out_.back().delayed = delayed_;
    }
    FreeFormRecipient& recipient = out_[at->second];
    if (recipient.original_address.empty()) recipient.original_address = std::move(origin);
    if (reason.score > recipient.score) {
      recipient.score = reason.score;
      recipient.reason = std::move(reason.text);
      if (!reason.remote.empty()) recipient.remote_mta = std::move(reason.remote);
    }
  }

  struct Block {
    AddressLine address;
    std::string origin;
    size_t line;
  };

  // Whether an address line is the middle of a wrapped reason: "<a>: host x said: 550" and below
  // it, indented, "<b>: User unknown".
  bool GoesOn(const Block& block, const AddressLine& address, size_t line) const {
    if (Trim(lines_[line - 1]).empty() || block.address.rest.empty()) return false;
    const auto indent = [&](size_t i) { return lines_[i].find_first_not_of(" \t"); };
    return indent(line) > indent(block.line) || address.address == block.address.address;
  }

  // Where a section of another kind begins.
  size_t EndOfBlock(size_t begin, size_t end) const {
    for (size_t i = begin; i < end; ++i) {
      const std::string_view line = Trim(lines_[i]);
      if (line.starts_with("-----") &&
          AsciiLower(line.substr(0, 80)).find("transcript") != std::string::npos) {
        return i;
      }
    }
    return end;
  }

  void ReadBlocks() {
    std::vector<Block> blocks;
    for (size_t i = 0; i < lines_.size(); ++i) {
      std::string origin = OriginOf(lines_[i]);
      std::optional<AddressLine> address = ReadAddressLine(lines_[i]);
      if (address && !blocks.empty() && GoesOn(blocks.back(), *address, i)) continue;
      if (address && (address->certain || IsRecipient(address->address))) {
        blocks.push_back({*address, std::move(origin), i});
      } else if (!origin.empty()) {
        if (!blocks.empty() && blocks.back().line + 1 == i) {
          blocks.back().origin = std::move(origin);
        } else {  // a pipe or a file failed: "(generated from user@example.com)"
          const std::optional<FoundAddress> found = FindAddress(lines_[i]);
          const std::string_view above = i > 0 ? Trim(lines_[i - 1]) : std::string_view();
          const bool pipe = above.starts_with('|') || above.starts_with('/');
          if (found) blocks.push_back({{found->address, {}, false}, "", pipe ? i - 1 : i});
        }
      }
    }
    for (size_t b = 0; b < blocks.size(); ++b) {
      const Block& block = blocks[b];
      const size_t next = b + 1 < blocks.size() ? blocks[b + 1].line : lines_.size();
      size_t begin = block.line + 1;
      const size_t end = EndOfBlock(begin, next);
      if (begin < end && !OriginOf(lines_[begin]).empty()) ++begin;
      Reason reason = BestReason(block.address.rest, begin, end);
      if (reason.score < kLikelyReason || domino_) {
        Reason above = ReasonAbove(block.line);
        if (above.score >= kLikelyReason) reason = std::move(above);
      }
      Add(block.address.address, block.origin, std::move(reason));
    }
  }

  // Addresses in sentences: "Your message wasn't delivered to user@example.com because ...".
  void ReadSentences() {
    std::vector<std::pair<std::string_view, size_t>> found;
    for (size_t i = 0; i < lines_.size() && found.size() < 100; ++i) {
      for (std::optional<FoundAddress> at = FindAddress(lines_[i]); at;
           at = FindAddress(lines_[i], at->end)) {
        if (IsRecipient(at->address)) found.emplace_back(at->address, i);
        if (found.size() >= 100) break;
      }
    }
    const auto is_known = [&](const auto& one) {
      return known_.recipients.count(AsciiLower(one.first)) > 0;
    };
    if (std::any_of(found.begin(), found.end(), is_known)) {
      std::erase_if(found, [&](const auto& one) { return !is_known(one); });
    }
    for (size_t f = 0; f < found.size(); ++f) {
      const size_t begin = found[f].second;
      size_t end = lines_.size();
      for (size_t next = f + 1; next < found.size(); ++next) {
        if (found[next].second > begin && found[next].first != found[f].first) {
          end = found[next].second;
          break;
        }
      }
      Add(found[f].first, "", BestReason({}, begin, end));
    }
  }

  // Sendmail's session: ">>> RCPT To:<a>" and its answer; "550 5.1.1 <a>... User unknown".
  void ReadTranscript() {
    if (out_.empty()) return;
    std::string asked;
    for (size_t i = 0; i < lines_.size(); ++i) {
      const std::string_view line = Trim(lines_[i]);
      if (line.starts_with(">>>")) {
        const std::optional<FoundAddress> found = FindAddress(line);
        const bool rcpt = AsciiLower(line.substr(0, 16)).find("rcpt") != std::string::npos;
        asked = found && rcpt ? AsciiLower(found->address) : "";
        continue;
      }
      const bool answer = line.starts_with("<<<");
      const size_t dots = line.find("... ");
      if (!answer && dots == std::string_view::npos) continue;
      std::string address = asked;
      if (!answer) {
        const std::optional<FoundAddress> found = FindAddress(line.substr(0, dots));
        address = found ? AsciiLower(found->address) : "";
      }
      const auto at = by_address_.find(address);
      if (at == by_address_.end() || scores_[i] < kSureReason) continue;
      if (out_[at->second].score >= scores_[i]) continue;
      size_t end = i + 1;
      while (end < lines_.size() && answer && Trim(lines_[end]).starts_with("<<<")) ++end;
      Add(address, "", {JoinReason(std::span(lines_).subspan(i, end - i)), "", scores_[i]});
    }
  }

  // Who has no reason of their own gets the text's best; a text without recipients keeps it.
  void FillFromWhole() {
    const auto lacks = [](const FreeFormRecipient& r) { return r.score < kLikelyReason; };
    if (!out_.empty() && std::none_of(out_.begin(), out_.end(), lacks)) return;
    const Reason whole = BestReason({}, 0, lines_.size());
    if (whole.score < kLikelyReason) return;
    if (out_.empty()) {
      out_.push_back({"", "", whole.text, whole.remote, whole.score, delayed_});
      return;
    }
    for (FreeFormRecipient& recipient : out_) {
      if (!lacks(recipient)) continue;
      // Another recipient's reason is not this one's.
      const std::optional<FoundAddress> named = FindAddress(whole.text);
      const bool others = named && AsciiLower(named->address) != AsciiLower(recipient.address);
      if (others || (recipient.score > 0 && whole.score < kSureReason)) continue;
      recipient.reason = whole.text;
      recipient.score = whole.score;
      if (recipient.remote_mta.empty()) recipient.remote_mta = whole.remote;
    }
  }

  const std::vector<std::string_view>& lines_;
  const KnownAddresses& known_;
  std::vector<int> scores_;
  std::vector<FreeFormRecipient> out_;
  std::unordered_map<std::string, size_t> by_address_;
  bool delayed_ = false;
  bool domino_ = false;  // reasons stand above their addresses
};

}  // namespace

std::vector<FreeFormRecipient> ReadFreeForm(const HumanText& text, const KnownAddresses& known) {
  return Reader(text, known).Read();
}

}  // namespace rebound
