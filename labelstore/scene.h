// The people and machines of one bounce, so that its slots agree: {email} is {user}@{domain}.
// Thread-compatible.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "labelstore/seed_corpus.h"

namespace rebound {

// The value lists of labelstore/seed/slots, one file a list. Immutable.
struct SlotLists {
  std::vector<std::string> users, domain_words, tlds, host_prefixes, sender_host_prefixes, dnsbls,
      uribls, list_names, files, countries, names, viruses, url_paths;
};
// Throws kNotFound for a missing file, kInvalidArgument for one without values, naming it.
SlotLists LoadSlotLists(const std::filesystem::path& folder);

class Scene {
 public:
  Scene(const SlotLists& lists, Random* random);

  // The value of a slot: the same again for who and where, a new one for ids and numbers.
  // `before` is the text so far: after a dot a number must fit an IP address.
  std::string Value(Slot slot, std::string_view before = {});

 private:
  std::string MakeDomain();
  std::string MakeIp();
  std::string MakeId();
  std::string MakeNumber(std::string_view before);
  std::string MakeDate();
  std::string MakeUrl();

  const SlotLists& lists_;
  Random* random_;
  std::string user_, domain_, sender_user_, sender_domain_, host_, sender_host_, ip_, remote_ip_;
};

}  // namespace rebound
