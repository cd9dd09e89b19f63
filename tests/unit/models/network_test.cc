#include "models/network.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "models/bundle.h"

namespace rebound {
namespace {

using Shapes = std::map<std::string, std::vector<int64_t>>;
using Sizes = std::map<std::string, int64_t>;

std::string ErrorOf(std::string_view network, const Sizes& sizes) {
  try {
    NetworkTensors(network, sizes, 5);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    return error.what();
  }
  return "no error";
}

TEST(Network, ListsTheTensorsOfABag) {
  EXPECT_EQ(
      NetworkTensors(kBagNetwork, {{"vocabulary", 100}, {"embedding", 8}, {"hidden", 0}}, 5),
      (Shapes{{"embedding.weight", {100, 8}}, {"output.weight", {5, 8}}, {"output.bias", {5}}}));
  EXPECT_EQ(NetworkTensors(kBagNetwork, {{"vocabulary", 100}, {"embedding", 8}, {"hidden", 3}}, 5),
            (Shapes{{"embedding.weight", {100, 8}},
                    {"hidden.weight", {3, 8}},
                    {"hidden.bias", {3}},
                    {"output.weight", {5, 3}},
                    {"output.bias", {5}}}));
}

TEST(Network, ListsTheTensorsOfATableCnn) {
  EXPECT_EQ(
      NetworkTensors(kTableCnnNetwork,
                     {{"vocabulary", 100}, {"embedding", 8}, {"hidden", 3}, {"filters", 6}}, 5),
      (Shapes{{"embedding.weight", {100, 8}},
              {"conv2.weight", {6, 2, 8}},
              {"conv2.bias", {6}},
              {"conv3.weight", {6, 3, 8}},
              {"conv3.bias", {6}},
              {"hidden.weight", {3, 20}},
              {"hidden.bias", {3}},
              {"output.weight", {5, 3}},
              {"output.bias", {5}}}));
}

TEST(Network, RefusesSizesThatDoNotFitTheKind) {
  EXPECT_EQ(ErrorOf("lstm", {}), "network: unknown kind 'lstm', expected bag or table_cnn");
  EXPECT_EQ(ErrorOf(kBagNetwork, {{"vocabulary", 9}, {"embedding", 8}}),
            "network: the size 'hidden' is missing");
  EXPECT_EQ(ErrorOf(kBagNetwork, {{"vocabulary", 0}, {"embedding", 8}, {"hidden", 0}}),
            "network: the size 'vocabulary' is 0, expected 1 to 16777216");
  EXPECT_EQ(ErrorOf(kBagNetwork, {{"vocabulary", 9}, {"embedding", 8}, {"hidden", -1}}),
            "network: the size 'hidden' is -1, expected 0 to 16777216");
  EXPECT_EQ(ErrorOf(kBagNetwork, {{"vocabulary", 9}, {"embedding", 16777217}, {"hidden", 0}}),
            "network: the size 'embedding' is 16777217, expected 1 to 16777216");
  EXPECT_EQ(
      ErrorOf(kBagNetwork, {{"vocabulary", 9}, {"embedding", 8}, {"hidden", 0}, {"filters", 4}}),
      "network: a bag has no size 'filters'");
}

}  // namespace
}  // namespace rebound
