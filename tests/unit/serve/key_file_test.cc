#include "serve/key_file.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace rebound {
namespace {

using namespace std::chrono_literals;

const std::string kA = KeyField("a");
const std::string kB = KeyField("b");

std::string ErrorOf(const std::string& text) {
  try {
    ParseKeyFile(text, "keys");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

TEST(KeyFile, ReadsLinesWithCommentsAndBlanks) {
  const auto keys = ParseKeyFile("# who may call\n\n  mta-1\tclassify " + kA +
                                     "  # the first\r\nportal classify,contribute " + kB,
                                 "keys");
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0].caller.name, "mta-1");
  EXPECT_EQ(keys[0].digest, DigestOfKey("a"));
  EXPECT_TRUE(keys[0].scopes.Has(Scope::kClassify));
  EXPECT_FALSE(keys[0].scopes.Has(Scope::kContribute));
  EXPECT_FALSE(keys[0].scopes.Has(Scope::kAdmin));
  EXPECT_FALSE(keys[0].not_after.has_value());
  EXPECT_FALSE(keys[0].caller.rate.has_value());
  EXPECT_EQ(keys[1].caller.name, "portal");
  EXPECT_TRUE(keys[1].scopes.Has(Scope::kContribute));
}

TEST(KeyFile, ReadsSubjectsOfCertificatesInQuotes) {
  const auto keys = ParseKeyFile("ops admin \"cert:CN=Ops Team,O=A \"\"b\"\" \\\\ Ltd\"", "keys");
  EXPECT_EQ(keys.at(0).subject, "CN=Ops Team,O=A \"b\" \\\\ Ltd");
  EXPECT_FALSE(keys[0].digest.has_value());
  EXPECT_EQ(ParseKeyFile("ops admin cert:CN=ops,O=X", "keys").at(0).subject, "CN=ops,O=X");
}

TEST(KeyFile, ReadsRatesAndExpiries) {
  const auto keys = ParseKeyFile("a classify " + kA +
                                     " rate=600/m burst=5 not_after=2027-03-31\n"
                                     "b classify " +
                                     kB + " rate=none not_after=2027-03-31T12:30:15Z",
                                 "keys");
  const std::chrono::sys_days day = std::chrono::year(2027) / 3 / 31;
  EXPECT_EQ(keys.at(0).caller.rate, (Rate{10, 5}));
  EXPECT_EQ(keys[0].not_after, day + 24h) << "a day counts to its end";
  EXPECT_FALSE(keys.at(1).caller.rate->limited());
  EXPECT_EQ(keys[1].not_after, day + 12h + 30min + 15s);
}

TEST(KeyFile, TakesSeveralKeysOfOneNameForARotation) {
  EXPECT_EQ(ParseKeyFile("a classify " + kA + "\na classify,admin " + kB, "keys").size(), 2u);
}

TEST(KeyFile, NamesTheLineAndWhatIsWrong) {
  EXPECT_EQ(ErrorOf("\n\na classify"), "keys:3: a line has a name, scopes and a key");
  EXPECT_EQ(ErrorOf("a write " + kA),
            "keys:1: scopes are classify, contribute and admin with commas between; there is no "
            "'write'");
  EXPECT_EQ(
      ErrorOf("a classify, " + kA),
      "keys:1: scopes are classify, contribute and admin with commas between; there is no ''");
  EXPECT_EQ(ErrorOf("a/b classify " + kA),
            "keys:1: a name is 1 to 64 letters, digits and any of . _ - @; it is 'a/b'");
  EXPECT_EQ(ErrorOf("a classify " + kA + " burst=5"), "keys:1: burst needs a rate beside it");
  EXPECT_EQ(ErrorOf("a classify " + kA + " rate=5"),
            "keys:1: a rate is N/s, N/m, N/h or none, such as 100/s; it is '5'");
  EXPECT_EQ(ErrorOf("a classify " + kA + " rate=5/s burst=0"),
            "keys:1: a burst is a whole number from 1 on; it is '0'");
  EXPECT_EQ(ErrorOf("a classify " + kA + " rate=1/s rate=2/s"), "keys:1: rate is given twice");
  EXPECT_EQ(ErrorOf("a classify " + kA + " colour=red"),
            "keys:1: there is no option 'colour'; there are not_after, rate and burst");
  EXPECT_EQ(ErrorOf("a classify \"" + kA), "keys:1: a quote is not closed");
  EXPECT_EQ(ErrorOf("a classify \"" + kA + "\"x"), "keys:1: something follows a closing quote");
  for (const char* bad :
       {"", "2027", "2027-02-29", "2027-13-01", "2027-1-1", "2027-01-01T24:00:00Z",
        "2027-01-01T10:00:00", "2027-01-01T10:60:00Z", "2027-01-01Z"}) {
    EXPECT_EQ(ErrorOf("a classify " + kA + " not_after=" + bad),
              "keys:1: not_after is a day such as 2027-03-31 or a time such as "
              "2027-03-31T12:00:00Z; it is '" +
                  std::string(bad) + "'");
  }
}

TEST(KeyFile, NeverTellsAKeyThatStandsThereAsItIs) {
  for (const std::string bad : {"s3cret", "sha256:s3cret", "cert:", "sha256:", "SHA256:00"}) {
    const std::string error = ErrorOf("a classify " + bad);
    EXPECT_EQ(error,
              "keys:1: the third field is sha256: and 64 hexadecimal digits (rebound-serve "
              "--hash-key), or cert: and a subject");
  }
}

TEST(KeyFile, RefusesLinesThatContradictEachOther) {
  EXPECT_EQ(ErrorOf("a classify " + kA + "\n\nb admin " + kA),
            "keys:3: this key stands in line 1 too");
  EXPECT_EQ(ErrorOf("a classify cert:CN=x\nb admin cert:CN=x"),
            "keys:2: this key stands in line 1 too");
  EXPECT_EQ(ErrorOf("a classify " + kA + " rate=1/s\na classify " + kB),
            "keys:2: 'a' has another rate in line 1, and a name has one");
}

TEST(KeyFile, AFileWithoutAKeyIsRefusedLestItOpensTheServer) {
  EXPECT_EQ(ErrorOf(""), "keys: there is no key in it");
  EXPECT_EQ(ErrorOf("# none\n"), "keys: there is no key in it");
}

TEST(KeyFile, HoldsAtMostTenThousandKeys) {
  std::string text;
  for (size_t i = 0; i < kMostKeys; ++i) {
    text += "a classify " + KeyField(std::to_string(i)) + "\n";
  }
  EXPECT_EQ(ParseKeyFile(text, "keys").size(), kMostKeys);
  EXPECT_EQ(ErrorOf(text + "b classify " + kA), "keys:10001: a file has at most 10000 keys");
}

TEST(KeyFile, BytesOfAnyKindAreNoDanger) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes.push_back(static_cast<char>(i * 37 % 256));
  EXPECT_NE(ErrorOf(bytes), "");
  EXPECT_NE(ErrorOf(std::string(100'000, '"')), "");
  EXPECT_NE(ErrorOf(std::string(3, '\0')), "");
}

TEST(KeyField, IsTheSha256OfTheKey) {
  EXPECT_EQ(KeyField("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(MakeKey, IsLongAndNeverTheSame) {
  const std::string key = MakeKey();
  EXPECT_EQ(key.size(), 72u);
  EXPECT_EQ(key.substr(0, 8), "rebound_");
  EXPECT_NE(key, MakeKey());
}

}  // namespace
}  // namespace rebound
