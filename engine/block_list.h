// The block lists that a text says somebody stands on.
//
// Known by the host of the list ("zen.spamhaus.org", its web pages) or by name. The name of a
// vendor who sells filters too ("Mimecast", "Barracuda") is a list only where the text says that
// something is blocked by it or listed there, and so is "RBL". docs/facts.md has the table and its
// sources. Linear in the text. Pure, Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace rebound {

enum class ListedKind : uint8_t { kIp, kDomain, kUri };
std::string_view ListedKindName(ListedKind kind);  // "ip", "domain", "uri"

struct BlockList {
  std::string_view name;    // "Spamhaus ZEN"
  std::string_view parent;  // the list or the vendor that it is part of; empty: none
  ListedKind kind;
  std::string_view zones;   // hosts with blanks between them; a host below one of them counts too
  std::string_view words;   // names with `|` between them; a blank in one is one or none, `-` or
                            // `_`; lower case stands for any case, capitals for themselves
  bool vendor;              // also a name of other things
  std::string_view delist;  // a page; "{}" at its end: what is listed
};
std::span<const BlockList> KnownBlockLists();

struct FoundList {
  const BlockList* list = nullptr;
  bool host = false;  // named by a host
  size_t at = 0;      // where the text names it first
};

struct FoundLists {
  static constexpr size_t kMost = 8;
  std::array<FoundList, kMost> all;
  size_t count = 0;
  std::span<const FoundList> view() const { return {all.data(), count}; }
};

// The most specific first: of a list and the one it is part of, the part alone; "RBL" only where no
// other is named. At most kMost.
FoundLists FindBlockLists(std::string_view text);

// What stands on the list: the IP address, or the domain. Empty where the text does not tell.
std::string FindListed(std::string_view text, const FoundList& found);
// The page to look `listed` up and to ask for its removal. Empty where there is none.
std::string DelistPage(const BlockList& list, std::string_view listed);

}  // namespace rebound
